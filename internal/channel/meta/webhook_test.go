package meta_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/channel/meta"
	"omnidesk/internal/id"
)

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func TestVerifySignature(t *testing.T) {
	t.Parallel()
	body := []byte(`{"text":"Ol\u00e1"}`)
	good := sign("s3cret", body)
	require.True(t, meta.VerifySignature("s3cret", body, good))

	old := hmac.New(sha1.New, []byte("s3cret"))
	old.Write(body)
	for name, wrong := range map[string]string{
		"missing": "", "no prefix": good[7:], "sha1": "sha1=" + hex.EncodeToString(old.Sum(nil)), "upper case": strings.ToUpper(good),
		"cut": good[:len(good)-2], "longer": good + "00", "other secret": sign("other", body), "two": good + "," + good,
	} {
		require.False(t, meta.VerifySignature("s3cret", body, wrong), name)
	}
	require.False(t, meta.VerifySignature("s3cret", []byte(`{"text":"Olá"}`), good), "the same JSON in other bytes")
	require.False(t, meta.VerifySignature("", body, sign("", body)), "no secret verifies nothing")
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	query := func(mode, token, challenge string) url.Values {
		return url.Values{"hub.mode": {mode}, "hub.verify_token": {token}, "hub.challenge": {challenge}}
	}
	got, ok := meta.Challenge(query("subscribe", "tok", "1158201444"), "tok")
	require.True(t, ok)
	require.Equal(t, "1158201444", got)

	twice := query("subscribe", "tok", "1")
	twice.Add("hub.challenge", "2")
	for name, wrong := range map[string]url.Values{
		"wrong token": query("subscribe", "other", "1"), "wrong mode": query("unsubscribe", "tok", "1"),
		"html": query("subscribe", "tok", "<script>"), "empty": query("subscribe", "tok", ""), "newline": query("subscribe", "tok", "1\n"),
		"too long": query("subscribe", "tok", strings.Repeat("1", 21)), "nothing": {}, "twice": twice,
	} {
		_, ok := meta.Challenge(wrong, "tok")
		require.False(t, ok, name)
	}
	_, ok = meta.Challenge(query("subscribe", "", "1"), "")
	require.False(t, ok, "an empty verify token proves nothing")
}

func hook(changes ...string) []byte {
	return []byte(`{"object":"whatsapp_business_account","entry":[{"id":"100200","changes":[` + strings.Join(changes, ",") + `]}]}`)
}

func change(number, content string) string {
	return `{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"1555","phone_number_id":"` + number + `"},` + content + `}}`
}

func TestParseWebhookStatuses(t *testing.T) {
	t.Parallel()
	ours := id.New()
	events := meta.ParseWebhook(hook(change("106", fmt.Sprintf(`"statuses":[
		{"id":"wamid.A","status":"sent","timestamp":"1698266945","recipient_id":"5511","biz_opaque_callback_data":"%s"},
		{"id":"wamid.A","status":"delivered","timestamp":1698266946,"pricing":{"billable":true,"category":"marketing"}},
		{"id":"wamid.B","status":"played","timestamp":"x","biz_opaque_callback_data":"of another system"},
		{"id":"wamid.C","status":"failed","timestamp":"1698266947","errors":[{"code":131049,"title":"to +5511999990001"}]},
		{"id":"wamid.D","status":"deleted","timestamp":"1698266947"}]`, ours)),
		`{"field":"a_field_of_next_year","value":{"event":"NEW","id":168}}`))
	require.Len(t, events, 2)
	require.Equal(t, []string{"statuses", "106", "100200", ""}, []string{events[0].Kind, events[0].NumberID, events[0].AccountID, events[0].Problem})
	require.Equal(t, []channel.Status{
		{ProviderID: "wamid.A", MessageID: ours, Kind: channel.StatusSent, At: time.Unix(1698266945, 0).UTC()},
		{ProviderID: "wamid.A", Kind: channel.StatusDelivered, At: time.Unix(1698266946, 0).UTC()},
		{ProviderID: "wamid.B", Kind: channel.StatusRead},
		{
			ProviderID: "wamid.C", Kind: channel.StatusFailed, At: time.Unix(1698266947, 0).UTC(), Code: 131049,
			Detail: "Meta held the message back because the contact gets much marketing.",
		},
	}, events[0].Statuses)
	require.Equal(t, []string{"a_field_of_next_year", "", "100200", ""}, []string{events[1].Kind, events[1].NumberID, events[1].AccountID, events[1].Problem})
	for _, event := range events {
		require.Equal(t, []channel.Event{event}, meta.ParseWebhook(event.Raw), "alone it reads the same")
	}
}

