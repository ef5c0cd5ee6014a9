// Package apiclient keeps the other systems that may send through a company's connections, tells by a call's signature
// who made it, lets in each call once and no more than a client may make, and knows which message came of which call.
package apiclient

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"time"

	"omnidesk/internal/id"
)

const (
	scheme       = "M1-HMAC-SHA256"
	secretPrefix = "msk_"
	keyPrefix    = "mk_"
)

// Skew is how far a call's instant may be from ours, in either direction.
const Skew = 5 * time.Minute

var (
	authorization = regexp.MustCompile(`^` + scheme + ` KeyId=(mk_[A-Za-z0-9_-]{1,64}), Signature=([0-9a-f]{64})$`)
	nonceForm     = regexp.MustCompile(`^[A-Za-z0-9_-]{16,64}$`)
	instantForm   = regexp.MustCompile(`^[1-9][0-9]{0,10}$`)
)

// Secret is what a client signs with.
type Secret [32]byte

// NewSecret draws a secret.
func NewSecret() (s Secret) {
	_, _ = rand.Read(s[:]) // never fails: crypto/rand ends the program instead
	return s
}

// Shown is the secret as it is told to a person, once.
func (s Secret) Shown() string { return secretPrefix + base64.RawURLEncoding.EncodeToString(s[:]) }

// String hides the secret from logs.
func (s Secret) String() string { return secretPrefix + "…" }

// KeyID names a client to us, and its company, so that a call leads to its rows without a search over companies.
func KeyID(company, client id.ID) string {
	return keyPrefix + base64.RawURLEncoding.EncodeToString(append(company[:], client[:]...))
}

// ParseKeyID reads what KeyID wrote. That there is such a client it does not say.
func ParseKeyID(keyID string) (company, client id.ID, ok bool) {
	text, prefixed := strings.CutPrefix(keyID, keyPrefix)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !prefixed || err != nil || len(raw) != len(company)+len(client) {
		return id.Nil, id.Nil, false
	}
	copy(company[:], raw)
	copy(client[:], raw[len(company):])
	return company, client, true
}

// Call is everything about a call that its signature covers, each part as it was on the wire.
type Call struct {
	KeyID       string
	Timestamp   string // seconds since 1970
	Nonce       string
	Method      string
	Host        string // the configured public one, in lower case
	Path, Query string // of the request line, split at its first question mark
	ContentType string
	RequestID   string
	Body        []byte
}

// ParseAuthorization reads an Authorization header into the key id and the signature.
func ParseAuthorization(header string) (keyID, signature string, ok bool) {
	parts := authorization.FindStringSubmatch(header)
	if parts == nil {
		return "", "", false
	}
	return parts[1], parts[2], true
}

// Wellformed tells whether instant and nonce have the form that the protocol wants.
func (c Call) Wellformed() bool {
	return instantForm.MatchString(c.Timestamp) && nonceForm.MatchString(c.Nonce)
}

// Fresh tells whether the call's instant is near enough to now.
func (c Call) Fresh(now time.Time) bool {
	seconds, err := strconv.ParseInt(c.Timestamp, 10, 64)
	if err != nil {
		return false
	}
	off := now.Sub(time.Unix(seconds, 0))
	return off.Abs() <= Skew
}

// parts are the lines of what is signed.
func (c Call) parts() []string {
	sum := sha256.Sum256(c.Body)
	return []string{scheme, c.KeyID, c.Timestamp, c.Nonce, c.Method, c.Host, c.Path, c.Query, c.ContentType, c.RequestID, hex.EncodeToString(sum[:])}
}

// canonical is what is signed. A part with a line break could pass for two: such a call has none.
func (c Call) canonical() (text string, ok bool) {
	parts := c.parts()
	text = strings.Join(parts, "\n")
	return text, strings.Count(text, "\n") == len(parts)-1
}

// Sign returns the call's signature as it stands in the Authorization header; empty when the call can't be signed.
func (c Call) Sign(secret Secret) string {
	text, ok := c.canonical()
	if !ok {
		return ""
	}
	mac := hmac.New(sha256.New, secret[:])
	_, _ = mac.Write([]byte(text)) // a hash takes everything
	return hex.EncodeToString(mac.Sum(nil))
}

// Authorization is the header of a signed call.
func (c Call) Authorization(secret Secret) string {
	return scheme + " KeyId=" + c.KeyID + ", Signature=" + c.Sign(secret)
}

// SignedWith tells whether a signature is the call's with one of the secrets. It compares all in constant time.
func (c Call) SignedWith(signature string, secrets ...Secret) bool {
	matches := false
	for _, secret := range secrets {
		own := c.Sign(secret)
		matches = hmac.Equal([]byte(own), []byte(signature)) && own != "" || matches
	}
	return matches
}

// ParseSecret reads what Shown wrote.
func ParseSecret(shown string) (s Secret, ok bool) {
	text, prefixed := strings.CutPrefix(shown, secretPrefix)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !prefixed || err != nil || len(raw) != len(s) {
		return Secret{}, false
	}
	return Secret(raw), true
}
