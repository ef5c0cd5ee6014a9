package meta_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/channel/meta"
)

// TestParseWebhookEveryKind reads what the documentation shows of each type of message, and what is not quite that.
func TestParseWebhookEveryKind(t *testing.T) {
	t.Parallel()
	file := &channel.Media{ProviderID: "77", Type: "audio/ogg; codecs=opus", SHA256: "c2hh"}
	for in, want := range map[string]channel.Said{
		`"type":"text","text":{"body":"Olá"},"context":{"from":"1555","id":"wamid.O"}`:                                              {Kind: channel.SaidText, Text: "Olá", About: "wamid.O"},
		`"type":"text","text":{"body":"a\u0000b"},"context":{"forwarded":true}`:                                                     {Kind: channel.SaidText, Text: "ab", Forwarded: true},
		`"type":"text","text":{"body":"Hi"},"referral":{"source_type":"ad","source_id":"12","headline":"Shoes","ctwa_clid":"clid"}`: {Kind: channel.SaidText, Text: "Hi", Ad: &channel.Ad{ID: "12", Headline: "Shoes", ClickID: "clid"}},
		`"type":"audio","audio":{"id":"77","mime_type":"audio/ogg; codecs=opus","sha256":"c2hh","voice":true}`:                      {Kind: channel.SaidVoice, Media: file},
		`"type":"audio","audio":{"id":"77","mime_type":"audio/ogg; codecs=opus","sha256":"c2hh"}`:                                   {Kind: channel.SaidAudio, Media: file},
		`"type":"document","document":{"id":"8","mime_type":"application/pdf","filename":"<b>.pdf","caption":"see"}`:                {Kind: channel.SaidDocument, Text: "see", Media: &channel.Media{ProviderID: "8", Type: "application/pdf", Name: "<b>.pdf"}},
		`"type":"sticker","sticker":{"id":"9","mime_type":"image/webp","animated":false}`:                                           {Kind: channel.SaidSticker, Media: &channel.Media{ProviderID: "9", Type: "image/webp"}},
		`"type":"video","video":{"caption":"no id"}`:                                                                                {Kind: channel.SaidUnsupported},
		`"type":"button","button":{"payload":"YES","text":"Yes, please"},"context":{"id":"wamid.T"}`:                                {Kind: channel.SaidChoice, Text: "Yes, please", Value: "YES", About: "wamid.T"},
		`"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"b1","title":"One"}}`:                       {Kind: channel.SaidChoice, Text: "One", Value: "b1"},
		`"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"r1","title":"Row","description":"d"}}`:         {Kind: channel.SaidChoice, Text: "Row", Value: "r1"},
		`"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"body":"Sent","response_json":"{\"a\":1}"}}`:           {Kind: channel.SaidForm, Text: "Sent", Value: `{"a":1}`},
		`"type":"interactive","interactive":{"type":"new_thing"}`:                                                                   {Kind: channel.SaidUnsupported},
		`"type":"reaction","reaction":{"message_id":"wamid.R","emoji":"\ud83d\udc4d"}`:                                              {Kind: channel.SaidReaction, Text: "👍", About: "wamid.R"},
		`"type":"reaction","reaction":{"message_id":"wamid.R"}`:                                                                     {Kind: channel.SaidReaction, About: "wamid.R"},
		`"type":"reaction","reaction":{"emoji":"x"}`:                                                                                {Kind: channel.SaidUnsupported, Text: "x"},
		`"type":"location","location":{"latitude":-23.5,"longitude":-46.6,"name":"Sé"}`:                                             {Kind: channel.SaidLocation, Location: &channel.Location{Latitude: -23.5, Longitude: -46.6, Name: "Sé"}},
		`"type":"contacts","contacts":[{"name":{"formatted_name":"Bia"},"phones":[{"phone":"+55 11"}],"emails":[{"email":"b@x"}]}]`: {Kind: channel.SaidCards, Cards: []channel.Card{{Name: "Bia", Phones: []string{"+55 11"}, Emails: []string{"b@x"}}}},
		`"type":"order","order":{"text":"two","product_items":[{"product_retailer_id":"p","quantity":2,"item_price":1.5,"currency":"BRL"}]}`: {
			Kind: channel.SaidOrder, Text: "two", Items: []channel.Item{{Product: "p", Quantity: 2, Price: 1.5, Currency: "BRL"}},
		},
		`"type":"system","system":{"type":"user_changed_number","wa_id":"5511","body":"Ana changed"}`:                                  {Kind: channel.SaidNotice, Text: "Ana changed"},
		`"type":"unsupported","errors":[{"code":131051}]`:                                                                              {Kind: channel.SaidUnsupported, Code: 131051},
		`"type":"hologram","hologram":{}`:                                                                                              {Kind: channel.SaidUnsupported},
		`"type":"edit","edit":{"original_message_id":"wamid.E","message":{"context":{"id":"M0"},"type":"text","text":{"body":"new"}}}`: {Kind: channel.SaidEdit, Text: "new", About: "wamid.E"},
		`"type":"edit","edit":{"original_message_id":"wamid.E","message":{"type":"image","image":{"id":"1","caption":"new caption"}}}`: {Kind: channel.SaidEdit, Text: "new caption", About: "wamid.E"},
		`"type":"revoke","revoke":{"original_message_id":"wamid.D"}`:                                                                   {Kind: channel.SaidDelete, About: "wamid.D"},
		`"type":"text","text":{"body":"` + strings.Repeat("é", 40_000) + `"}`:                                                          {Kind: channel.SaidText, Text: strings.Repeat("é", 32<<10)},
	} {
		events := meta.ParseWebhook(hook(change("106", `"messages":[{"from":"5511999990001","id":"wamid.X","timestamp":"1749416383",`+in+`}]`)))
		require.Empty(t, events[0].Problem, in)
		require.Equal(t, want, events[0].Inbound[0].Said, in)
	}
}

