package apiclient

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
)

// vectors are the published ones. Their secret is the bytes 0 to 31.
var vectors = []struct {
	call      Call
	signature string
}{
	{Call{KeyID: "mk_test01", Timestamp: "1790000000", Nonce: "n-0001-abcdefghijkl", Method: "POST", Host: "api.example.test", Path: "/v1/messages",
		ContentType: "application/json", RequestID: "8e03978e-40d5-43e8-bc93-6894a57f9324", Body: []byte(`{"to":"+6281200000001","text":"Olá"}`)},
		"fe27bd82132dc00bb924080fd2c24cb044fed5300ca1f9c923233c80e5444109"},
	{Call{KeyID: "mk_test01", Timestamp: "1790000001", Nonce: "n-0002-abcdefghijkl", Method: "GET", Host: "api.example.test", Path: "/v1/messages", Query: "limit=10&after=a%2Fb"},
		"ede0b590a1e1042797b5afb728b8beb3b74b192bfd55e6dac09544ee83082d58"},
	{Call{KeyID: "mk_test01", Timestamp: "1790000002", Nonce: "n-0003-abcdefghijkl", Method: "DELETE", Host: "api.example.test", Path: "/v1/messages/018f%2d1"},
		"ac7805bdf3cc8fbc19d04e51721ffcd06c148be6f8754d6c1433a33096e6fd3d"},
}

func counted() (s Secret) {
	for i := range s {
		s[i] = byte(i)
	}
	return s
}

func TestPublishedVectors(t *testing.T) {
	require.Equal(t, "msk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", counted().Shown())
	for _, v := range vectors {
		require.Equal(t, v.signature, v.call.Sign(counted()))
		require.True(t, v.call.SignedWith(v.signature, counted()))
		require.True(t, v.call.SignedWith(v.signature, NewSecret(), counted()), "the older of two secrets")
		require.False(t, v.call.SignedWith(v.signature))
		keyID, signature, ok := ParseAuthorization(v.call.Authorization(counted()))
		require.True(t, ok)
		require.Equal(t, []string{v.call.KeyID, v.signature}, []string{keyID, signature})
		require.True(t, v.call.Wellformed())
	}
}

// mutations are ways in which a call differs from the one that was signed.
func mutations(call Call) map[string]Call {
	all := map[string]Call{}
	fields := map[string]func(*Call) *string{
		"key id": func(c *Call) *string { return &c.KeyID }, "instant": func(c *Call) *string { return &c.Timestamp }, "nonce": func(c *Call) *string { return &c.Nonce },
		"method": func(c *Call) *string { return &c.Method }, "host": func(c *Call) *string { return &c.Host }, "path": func(c *Call) *string { return &c.Path },
		"query": func(c *Call) *string { return &c.Query }, "content type": func(c *Call) *string { return &c.ContentType }, "request id": func(c *Call) *string { return &c.RequestID },
		"body": nil,
	}
	changes := map[string]func(string) string{
		"with a byte more": func(s string) string { return s + "0" }, "with a byte before": func(s string) string { return "0" + s },
		"with a space": func(s string) string { return s + " " }, "with a line break": func(s string) string { return s + "\n" },
		"twice": func(s string) string { return s + s + "," }, "with its last bit flipped": func(s string) string {
			if s == "" {
				return "\x01"
			}
			return s[:len(s)-1] + string([]byte{s[len(s)-1] ^ 1})
		}, "in another case": func(s string) string {
			if s == strings.ToUpper(s) {
				return strings.ToLower(s) + "x"
			}
			return strings.ToUpper(s)
		},
	}
	for field, of := range fields {
		for change, mutate := range changes {
			changed := call
			if of == nil {
				changed.Body = []byte(mutate(string(call.Body)))
			} else {
				*of(&changed) = mutate(*of(&changed))
			}
			all[field+" "+change] = changed
		}
	}
	moved := call // what one part loses, the next one gains
	moved.Path, moved.Query = call.Path+"\n"+call.Query, ""
	all["query moved into the path"] = moved
	moved = call
	moved.ContentType, moved.RequestID = call.RequestID, call.ContentType
	if call.RequestID != call.ContentType {
		all["content type and request id exchanged"] = moved
	}
	return all
}

