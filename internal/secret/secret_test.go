package secret

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	gcm "github.com/tink-crypto/tink-go/v2/proto/aes_gcm_go_proto"
	tinkproto "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"google.golang.org/protobuf/proto"

	"omnidesk/internal/id"
)

func newSealer(t *testing.T) (*Sealer, string) {
	t.Helper()
	encoded, err := NewKeyset()
	require.NoError(t, err)
	sealer, err := Open(encoded)
	require.NoError(t, err)
	return sealer, encoded
}

func TestASealedValueOpensOnlyInItsPlace(t *testing.T) {
	sealer, _ := newSealer(t)
	home := Place{Company: id.New(), Table: "connections", Column: "token", Row: id.New()}
	sealed, err := sealer.Seal([]byte("EAAG-token"), home)
	require.NoError(t, err)
	require.NotContains(t, string(sealed), "EAAG")

	plain, err := sealer.Unseal(sealed, home)
	require.NoError(t, err)
	require.Equal(t, "EAAG-token", string(plain))

	for name, move := range map[string]func(*Place){
		"company": func(p *Place) { p.Company = id.New() },
		"table":   func(p *Place) { p.Table = "users" },
		"column":  func(p *Place) { p.Column = "app_secret" },
		"row":     func(p *Place) { p.Row = id.New() },
	} {
		t.Run(name, func(t *testing.T) {
			moved := home
			move(&moved)
			_, err := sealer.Unseal(sealed, moved)
			require.ErrorIs(t, err, ErrSealed)
		})
	}
	sealed[len(sealed)-1] ^= 1
	_, err = sealer.Unseal(sealed, home)
	require.ErrorIs(t, err, ErrSealed)
}

func TestRotationKeepsOldValuesReadable(t *testing.T) {
	old, encoded := newSealer(t)
	place := Place{Company: id.New(), Table: "connections", Column: "token", Row: id.New()}
	before, err := old.Seal([]byte("before"), place)
	require.NoError(t, err)

	rotated, err := AddPrimary(encoded)
	require.NoError(t, err)
	renewed, err := Open(rotated)
	require.NoError(t, err)
	plain, err := renewed.Unseal(before, place)
	require.NoError(t, err)
	require.Equal(t, "before", string(plain))

	after, err := renewed.Seal([]byte("after"), place)
	require.NoError(t, err)
	_, err = old.Unseal(after, place)
	require.ErrorIs(t, err, ErrSealed, "the new primary seals")
}

func TestOpenRefusesWhatIsNoKeyset(t *testing.T) {
	for name, c := range map[string]struct{ given, says string }{
		"empty":         {" ", "empty"},
		"passphrase":    {"correct horse battery staple", "passphrase"},
		"bare key":      {base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))), "32 bytes"},
		"noise":         {base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\xff\x00z", 40))), "not a keyset"},
		"short key":     {keysetOf(t, []byte("sixteen bytes!!!")), "wrong length"},
		"zeros":         {keysetOf(t, make([]byte, 32)), "sample"},
		"typed":         {keysetOf(t, []byte("0123456789abcdefghijklmnopqrstuv")), "sample"},
		"counting":      {keysetOf(t, counting()), "sample"},
		"empty keyset":  {base64.StdEncoding.EncodeToString(make([]byte, 64)), "not a keyset"},
		"cut":           {cut(t), "not"},
		"other keytype": {otherType(t), "AES-256-GCM"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(c.given)
			require.ErrorContains(t, err, c.says)
			if strings.TrimSpace(c.given) != "" {
				require.NotContains(t, err.Error(), c.given)
			}
		})
	}
}

func TestTokenIsLongAndFresh(t *testing.T) {
	require.Len(t, Token(), 22)
	require.NotEqual(t, Token(), Token())
}

func counting() []byte {
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i)
	}
	return key
}

func keysetOf(t *testing.T, key []byte) string {
	value, err := proto.Marshal(&gcm.AesGcmKey{KeyValue: key})
	require.NoError(t, err)
	return keysetWith(t, aesGcmType, value)
}

func keysetWith(t *testing.T, kind string, value []byte) string {
	raw, err := proto.Marshal(&tinkproto.Keyset{PrimaryKeyId: 7, Key: []*tinkproto.Keyset_Key{{
		KeyId: 7, Status: tinkproto.KeyStatusType_ENABLED, OutputPrefixType: tinkproto.OutputPrefixType_TINK,
		KeyData: &tinkproto.KeyData{TypeUrl: kind, Value: value, KeyMaterialType: tinkproto.KeyData_SYMMETRIC},
	}}})
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(raw)
}

func otherType(t *testing.T) string {
	return keysetWith(t, "type.googleapis.com/google.crypto.tink.HmacKey", make([]byte, 32))
}

func cut(t *testing.T) string {
	encoded, err := NewKeyset()
	require.NoError(t, err)
	raw, err := base64.StdEncoding.DecodeString(encoded)
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(raw[:len(raw)-20])
}
