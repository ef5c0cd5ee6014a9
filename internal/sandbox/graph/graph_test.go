package graph_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"omnidesk/internal/sandbox/graph"
	"omnidesk/internal/sandbox/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newServer(t *testing.T, strict bool) *graph.Server {
	t.Helper()
	dir := t.TempDir()
	ledger, err := world.OpenLedger(filepath.Join(dir, "ledger.jsonl"), world.LedgerWritten)
	require.NoError(t, err)
	people, err := world.LoadPeople(filepath.Join(dir, "people.json"))
	require.NoError(t, err)
	store, err := world.OpenStore(filepath.Join(dir, "media"))
	require.NoError(t, err)
	ground := &world.World{Ledger: ledger, People: people, Store: store}
	ground.Curves.Set(world.DefaultCurve)
	server, err := graph.New(ground, graph.Options{StatePath: filepath.Join(dir, "graph.json"), Strict: strict})
	require.NoError(t, err)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, ledger.Close())
	})
	return server
}

func ask(server http.Handler, method, target, token, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, target, strings.NewReader(body))
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	recorder := httptest.NewRecorder()
	server.ServeHTTP(recorder, request)
	return recorder
}

// envelope reads the error of an answer and checks its shape.
func envelope(t *testing.T, recorder *httptest.ResponseRecorder) (code, subcode int) {
	t.Helper()
	var answer struct {
		Error struct {
			Message, Type string
			Code          int
			Subcode       int    `json:"error_subcode"`
			Trace         string `json:"fbtrace_id"`
		}
	}
	require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &answer), recorder.Body.String())
	require.NotEmpty(t, answer.Error.Message)
	require.NotEmpty(t, answer.Error.Type)
	require.NotEmpty(t, answer.Error.Trace)
	return answer.Error.Code, answer.Error.Subcode
}

func template(name, language string, parameters ...string) string {
	list := []map[string]string{}
	for _, parameter := range parameters {
		list = append(list, map[string]string{"type": "text", "text": parameter})
	}
	raw, _ := json.Marshal(list)
	return fmt.Sprintf(`{"messaging_product":"whatsapp","to":"5511999990001","type":"template","template":{"name":%q,"language":{"code":%q},
		"components":[{"type":"body","parameters":%s}]}}`, name, language, raw)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	server := newServer(t, false)
	text := `{"messaging_product":"whatsapp","to":"5511999990001","type":"text","text":{"body":"hi"}}`
	for _, one := range []struct {
		name, method, path, token, body string
		status, code, subcode           int
	}{
		{"no token", "POST", "/v25.0/106/messages", "", text, 401, 190, 467},
		{"bad token", "POST", "/v25.0/106/messages", "invalid", text, 401, 190, 467},
		{"expired token", "POST", "/v25.0/106/messages", "expired", text, 401, 190, 463},
		{"denied token", "POST", "/v25.0/106/messages", "denied", text, 403, 10, 0},
		{"old version", "POST", "/v22.0/106/messages", "t", text, 400, 2635, 0},
		{"no version", "POST", "/106/messages", "t", text, 400, 2635, 0},
		{"no path", "POST", "/", "t", text, 400, 2635, 0},
		{"number that is none", "POST", "/v25.0/me/messages", "t", text, 400, 100, 33},
		{"unknown edge", "POST", "/v25.0/106/nonsense", "t", text, 400, 100, 33},
		{"no JSON", "POST", "/v25.0/106/messages", "t", "{", 400, 100, 0},
		{"wrong product", "POST", "/v25.0/106/messages", "t", `{"to":"5511999990001"}`, 400, 100, 0},
		{"no recipient", "POST", "/v25.0/106/messages", "t", `{"messaging_product":"whatsapp","type":"text"}`, 400, 131008, 0},
		{"no phone", "POST", "/v25.0/106/messages", "t", `{"messaging_product":"whatsapp","to":"abc","type":"text"}`, 400, 131009, 0},
		{"no text", "POST", "/v25.0/106/messages", "t", `{"messaging_product":"whatsapp","to":"5511999990001","type":"text"}`, 400, 131008, 0},
		{"long text", "POST", "/v25.0/106/messages", "t", strings.Replace(text, "hi", strings.Repeat("é", 4097), 1), 400, 131009, 0},
		{"window closed", "POST", "/v25.0/106/messages", "t", text, 400, 131047, 0},
		{"unknown type", "POST", "/v25.0/106/messages", "t", `{"messaging_product":"whatsapp","to":"5511999990001","type":"fax"}`, 400, 131051, 0},
		{"long opaque data", "POST", "/v25.0/106/messages", "t", strings.Replace(text, "{", `{"biz_opaque_callback_data":"`+strings.Repeat("x", 513)+`",`, 1), 400, 131009, 0},
		{"template without name", "POST", "/v25.0/106/messages", "t", template("", "en_US"), 400, 131008, 0},
		{"unknown template", "POST", "/v25.0/106/messages", "t", template("nope", "en_US"), 404, 132001, 0},
		{"unknown language", "POST", "/v25.0/106/messages", "t", template("hello_world", "xx"), 404, 132001, 0},
		{"too few parameters", "POST", "/v25.0/106/messages", "t", template("order_update", "en_US", "Ana"), 400, 132000, 0},
		{"too many parameters", "POST", "/v25.0/106/messages", "t", template("hello_world", "en_US", "Ana"), 400, 132000, 0},
		{"newline in a parameter", "POST", "/v25.0/106/messages", "t", template("order_update", "en_US", "A\nna", "1"), 400, 132012, 0},
		{"empty parameter", "POST", "/v25.0/106/messages", "t", template("order_update", "en_US", "", "1"), 400, 132012, 0},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			answer := ask(server, one.method, one.path, one.token, one.body)
			require.Equal(t, one.status, answer.Code, answer.Body.String())
			code, subcode := envelope(t, answer)
			require.Equal(t, one.code, code)
			require.Equal(t, one.subcode, subcode)
		})
	}
}