func TestNoMutationPasses(t *testing.T) {
	for _, v := range vectors {
		changed := mutations(v.call)
		require.GreaterOrEqual(t, len(changed), 60)
		for name, call := range changed {
			require.False(t, call.SignedWith(v.signature, counted()), name)
		}
		for _, signature := range []string{"", strings.ToUpper(v.signature), v.signature[:63], v.signature + "0", strings.Repeat("0", 64)} {
			require.False(t, v.call.SignedWith(signature, counted()), signature)
		}
		require.False(t, v.call.SignedWith(v.signature, NewSecret()))
	}
	broken := vectors[0].call
	broken.RequestID = "a\nb"
	require.False(t, broken.SignedWith(broken.Sign(counted()), counted()), "a call that can't be signed has no signature")
}

func TestAuthorizationHasOneForm(t *testing.T) {
	good := vectors[0].call.Authorization(counted())
	for _, bad := range []string{"", " " + good, good + " ", good + "\n", strings.ToLower(good), strings.Replace(good, ", ", ",", 1), strings.Replace(good, "KeyId", "keyid", 1),
		strings.Replace(good, "M1", "M2", 1), "Bearer mk_test01", strings.Replace(good, "fe27", "FE27", 1), good + ", Signature=" + vectors[0].signature} {
		_, _, ok := ParseAuthorization(bad)
		require.False(t, ok, bad)
	}
}

func TestFreshForFiveMinutesEitherWay(t *testing.T) {
	at := time.Unix(1790000000, 0)
	call := vectors[0].call
	for off, want := range map[time.Duration]bool{0: true, Skew: true, -Skew: true, Skew + time.Second: false, -Skew - time.Second: false, 6 * time.Minute: false} {
		require.Equal(t, want, call.Fresh(at.Add(off)), off)
	}
	for _, bad := range []string{"", "0", "01790000000", "-1790000000", "+1790000000", "1790000000.5", "1e9", " 1790000000", "179000000000"} {
		call.Timestamp = bad
		require.False(t, call.Wellformed(), bad)
	}
}

func TestKeyIDNamesCompanyAndClient(t *testing.T) {
	company, client := id.New(), id.New()
	gotCompany, gotClient, ok := ParseKeyID(KeyID(company, client))
	require.True(t, ok)
	require.Equal(t, []id.ID{company, client}, []id.ID{gotCompany, gotClient})
	for _, bad := range []string{"", "mk_", "mk_test01", KeyID(company, client)[3:], KeyID(company, client) + "A", KeyID(company, client)[:45] + "="} {
		_, _, ok := ParseKeyID(bad)
		require.False(t, ok, bad)
	}
}

// Two different calls never share what is signed: its lines give back the parts.
func FuzzCanonical(f *testing.F) {
	for _, v := range vectors {
		c := v.call
		f.Add(c.KeyID, c.Timestamp, c.Nonce, c.Method, c.Host, c.Path, c.Query, c.ContentType, c.RequestID, c.Body)
	}
	f.Fuzz(func(t *testing.T, keyID, timestamp, nonce, method, host, path, query, contentType, requestID string, body []byte) {
		call := Call{keyID, timestamp, nonce, method, host, path, query, contentType, requestID, body}
		text, ok := call.canonical()
		require.Equal(t, ok, call.Sign(counted()) != "")
		if ok {
			require.Equal(t, call.parts(), strings.Split(text, "\n"))
		}
	})
}

// What is no header of ours is refused, and what is accepted can be written again.
func FuzzAuthorization(f *testing.F) {
	f.Add(vectors[0].call.Authorization(counted()))
	f.Add("Bearer x")
	f.Fuzz(func(t *testing.T, header string) {
		keyID, signature, ok := ParseAuthorization(header)
		if ok {
			require.Equal(t, header, scheme+" KeyId="+keyID+", Signature="+signature)
		}
	})
}
