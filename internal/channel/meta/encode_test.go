package meta

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
)

func TestEncodeMessage(t *testing.T) {
	t.Parallel()
	ours := id.New()
	phone := channel.Address{Kind: "phone", Value: "+5511999990001"}
	for _, one := range []struct {
		name string
		out  channel.Outgoing
		want string
	}{
		{
			"text", channel.Outgoing{ID: ours, To: phone, Content: channel.Content{Text: "Olá \"Ana\"\n\\ 👍"}},
			`{"messaging_product":"whatsapp","recipient_type":"individual","to":"5511999990001","type":"text",
			  "text":{"preview_url":false,"body":"Olá \"Ana\"\n\\ 👍"},"biz_opaque_callback_data":"` + ours.String() + `"}`,
		},
		{
			"template", channel.Outgoing{ID: ours, To: phone, Content: channel.Content{Template: &channel.Template{
				Name: "promo", Language: "pt_BR", Parameters: []string{"Ana", "R$ 10"},
			}}},
			`{"messaging_product":"whatsapp","recipient_type":"individual","to":"5511999990001","type":"template",
			  "template":{"name":"promo","language":{"code":"pt_BR"},"components":[{"type":"body","parameters":[
			  {"type":"text","text":"Ana"},{"type":"text","text":"R$ 10"}]}]},"biz_opaque_callback_data":"` + ours.String() + `"}`,
		},
		{
			"template without parameters, to a user id", channel.Outgoing{
				ID: ours, To: channel.Address{Kind: "bsuid", Value: "BR.1502"},
				Content: channel.Content{Template: &channel.Template{Name: "hello_world", Language: "en_US"}},
			},
			`{"messaging_product":"whatsapp","recipient_type":"individual","recipient":"BR.1502","type":"template",
			  "template":{"name":"hello_world","language":{"code":"en_US"}},"biz_opaque_callback_data":"` + ours.String() + `"}`,
		},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			body, unsendable := encodeMessage(one.out)
			require.Empty(t, unsendable)
			require.JSONEq(t, one.want, string(body))
		})
	}
}

func TestEncodeMessageRefuses(t *testing.T) {
	t.Parallel()
	text := channel.Content{Text: "hi"}
	for _, out := range []channel.Outgoing{
		{To: channel.Address{Kind: "phone"}, Content: text},
		{To: channel.Address{Kind: "igsid", Value: "1"}, Content: text},
		{To: channel.Address{Kind: "phone", Value: "+1"}},
	} {
		_, unsendable := encodeMessage(out)
		require.NotEmpty(t, unsendable)
	}
}

// FuzzAppendString checks that a string survives its way through JSON.
func FuzzAppendString(f *testing.F) {
	for _, seed := range []string{"", "Ana", `"`, `\`, "\x00\x1f\x7f", "a\nb", "é👍", "\xff\xfe", "\u2028", "</script>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		require.NoError(t, json.Unmarshal(appendString(nil, s), &got))
		require.Equal(t, string([]rune(s)), got) // what is no UTF-8 becomes U+FFFD
	})
}
