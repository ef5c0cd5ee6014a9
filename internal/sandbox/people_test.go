package sandbox_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/sandbox"
	"omnidesk/internal/sandbox/graph"
	"omnidesk/internal/sandbox/world"
)

// heard waits for one event that holds something.
func (h *house) heard(t *testing.T) channel.Event {
	t.Helper()
	select {
	case event := <-h.deliveries:
		return event
	case <-time.After(10 * time.Second):
		require.Fail(t, "no webhook came")
		return channel.Event{}
	}
}

// said waits for what somebody wrote.
func (h *house) said(t *testing.T) channel.Inbound {
	t.Helper()
	for {
		if event := h.heard(t); len(event.Inbound) > 0 {
			require.Len(t, event.Inbound, 1)
			return event.Inbound[0]
		}
	}
}

func (h *house) upload(t *testing.T, mime, name, content string) world.Media {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/sandbox/media?filename="+name, strings.NewReader(content))
	require.NoError(t, err)
	request.Header.Set("Content-Type", mime)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	var media world.Media
	require.NoError(t, json.NewDecoder(response.Body).Decode(&media))
	return media
}

func (h *house) write(t *testing.T, wrote graph.Wrote) string {
	t.Helper()
	if wrote.About == "" {
		wrote.Number = numberID
	}
	var answer struct{ ID string }
	require.NoError(t, json.Unmarshal(h.call(t, http.MethodPost, "/sandbox/phones/"+ana+"/messages", wrote, http.StatusOK), &answer))
	return answer.ID
}

func (h *house) lines(t *testing.T) []world.Line {
	t.Helper()
	var phone world.Phone
	require.NoError(t, json.Unmarshal(h.call(t, http.MethodGet, "/sandbox/phones/"+ana, nil, http.StatusOK), &phone))
	return phone.Lines
}

func TestPeopleWriteEveryKind(t *testing.T) {
	t.Parallel()
	h := newHouse(t, sandbox.Options{})
	photo, sticker := h.upload(t, "image/png", "photo.png", "pixels"), h.upload(t, "image/webp", "", "pixels")
	note, paper := h.upload(t, "audio/ogg; codecs=opus", "", "sound"), h.upload(t, "application/pdf", "bill.pdf", "%PDF")
	film := h.upload(t, "video/mp4", "", "film")
	first := h.write(t, graph.Wrote{Name: "Ana 🌺", Text: "Olá"})
	for name, one := range map[string]struct {
		wrote graph.Wrote
		want  channel.Said
	}{
		"answer":      {graph.Wrote{Text: "again 👍", About: first}, channel.Said{Kind: channel.SaidText, Text: "again 👍", About: first}},
		"forwarded":   {graph.Wrote{Text: "chain", Forwarded: true}, channel.Said{Kind: channel.SaidText, Text: "chain", Forwarded: true}},
		"image":       {graph.Wrote{Kind: "image", Text: "look", Media: photo.ID}, channel.Said{Kind: channel.SaidImage, Text: "look"}},
		"video":       {graph.Wrote{Kind: "video", Media: film.ID}, channel.Said{Kind: channel.SaidVideo}},
		"audio":       {graph.Wrote{Kind: "audio", Media: note.ID}, channel.Said{Kind: channel.SaidAudio}},
		"voice":       {graph.Wrote{Kind: "voice", Media: note.ID}, channel.Said{Kind: channel.SaidVoice}},
		"document":    {graph.Wrote{Kind: "document", Media: paper.ID}, channel.Said{Kind: channel.SaidDocument}},
		"sticker":     {graph.Wrote{Kind: "sticker", Media: sticker.ID}, channel.Said{Kind: channel.SaidSticker}},
		"location":    {graph.Wrote{Kind: "location", Location: &world.Location{Latitude: -8.05, Longitude: -34.9, Name: "Recife"}}, channel.Said{Kind: channel.SaidLocation}},
		"contacts":    {graph.Wrote{Kind: "contacts", Cards: []world.Card{{Name: "Bia Lima", Phone: "+5511999990002", Email: "bia@example.com"}}}, channel.Said{Kind: channel.SaidCards}},
		"reaction":    {graph.Wrote{Kind: "reaction", Text: "❤️", About: first}, channel.Said{Kind: channel.SaidReaction, Text: "❤️", About: first}},
		"edit":        {graph.Wrote{Kind: "edit", Text: "Oi", About: first}, channel.Said{Kind: channel.SaidEdit, Text: "Oi", About: first}},
		"unsupported": {graph.Wrote{Kind: "unsupported"}, channel.Said{Kind: channel.SaidUnsupported, Code: 131051}},
	} {
		for len(h.deliveries) > 0 {
			<-h.deliveries
		}
		sent := h.write(t, one.wrote)
		var got channel.Inbound
		for got.ProviderID != sent {
			got = h.said(t)
		}
		require.Equal(t, one.want.Kind, got.Said.Kind, name)
		require.Equal(t, one.want.Text, got.Said.Text, name)
		require.Equal(t, one.want.About, got.Said.About, name)
		require.Equal(t, one.want.Forwarded, got.Said.Forwarded, name)
		require.Equal(t, one.want.Code, got.Said.Code, name)
		require.Equal(t, "Ana 🌺", got.Name, name)
		require.Equal(t, "+"+ana, got.From.Value, name)
		require.Regexp(t, `^BR\.[0-9]{16}$`, got.Also[0].Value, name)
		switch {
		case one.wrote.Media != "":
			require.Equal(t, one.wrote.Media, got.Said.Media.ProviderID, name)
		case one.wrote.Location != nil:
			require.Equal(t, channel.Location{Latitude: -8.05, Longitude: -34.9, Name: "Recife"}, *got.Said.Location)
		case one.wrote.Cards != nil:
			require.Equal(t, []channel.Card{{Name: "Bia Lima", Phones: []string{"+5511999990002"}, Emails: []string{"bia@example.com"}}}, got.Said.Cards)
		}
	}
	line := h.lines(t)[0]
	require.Equal(t, "Oi", line.Text)
	require.True(t, line.Edited)
	require.Equal(t, "❤️", line.Mine)
	gone := h.write(t, graph.Wrote{Kind: "delete", About: first})
	for got := h.said(t); ; got = h.said(t) {
		if got.ProviderID == gone {
			require.Equal(t, channel.SaidDelete, got.Said.Kind)
			require.Equal(t, first, got.Said.About)
			break
		}
	}
	line = h.lines(t)[0]
	require.True(t, line.Deleted)
	require.Empty(t, line.Text)
}

