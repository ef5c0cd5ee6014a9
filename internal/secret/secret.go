// Package secret seals the credentials that the database keeps. A sealed value is bound to its place: copied
// to another row, column, table or company it does not open.
package secret

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	gcm "github.com/tink-crypto/tink-go/v2/proto/aes_gcm_go_proto"
	tinkproto "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/tink"
	"google.golang.org/protobuf/proto"

	"omnidesk/internal/id"
)

// ErrSealed says that a value does not open: it was sealed with another key, or for another place.
var ErrSealed = errors.New("the sealed value does not open: another key sealed it, or it was moved from another row")

const (
	aesGcmType = "type.googleapis.com/google.crypto.tink.AesGcmKey"
	keyBytes   = 32
	howToMake  = "make one with: omnidesk admin new-key"
)

// Place is where a sealed value lies.
type Place struct {
	Company       id.ID
	Table, Column string
	Row           id.ID
}

// associated is part of what every stored value was sealed with; it can't change without sealing all again.
func (p Place) associated() []byte {
	return []byte(strings.Join([]string{p.Company.String(), p.Table, p.Column, p.Row.String()}, "|"))
}

// Sealer seals with the primary key of a keyset and opens with any of its keys.
type Sealer struct{ aead tink.AEAD }

// NewKeyset returns a fresh keyset with one AES-256-GCM key, base64 encoded. Whoever reads it can read every
// credential.
func NewKeyset() (string, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("making a keyset: %w", err)
	}
	return encode(handle)
}

// AddPrimary returns the keyset with a new primary key. What the older keys sealed still opens.
func AddPrimary(encoded string) (string, error) {
	handle, err := read(encoded)
	if err != nil {
		return "", err
	}
	manager := keyset.NewManagerFromHandle(handle)
	key, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("adding a key: %w", err)
	}
	if err := manager.SetPrimary(key); err != nil {
		return "", fmt.Errorf("making the new key primary: %w", err)
	}
	if handle, err = manager.Handle(); err != nil {
		return "", fmt.Errorf("adding a key: %w", err)
	}
	return encode(handle)
}

// Open reads a keyset as NewKeyset made it. It refuses passphrases, samples and keys that are not random,
// and its errors never repeat what it was given.
func Open(encoded string) (*Sealer, error) {
	handle, err := read(encoded)
	if err != nil {
		return nil, err
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("opening the encryption keyset: %w", err)
	}
	return &Sealer{aead: primitive}, nil
}

// Seal encrypts plain for one place.
func (s *Sealer) Seal(plain []byte, place Place) ([]byte, error) {
	sealed, err := s.aead.Encrypt(plain, place.associated())
	if err != nil {
		return nil, fmt.Errorf("sealing %s.%s: %w", place.Table, place.Column, err)
	}
	return sealed, nil
}

// Unseal opens what Seal returned for the same place; otherwise the error is ErrSealed.
func (s *Sealer) Unseal(sealed []byte, place Place) ([]byte, error) {
	plain, err := s.aead.Decrypt(sealed, place.associated())
	if err != nil {
		return nil, fmt.Errorf("unsealing %s.%s: %w", place.Table, place.Column, ErrSealed)
	}
	return plain, nil
}

// Token returns 128 random bits as 22 characters that are safe in a URL.
func Token() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(random[:])
}

func encode(handle *keyset.Handle) (string, error) {
	var out bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewBinaryWriter(&out)); err != nil {
		return "", fmt.Errorf("writing the keyset: %w", err)
	}
	return base64.StdEncoding.EncodeToString(out.Bytes()), nil
}

func read(encoded string) (*keyset.Handle, error) {
	encoded = strings.TrimSpace(encoded)
	if encoded == "" {
		return nil, fmt.Errorf("the encryption key is empty; %s", howToMake)
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("the encryption key is not a base64 keyset (a passphrase is not enough); %s", howToMake)
	}
	if err := refuseWeak(raw); err != nil {
		return nil, err
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, fmt.Errorf("the encryption key is not a keyset; %s", howToMake)
	}
	return handle, nil
}

// refuseWeak looks at the keys themselves: other algorithms, wrong lengths and values nobody drew at random.
func refuseWeak(raw []byte) error {
	if len(raw) <= keyBytes {
		return fmt.Errorf("the encryption key has %d bytes and is not a keyset (a bare key carries no key id to rotate by); %s", len(raw), howToMake)
	}
	var set tinkproto.Keyset
	if err := proto.Unmarshal(raw, &set); err != nil || len(set.GetKey()) == 0 {
		return fmt.Errorf("the encryption key is not a keyset; %s", howToMake)
	}
	for _, key := range set.GetKey() {
		if key.GetKeyData().GetTypeUrl() != aesGcmType {
			return fmt.Errorf("the encryption keyset holds a key that is not AES-256-GCM; %s", howToMake)
		}
		var value gcm.AesGcmKey
		if err := proto.Unmarshal(key.GetKeyData().GetValue(), &value); err != nil || len(value.GetKeyValue()) != keyBytes {
			return fmt.Errorf("the encryption keyset holds a key of the wrong length, want %d bytes; %s", keyBytes, howToMake)
		}
		if looksMade(value.GetKeyValue()) {
			return fmt.Errorf("the encryption keyset holds a sample key, not a random one; %s", howToMake)
		}
	}
	return nil
}

// looksMade tells zeros, counters and typed text from random bytes. 32 random bytes have fewer than 20
// different values, or only printable ones, less often than once in 10^12.
func looksMade(key []byte) bool {
	var seen [256]bool
	different, printable, steps := 0, 0, 0
	for i, b := range key {
		if !seen[b] {
			seen[b] = true
			different++
		}
		if b >= ' ' && b <= '~' {
			printable++
		}
		if i > 0 && b-key[i-1] == key[1]-key[0] {
			steps++
		}
	}
	return different < 20 || printable == len(key) || steps > len(key)/2
}