// FuzzParseWebhook looks for bodies that make the reader panic or let through what can't be stored.
func FuzzParseWebhook(f *testing.F) {
	for _, one := range []string{
		`"type":"text","text":{"body":"a\u0000\ud83d"}`, `"type":"order","order":{"product_items":[{"quantity":1e99}]}`,
		`"type":"edit","edit":{"original_message_id":"x","message":{"image":null}}`, `"type":"interactive","interactive":7`,
	} {
		f.Add(hook(change("106", `"contacts":[{"wa_id":"5511","user_id":"BR.1"}],"messages":[{"from":"5511","id":"wamid.X",`+one+`}]`)))
	}
	f.Add(hook(change("106", `"statuses":[{"id":"wamid.A","status":"read","timestamp":"1698266945","errors":[{"code":-1}]}]`)))
	f.Add([]byte(`{"object":"whatsapp_business_account","entry":[1,{"changes":[2,{"field":"messages","value":[]}]}]}`))
	f.Add(hook(change("106", `"statuses":[{"id":"a\u0000","status":"read"}],"messages":[{"from":"5511","id":"a\u0000b"}]`)))
	f.Add([]byte(`{"object":"whatsapp_business_account","entry":{}}`))
	for field, value := range map[string]string{
		"message_template_status_update": `{"event":"REJECTED","message_template_name":"a\u0000","message_template_language":"pt","reason":7}`,
		"phone_number_quality_update":    `{"display_phone_number":"+1 (555)","event":"FLAGGED","current_limit":"TIER_2K","max_daily_conversations_per_business":-5e9}`,
		"account_update":                 `{"event":"ACCOUNT_RESTRICTION","restriction_info":[{"restriction_type":"\ud83d","expiration":"9"}]}`,
		"account_alerts":                 `{"alert_severity":"critical","alert_type":"X_Y"}`,
		"user_preferences":               `{"metadata":{"phone_number_id":"1"},"user_preferences":[{"wa_id":"5511","category":"marketing_messages","value":"stop"},{"user_id":"BR.1"}]}`,
	} {
		f.Add(hook(`{"field":"` + field + `","value":` + value + `}`))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, event := range meta.ParseWebhook(body) {
			require.NotEmpty(t, event.Kind)
			require.True(t, storable(event.Kind+event.NumberID+event.AccountID+event.Problem))
			require.Equal(t, []channel.Event{event}, meta.ParseWebhook(event.Raw), "alone it reads the same")
			require.True(t, event.NumberID != "" || len(event.Statuses)+len(event.Inbound) == 0)
			rest, err := json.Marshal([]any{event.Templates, event.Account, event.Wishes})
			require.NoError(t, err)
			require.True(t, utf8.Valid(rest) && !strings.Contains(string(rest), `\u0000`))
			for _, wish := range event.Wishes {
				require.NotEmpty(t, wish.From.Value)
			}
			for _, status := range event.Statuses {
				require.NotEmpty(t, status.ProviderID)
				require.NotContains(t, status.ProviderID, "\x00")
				require.Contains(t, []channel.StatusKind{channel.StatusSent, channel.StatusDelivered, channel.StatusRead, channel.StatusFailed}, status.Kind)
			}
			for _, inbound := range event.Inbound {
				requireStorable(t, inbound)
			}
		}
	})
}

func storable(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

func requireStorable(t *testing.T, inbound channel.Inbound) {
	t.Helper()
	written, err := json.Marshal(inbound)
	require.NoError(t, err)
	require.True(t, utf8.Valid(written))
	require.NotContains(t, string(written), `\u0000`)
	require.Less(t, len(written), 1<<20)
	require.NotEmpty(t, inbound.ProviderID)
	require.NotEmpty(t, inbound.From.Value)
	require.NotEmpty(t, inbound.Said.Kind)
	require.True(t, inbound.Said.Kind.Message() || inbound.Said.About != "")
}
