package account

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
)

// purpose is the one thing that a link of a mail is good for.
type purpose string

const (
	toVerify purpose = "verify"
	toReset  purpose = "reset"
	toInvite purpose = "invite"
	toChange purpose = "email"
)

// LinkError says what is wrong with a link.
type LinkError struct{ Why LinkFault }

// LinkFault is a way in which a link is not good.
type LinkFault string

// The faults.
const (
	LinkUnknown LinkFault = "unknown" // none of ours, cut, or long gone
	LinkOther   LinkFault = "other"   // good for something else, or for somebody else
	LinkUsed    LinkFault = "used"
	LinkExpired LinkFault = "expired"
	LinkRevoked LinkFault = "revoked"
)

func (e LinkError) Error() string { return "the link is " + string(e.Why) }

const (
	linkBytes    = 32
	linksPerHour = 5 // of one purpose to one person. All stay good, so whoever has them sent to somebody shuts nobody out.
	linksKept    = 30 * 24 * time.Hour
)

// errEnough says that a person has had enough mails of a kind for now.
var errEnough = errors.New("enough links were sent within the hour")

// holder is whom a link is for: a user or an invitation.
type holder struct {
	company, user, invitation *id.ID
}

// newLink makes a link's secret. It is returned once; its hash alone is kept.
func newLink(ctx context.Context, q *Queries, why purpose, of holder, email string, now time.Time, life time.Duration) (string, error) {
	if err := q.forgetTokens(ctx, now.Add(-linksKept)); err != nil {
		return "", fmt.Errorf("forgetting old links: %w", err)
	}
	recent, err := q.recentTokens(ctx, recentTokensParams{Purpose: string(why), Since: now.Add(-time.Hour), UserID: of.user, CompanyID: of.company, InvitationID: of.invitation})
	if err != nil {
		return "", fmt.Errorf("counting links: %w", err)
	}
	if recent >= linksPerHour {
		return "", errEnough
	}
	random := randomBytes(linkBytes)
	hash := sha256.Sum256(random)
	err = q.insertToken(ctx, insertTokenParams{Hash: hash[:], Purpose: string(why), CompanyID: of.company, UserID: of.user,
		InvitationID: of.invitation, Email: email, Now: now, ExpiresAt: now.Add(life)})
	if err != nil {
		return "", fmt.Errorf("keeping a link: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(random), nil
}

// takeLink finds what a link stands for and locks it, or answers a LinkError.
func takeLink(ctx context.Context, q *Queries, why purpose, secret string, now time.Time) (takeTokenRow, error) {
	random, err := base64.RawURLEncoding.Strict().DecodeString(secret)
	if err != nil || len(random) != linkBytes {
		return takeTokenRow{}, LinkError{LinkUnknown}
	}
	hash := sha256.Sum256(random)
	row, err := q.takeToken(ctx, hash[:])
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return row, LinkError{LinkUnknown}
	case err != nil:
		return row, fmt.Errorf("reading a link: %w", err)
	case purpose(row.Purpose) != why:
		return row, LinkError{LinkOther}
	case row.UsedAt != nil:
		return row, LinkError{LinkUsed}
	case !row.ExpiresAt.After(now):
		return row, LinkError{LinkExpired}
	}
	return row, nil
}

// useLink ends a link and its twins.
func useLink(ctx context.Context, q *Queries, row takeTokenRow, now time.Time) error {
	err := q.useTokens(ctx, useTokensParams{Now: &now, Purpose: row.Purpose, UserID: row.UserID, CompanyID: row.CompanyID, InvitationID: row.InvitationID})
	if err != nil {
		return fmt.Errorf("using a link: %w", err)
	}
	return nil
}