func TestPeopleAreToldWhatIsWrong(t *testing.T) {
	t.Parallel()
	h := newHouse(t, sandbox.Options{})
	paper := h.upload(t, "application/pdf", "bill.pdf", "%PDF")
	h.write(t, graph.Wrote{Text: "Hi"})
	h.send(t, ana, order())
	in := h.lines(t)[1].ProviderID
	for field, wrote := range map[string]graph.Wrote{
		"number_id": {Number: "1", Text: "Hi"},
		"kind":      {Number: numberID, Kind: "poll"},
		"text":      {Number: numberID, Text: " "},
		"about":     {Number: numberID, Text: "Hi", About: "wamid.none"},
		"media_id":  {Number: numberID, Kind: "image", Media: paper.ID},
		"location":  {Number: numberID, Kind: "location", Location: &world.Location{Latitude: 91}},
		"contacts":  {Number: numberID, Kind: "contacts", Cards: []world.Card{{}}},
		"option":    {Kind: "choice", About: in, Option: "none"},
	} {
		require.Contains(t, string(h.call(t, http.MethodPost, "/sandbox/phones/"+ana+"/messages", wrote, http.StatusUnprocessableEntity)), field+":")
	}
	require.Contains(t, string(h.call(t, http.MethodPost, "/sandbox/phones/"+ana+"/messages", graph.Wrote{Kind: "edit", Text: "mine", About: in}, http.StatusUnprocessableEntity)), "about:")
	h.call(t, http.MethodPost, "/sandbox/phones/"+ana+"/number", map[string]string{"to": ana}, http.StatusUnprocessableEntity)
	require.Len(t, h.lines(t), 2, "what was refused left nothing")
}

func TestPeopleChooseWhatATemplateOffers(t *testing.T) {
	t.Parallel()
	h := newHouse(t, sandbox.Options{})
	h.send(t, ana, channel.Content{Template: &channel.Template{Name: "store_opening", Language: "pt_BR", Parameters: []string{"Ana", "Recife"}}})
	line := h.lines(t)[0]
	require.Equal(t, "template", line.Kind)
	require.Equal(t, []world.Option{{ID: "Quero ir", Title: "Quero ir"}, {ID: "Parar promoções", Title: "Parar promoções"}}, line.Options)
	h.write(t, graph.Wrote{Kind: "choice", About: line.ProviderID, Option: "Parar promoções"})
	got := h.said(t)
	require.Equal(t, channel.Said{Kind: channel.SaidChoice, Text: "Parar promoções", Value: "Parar promoções", About: line.ProviderID}, got.Said)
}

