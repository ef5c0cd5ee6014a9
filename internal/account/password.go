package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"
)

const (
	bcryptCost      = 12
	passwordLeast   = 12 // characters
	passwordMost    = 128
	hashesAtOneTime = 2 // a hash costs a quarter of a second of a core: a flood of logins must not take all
)

//go:embed common_passwords.txt
var commonPasswords string

var (
	common  = commonSet()
	hashing = make(chan struct{}, hashesAtOneTime)
	// dummyHash is compared for unknown users, so that they take as long as known ones. Nobody knows its password.
	dummyHash = mustHash()
)

// PasswordError says in one sentence why a password is refused.
type PasswordError struct{ Reason string }

func (e PasswordError) Error() string { return e.Reason }

// CheckPassword refuses a password that is short, common or about its owner. about holds the e-mail address,
// the person's and the company's name.
func CheckPassword(password string, about ...string) error {
	length := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password):
		return PasswordError{"The password is not valid text."}
	case length < passwordLeast:
		return PasswordError{fmt.Sprintf("The password needs at least %d characters.", passwordLeast)}
	case length > passwordMost:
		return PasswordError{fmt.Sprintf("The password may have at most %d characters.", passwordMost)}
	}
	plain := squash(password)
	if strings.Trim(password, "0123456789") == "" {
		return PasswordError{"The password needs more than digits."}
	}
	if isCommon(plain) {
		return PasswordError{"The password is among the most common ones, or repeats one of them."}
	}
	for _, word := range about {
		local, _, _ := strings.Cut(word, "@")
		for _, name := range []string{squash(word), squash(local)} {
			if len(name) >= 4 && strings.Contains(plain, name) && len(plain)-len(name) < passwordLeast {
				return PasswordError{"The password may not be made of your e-mail address or the name of your company."}
			}
		}
	}
	return nil
}

// isCommon also meets the tricks of lists: a common word repeated, or with digits and marks at its end.
func isCommon(plain string) bool {
	if common[plain] || common[strings.TrimRight(plain, "0123456789")] {
		return true
	}
	for size := 1; size <= len(plain)/2; size++ {
		if strings.Repeat(plain[:size], len(plain)/size+1)[:len(plain)] == plain {
			return true
		}
	}
	return false
}

// squash leaves only letters and digits, in lower case.
func squash(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127 {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

func commonSet() map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(commonPasswords) {
		if word := squash(line); word != "" {
			set[word] = true
		}
	}
	return set
}

// prehash lifts bcrypt's limit of 72 bytes; base64 keeps a NUL byte from it.
func prehash(password string) []byte {
	sum := sha256.Sum256([]byte(password))
	return []byte(base64.StdEncoding.EncodeToString(sum[:]))
}

// HashPassword returns what is stored of a password. It waits for its turn: two hashes run at one time.
func HashPassword(ctx context.Context, password string) ([]byte, error) {
	if err := enter(ctx); err != nil {
		return nil, err
	}
	defer leave()
	hash, err := bcrypt.GenerateFromPassword(prehash(password), bcryptCost)
	if err != nil {
		return nil, fmt.Errorf("hashing a password: %w", err)
	}
	return hash, nil
}

// matches compares a password with a stored hash, or with nobody's when there is none: both take equally long.
func matches(ctx context.Context, hash []byte, password string) (bool, error) {
	known := len(hash) > 0
	if !known {
		hash = dummyHash
	}
	if err := enter(ctx); err != nil {
		return false, err
	}
	defer leave()
	return bcrypt.CompareHashAndPassword(hash, prehash(password)) == nil && known, nil
}

func enter(ctx context.Context) error {
	select {
	case hashing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting to check a password: %w", ctx.Err())
	}
}

func leave() { <-hashing }

func mustHash() []byte {
	hash, err := bcrypt.GenerateFromPassword(prehash(OneTimePassword()), bcryptCost)
	if err != nil {
		panic(err) // only a wrong cost can fail, and that is a constant
	}
	return hash
}

// OneTimePassword returns a password of 100 random bits in four groups, made to be typed from a terminal.
func OneTimePassword() string {
	const letters = "abcdefghijkmnpqrstuvwxyz23456789" // 32 that are not mistaken for each other
	var random [20]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	var out strings.Builder
	for i, b := range random {
		if i > 0 && i%5 == 0 {
			out.WriteByte('-')
		}
		out.WriteByte(letters[int(b)%len(letters)])
	}
	return out.String()
}