func TestAccepts(t *testing.T) {
	t.Parallel()
	server := newServer(t, false)
	ids := map[string]bool{}
	for range 3 {
		answer := ask(server, "POST", "/v23.0/106/messages", "t", strings.Replace(template("promo_offer", "id", "Ana", "10 %", "X"), "5511", "+5511", 1))
		require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
		var accepted struct {
			Product  string                         `json:"messaging_product"`
			Contacts []struct{ Input, WaID string } `json:"contacts"`
			Messages []struct{ ID string }          `json:"messages"`
		}
		require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &accepted))
		require.Equal(t, "whatsapp", accepted.Product)
		require.Equal(t, "+5511999990001", accepted.Contacts[0].Input)
		ids[accepted.Messages[0].ID] = true
	}
	require.Len(t, ids, 3)
	require.JSONEq(t, `{"success":true}`, ask(server, "POST", "/v25.0/106/messages", "t", `{"messaging_product":"whatsapp","status":"read","message_id":"x"}`).Body.String())
}

func TestStrictKnowsRegisteredNumbersAlone(t *testing.T) {
	t.Parallel()
	server := newServer(t, true)
	code, subcode := envelope(t, ask(server, "POST", "/v25.0/106/messages", "t", template("hello_world", "en_US")))
	require.Equal(t, []int{100, 33}, []int{code, subcode})
	require.NoError(t, server.PutNumber(graph.Number{ID: "106", Display: "+1 201-555-0142", AccountID: "100"}))
	require.Equal(t, http.StatusOK, ask(server, "POST", "/v25.0/106/messages", "t", template("hello_world", "en_US")).Code)

	require.JSONEq(t, `{"id":"106","display_phone_number":"+1 201-555-0142"}`, ask(server, "GET", "/v25.0/106?fields=id,display_phone_number", "t", "").Body.String())
	require.Contains(t, ask(server, "GET", "/v25.0/100/phone_numbers", "t", "").Body.String(), `"id":"106"`)
	code, _ = envelope(t, ask(server, "POST", "/v25.0/106/messages", "t", strings.Replace(template("hello_world", "en_US"), "5511999990001", "12015550142", 1)))
	require.Equal(t, 131021, code)

	require.Error(t, server.PutNumber(graph.Number{ID: "x"}))
	require.Error(t, server.PutNumber(graph.Number{ID: "1", WebhookURL: "ftp://x"}))
	require.Error(t, server.PutApp(graph.App{ID: "1"}))
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	server := newServer(t, false)
	require.NoError(t, server.PutTemplate(graph.Template{Name: "vip", Language: "de", Body: "Hallo {{1}}"}))
	require.Error(t, server.PutTemplate(graph.Template{Name: "vip"}))
	list := ask(server, "GET", "/v25.0/100/message_templates?name=vip", "t", "").Body.String()
	require.Contains(t, list, `"status":"APPROVED"`)
	require.Contains(t, list, "Hallo {{1}}")
	require.NotContains(t, list, "hello_world")
	require.Equal(t, http.StatusOK, ask(server, "POST", "/v25.0/106/messages", "t", template("vip", "de", "Ana")).Code)
	require.JSONEq(t, `{"success":true}`, ask(server, "DELETE", "/v25.0/100/subscribed_apps", "t", "").Body.String())
}

func TestTemplatesByPageAndField(t *testing.T) {
	server := newServer(t, false)
	type list struct {
		Data   []map[string]any
		Paging struct {
			Next    string
			Cursors struct{ After string }
		}
	}
	get := func(query string) (answer list) {
		recorder := ask(server, http.MethodGet, "/v25.0/200/message_templates?"+query, "token", "")
		require.Equal(t, http.StatusOK, recorder.Code, recorder.Body.String())
		require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &answer))
		return answer
	}
	var names []string
	for query := "fields=name,language&limit=3"; ; {
		page := get(query)
		for _, one := range page.Data {
			require.Len(t, one, 3, "the fields asked for and the id")
			names = append(names, fmt.Sprint(one["name"], " ", one["language"]))
		}
		if page.Paging.Next == "" {
			break
		}
		query = "fields=name,language&limit=3&after=" + page.Paging.Cursors.After
	}
	require.Len(t, names, len(server.Templates()))
	require.IsIncreasing(t, names)
	require.Len(t, get("name=hello_world").Data, 5)
	code, _ := envelope(t, ask(server, http.MethodGet, "/v25.0/200/message_templates?limit=no", "token", ""))
	require.Equal(t, 100, code)
}

func TestATemplateThatIsNotApprovedIsRefused(t *testing.T) {
	server := newServer(t, false)
	for name, want := range map[string]int{"delivery_survey en_US": 132015, "winter_sale pt_BR": 132001, "loyalty_invite en_US": 132001, "catalog_photo en_US": 132012} {
		name, language, _ := strings.Cut(name, " ")
		body := template(name, language, "Ana", "7")
		code, _ := envelope(t, ask(server, http.MethodPost, "/v25.0/300/messages", "token", body))
		require.Equal(t, want, code, name)
	}
}