func TestAPhoneThatIsOfflineGetsItLater(t *testing.T) {
	t.Parallel()
	h := newHouse(t, sandbox.Options{})
	h.curve(t, `{"sent_after_ms":1,"delivered_after_ms":1,"read_after_ms":1,"read_share":1}`)
	h.call(t, http.MethodPost, "/sandbox/phones/"+ana+"/online", map[string]bool{"online": false}, http.StatusNoContent)
	h.send(t, ana, order())
	require.Equal(t, channel.StatusSent, h.statuses(t, 1)[0].Kind)
	require.Equal(t, "sent", h.lines(t)[0].Status)
	h.call(t, http.MethodPost, "/sandbox/phones/"+ana+"/online", map[string]bool{"online": true}, http.StatusNoContent)
	got := h.statuses(t, 2)
	require.ElementsMatch(t, []channel.StatusKind{channel.StatusDelivered, channel.StatusRead}, []channel.StatusKind{got[0].Kind, got[1].Kind})
}

func TestWhoWantsNoMarketingGetsNone(t *testing.T) {
	t.Parallel()
	h := newHouse(t, sandbox.Options{})
	h.write(t, graph.Wrote{Text: "Hi"})
	h.said(t)
	h.call(t, http.MethodPost, "/sandbox/phones/"+ana+"/marketing", map[string]bool{"wanted": false}, http.StatusNoContent)
	told := h.heard(t)
	require.Equal(t, "user_preferences", told.Kind)
	require.Contains(t, string(told.Raw), `"category":"marketing_messages","value":"stop"`)
	promo := channel.Content{Template: &channel.Template{Name: "promo_offer", Language: "pt_BR", Parameters: []string{"Ana", "10 %", "X"}}}
	h.send(t, ana, promo)
	got := h.statuses(t, 1)[0]
	require.Equal(t, channel.StatusFailed, got.Kind)
	require.Equal(t, 131050, got.Code)
	h.send(t, ana, order())
	require.Equal(t, channel.StatusSent, h.statuses(t, 1)[0].Kind)
}

func TestPeopleHideAndChangeTheirNumber(t *testing.T) {
	t.Parallel()
	h := newHouse(t, sandbox.Options{})
	h.write(t, graph.Wrote{Name: "Ana", Text: "Hi"})
	userID := h.said(t).Also[0].Value
	h.call(t, http.MethodPost, "/sandbox/phones/"+ana+"/username", map[string]string{"username": "ana.s"}, http.StatusNoContent)
	h.write(t, graph.Wrote{Text: "Who am I?"})
	hidden := h.said(t)
	require.Equal(t, channel.Address{Kind: "bsuid", Value: userID}, hidden.From)
	require.Equal(t, "Ana", hidden.Name)

	out := channel.Outgoing{ID: id.New(), To: channel.Address{Kind: "bsuid", Value: userID}, Content: channel.Content{Text: "Ana!"}}
	outcome := h.adapter.Open(account, 1).Send(t.Context(), out)
	require.Equal(t, channel.Accepted, outcome.Class, outcome.Detail)
	require.Equal(t, "Ana!", h.lines(t)[2].Text, "it arrives on the phone behind the user id")

	const next = "5511988887777"
	h.call(t, http.MethodPost, "/sandbox/phones/"+ana+"/number", map[string]string{"to": next}, http.StatusNoContent)
	moved := h.said(t)
	require.Equal(t, channel.SaidNotice, moved.Said.Kind)
	require.Equal(t, userID, moved.From.Value)
	require.Contains(t, moved.Said.Text, "User Ana changed from "+userID+" to BR.")
	require.Empty(t, h.lines(t), "the thread has gone along")
	h.call(t, http.MethodPost, "/sandbox/phones/"+next+"/username", map[string]string{"username": ""}, http.StatusNoContent)
	h.call(t, http.MethodPost, "/sandbox/phones/"+next+"/messages", graph.Wrote{Number: numberID, Text: "Me again"}, http.StatusOK)
	again := h.said(t)
	require.Equal(t, "+"+next, again.From.Value)
	require.NotEqual(t, userID, again.Also[0].Value)
	h.call(t, http.MethodPost, "/sandbox/phones/"+next+"/number", map[string]string{"to": ana}, http.StatusNoContent)
	require.Contains(t, h.said(t).Said.Text, "User Ana changed from "+next+" to "+ana)
}

