package account

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"omnidesk/internal/id"
)

const (
	issuer      = "omnidesk"
	audience    = "omnidesk browser"
	leastSecret = 32 // bytes
)

var errToken = errors.New("the session token is not valid")

// claims carry ids only; all else is read from the database on each request.
type claims struct {
	jwt.RegisteredClaims
	Session string `json:"sid"`
	Company string `json:"cid,omitempty"`
}

// Tokens signs and reads session tokens.
type Tokens struct {
	secret []byte
	kid    string
}

// NewTokens takes the signing secret: at least 32 bytes that are no sample and no repeated text.
func NewTokens(secret string) (*Tokens, error) {
	const howToMake = "make one with: openssl rand -base64 48"
	if len(secret) < leastSecret {
		return nil, fmt.Errorf("the session signing secret has %d bytes, want at least %d; %s", len(secret), leastSecret, howToMake)
	}
	different := map[rune]bool{}
	for _, r := range secret {
		different[r] = true
	}
	lower := strings.ToLower(secret)
	for _, sample := range []string{"secret", "changeme", "change-me", "change_me", "password", "example", "your-", "your_"} {
		if strings.Contains(lower, sample) {
			return nil, fmt.Errorf("the session signing secret is a sample; %s", howToMake)
		}
	}
	if len(different) < 12 {
		return nil, fmt.Errorf("the session signing secret repeats too few characters; %s", howToMake)
	}
	sum := sha256.Sum256([]byte("omnidesk session key id|" + secret))
	return &Tokens{secret: []byte(secret), kid: hex.EncodeToString(sum[:4])}, nil
}

// NewTokenSecret returns a random signing secret.
func NewTokenSecret() string {
	return base64.RawURLEncoding.EncodeToString(randomBytes(48))
}

// identity is what a token says, before the database has confirmed it.
type identity struct {
	user, session id.ID
	company       *id.ID
}

func (t *Tokens) sign(who identity, now, until time.Time) (string, error) {
	c := claims{Session: who.session.String(), RegisteredClaims: jwt.RegisteredClaims{
		Issuer: issuer, Audience: jwt.ClaimStrings{audience}, Subject: who.user.String(),
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(until),
	}}
	if who.company != nil {
		c.Company = who.company.String()
	}
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, c)
	token.Header["kid"] = t.kid
	signed, err := token.SignedString(t.secret)
	if err != nil {
		return "", fmt.Errorf("signing a session token: %w", err)
	}
	return signed, nil
}

func (t *Tokens) read(token string, now time.Time) (identity, error) {
	var c claims
	_, err := jwt.ParseWithClaims(token, &c, t.key, jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(issuer), jwt.WithAudience(audience), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithStrictDecoding(), jwt.WithLeeway(2*time.Second), jwt.WithTimeFunc(func() time.Time { return now }))
	if err != nil {
		return identity{}, errToken
	}
	var who identity
	if who.user, err = id.Parse(c.Subject); err != nil {
		return identity{}, errToken
	}
	if who.session, err = id.Parse(c.Session); err != nil {
		return identity{}, errToken
	}
	if c.Company != "" {
		company, err := id.Parse(c.Company)
		if err != nil {
			return identity{}, errToken
		}
		who.company = &company
	}
	return who, nil
}

func (t *Tokens) key(token *jwt.Token) (any, error) {
	if token.Header["kid"] != t.kid {
		return nil, errToken
	}
	return t.secret, nil
}