func TestParseWebhookInbound(t *testing.T) {
	t.Parallel()
	events := meta.ParseWebhook(hook(change("106", `
		"contacts":[{"profile":{"name":"Ana"},"wa_id":"5511999990001","user_id":"BR.15025"},{"profile":{"name":"Bia"},"user_id":"BR.2"}],
		"messages":[{"from":"5511999990001","id":"wamid.X","timestamp":"1749416383","type":"text","text":{"body":"PARAR \ud83d\udc4d"}},
		{"from_user_id":"BR.2","id":"wamid.Y","timestamp":"1749416384","type":"image","image":{"id":"449","caption":"look","mime_type":"image/png"}}]`)))
	require.Len(t, events, 1)
	require.Equal(t, []string{"messages", "106", ""}, []string{events[0].Kind, events[0].NumberID, events[0].Problem})
	require.Equal(t, []channel.Inbound{
		{
			ProviderID: "wamid.X", From: channel.Address{Kind: "phone", Value: "+5511999990001"}, Also: []channel.Address{{Kind: "bsuid", Value: "BR.15025"}},
			Name: "Ana", At: time.Unix(1749416383, 0).UTC(), Said: channel.Said{Kind: channel.SaidText, Text: "PARAR 👍"},
		},
		{
			ProviderID: "wamid.Y", From: channel.Address{Kind: "bsuid", Value: "BR.2"}, Name: "Bia", At: time.Unix(1749416384, 0).UTC(),
			Said: channel.Said{Kind: channel.SaidImage, Text: "look", Media: &channel.Media{ProviderID: "449", Type: "image/png"}},
		},
	}, events[0].Inbound)
}

// TestParseWebhookKeepsTheRest mixes unfit items among good ones: none of the good ones is lost, and what is said of the
// others does not repeat what came in.
func TestParseWebhookKeepsTheRest(t *testing.T) {
	t.Parallel()
	good := change("106", `"statuses":[7,{"id":"wamid.A","status":"read","timestamp":"1"},{"status":"read"},{"id":["secret"],"status":"read"},"secret"],
		"messages":[{"id":"wamid.X"},{"id":"wamid.Z","from":"+55 secret"},{"id":"wamid.Y","from":"5511999990001","text":"secret"}]`)
	body := []byte(`{"object":"whatsapp_business_account","entry":["secret",{"changes":{"a":1}},{"changes":[null,"secret",` + good + `,` +
		`{"field":"messages","value":{"statuses":[{"id":"wamid.lost","status":"read"}]}}]}]}`)
	events := meta.ParseWebhook(body)
	var problems []string
	for _, event := range events {
		problems = append(problems, event.Problem)
		require.Equal(t, []channel.Event{event}, meta.ParseWebhook(event.Raw))
	}
	require.Equal(t, []string{
		"a value has the wrong type", "a value has the wrong type", "it does not say what it is about", "it does not say what it is about",
		"a value has the wrong type; status 1: it names no message; status 3: it names no message", "it names no number",
	}, problems)
	require.Len(t, events[4].Statuses, 1)
	require.Equal(t, "wamid.A", events[4].Statuses[0].ProviderID)
	require.Len(t, events[4].Inbound, 1)
	require.Equal(t, "wamid.Y", events[4].Inbound[0].ProviderID)
}

func TestParseWebhookRefuses(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{", "[]", "null", `{"object":"page","entry":[]}`, `{"object":"whatsapp_business_account","entry":[{]}`} {
		events := meta.ParseWebhook([]byte(body))
		require.Len(t, events, 1, body)
		require.Equal(t, "unreadable", events[0].Kind)
		require.NotEmpty(t, events[0].Problem)
		require.Equal(t, body, string(events[0].Raw))
	}
}