func TestWebhooksComeTwiceLateAndInAnyOrder(t *testing.T) {
	t.Parallel()
	h := newHouse(t, sandbox.Options{})
	h.call(t, http.MethodPut, "/sandbox/faults", []world.Fault{{Webhooks: &world.HookFault{DoubleShare: 1, Shuffle: true, LateShare: 0.5, LateByMS: 100}}}, http.StatusNoContent)
	seen := map[string]int{}
	var order []string
	for range 20 {
		h.write(t, graph.Wrote{Text: "Hi"})
	}
	for range 40 {
		got := h.said(t)
		if seen[got.ProviderID]++; seen[got.ProviderID] == 1 {
			order = append(order, got.ProviderID)
		}
	}
	require.Len(t, seen, 20)
	for wamid, times := range seen {
		require.Equal(t, 2, times, wamid)
	}
	var written []string
	for _, line := range h.lines(t) {
		written = append(written, line.ProviderID)
	}
	require.NotEqual(t, written, order)
	for _, unfit := range []world.HookFault{{DoubleShare: 2}, {LateByMS: -1}} {
		h.call(t, http.MethodPut, "/sandbox/faults", []world.Fault{{Webhooks: &unfit}}, http.StatusUnprocessableEntity)
	}
	require.Equal(t, channel.Accepted, func() channel.Class { _, o := h.send(t, ana, channel.Content{Text: "fine"}); return o.Class }(), "sends are not met")
}

func TestBatchedWebhooksHoldSeveralCompaniesOfAnApp(t *testing.T) {
	t.Parallel()
	h := newHouse(t, sandbox.Options{})
	var numbers []graph.Number
	require.NoError(t, json.Unmarshal(h.call(t, http.MethodGet, "/sandbox/numbers", nil, http.StatusOK), &numbers))
	h.call(t, http.MethodPut, "/sandbox/numbers/2002", map[string]any{"account_id": "100300", "app_id": "4711", "app_secret": secret, "webhook_url": numbers[0].WebhookURL + "/other"}, http.StatusNoContent)
	h.call(t, http.MethodPut, "/sandbox/faults", []world.Fault{{Webhooks: &world.HookFault{Batch: true}}}, http.StatusNoContent)
	for range 20 { // a second may end between two of them, but not between all
		h.write(t, graph.Wrote{Text: "one"})
		h.call(t, http.MethodPost, "/sandbox/phones/"+ana+"/messages", graph.Wrote{Number: "2002", Text: "two"}, http.StatusOK)
	}
	told := map[string]int{}
	for range 40 {
		told[h.heard(t).NumberID]++
	}
	require.Equal(t, map[string]int{numberID: 20, "2002": 20}, told)
	require.Less(t, h.hooks(t).Posts, int64(10))
}

func TestMediaOfPeopleIsShownSafely(t *testing.T) {
	t.Parallel()
	h := newHouse(t, sandbox.Options{})
	get := func(id string) *http.Response {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+"/sandbox/media/"+id, nil)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response
	}
	require.Equal(t, "image/png", get(h.upload(t, "image/png", "", "pixels").ID).Header.Get("Content-Type"))
	page := get(h.upload(t, "text/html", "page.html", "<script>").ID)
	require.Equal(t, "application/octet-stream", page.Header.Get("Content-Type"))
	require.Contains(t, page.Header.Get("Content-Disposition"), "attachment")
	require.Equal(t, http.StatusNotFound, get("1").StatusCode)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/sandbox/media", bytes.NewReader(nil))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusUnprocessableEntity, response.StatusCode)
}

func TestThePageShowsEachKindAndTrustsNoText(t *testing.T) {
	t.Parallel()
	h := newHouse(t, sandbox.Options{})
	first := h.write(t, graph.Wrote{Name: "<b>Ana</b>", Text: "<script>alert(1)</script>"})
	h.write(t, graph.Wrote{Text: "again", About: first})
	h.write(t, graph.Wrote{Kind: "image", Media: h.upload(t, "image/png", "", "pixels").ID})
	h.write(t, graph.Wrote{Kind: "document", Media: h.upload(t, "application/pdf", "bill.pdf", "%PDF").ID})
	h.write(t, graph.Wrote{Kind: "unsupported"})
	h.send(t, ana, channel.Content{Template: &channel.Template{Name: "store_opening", Language: "pt_BR", Parameters: []string{"Ana", "Recife"}}})
	page := string(h.call(t, http.MethodGet, "/?phone="+ana, nil, http.StatusOK))
	for _, part := range []string{"&lt;script&gt;", "<blockquote>&lt;script", `<img src="/sandbox/media/`, "bill.pdf", "does not pass on", `data-option="Quero ir"`, "Abrimos em breve"} {
		require.Contains(t, page, part)
	}
	require.NotContains(t, page, "<script>alert")
	require.NotContains(t, page, "<b>Ana</b>")
}
