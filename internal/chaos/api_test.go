package chaos

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
	"omnidesk/internal/sandbox/world"
)

// api speaks JSON to one base address and keeps its cookies.
type api struct {
	t      *testing.T
	base   string
	client http.Client
}

func newAPI(t *testing.T, base string) *api {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &api{t: t, base: base, client: http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

func (a *api) in(t *testing.T) *api {
	return &api{t: t, base: a.base, client: a.client}
}

// call returns an error for every answer that is not a success.
func (a *api) call(method, path, contentType string, body io.Reader, into any) error {
	request, err := http.NewRequestWithContext(context.Background(), method, a.base+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", contentType)
	response, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

func (a *api) must(method, path string, body, into any) {
	a.t.Helper()
	text, err := json.Marshal(body)
	require.NoError(a.t, err)
	require.NoError(a.t, a.call(method, path, "application/json", bytes.NewReader(text), into))
}

func (a *api) get(path string, into any) error {
	return a.call(http.MethodGet, path, "application/json", http.NoBody, into)
}

// campaign is what the tests read of one.
type campaign struct {
	ID         string `json:"id"`
	State      string `json:"state"`
	Recipients int    `json:"recipients"`
	Counts     struct {
		Planned, Queued, Sending, Sent, Delivered, Read, Failed, Uncertain int
	} `json:"counts"`
	Waits []struct{ Kind string }
}

// firstNumber of the imported contacts, after +55119.
const firstNumber = 10_000_000

func (h *house) importContacts(n int) {
	var csv strings.Builder
	csv.WriteString("phone,name,city\n")
	for i := range n {
		fmt.Fprintf(&csv, "+55119%08d,Person %d,Recife\n", firstNumber+i, i)
	}
	var imported struct {
		ID, State string
		Counts    struct{ Added int }
	}
	await := func(state string) {
		h.t.Helper()
		require.Eventually(h.t, func() bool { return h.api.get("/imports/"+imported.ID, &imported) == nil && imported.State == state }, deadline, poll, "the import is "+state)
	}
	require.NoError(h.t, h.api.call(http.MethodPost, "/imports", "text/csv", strings.NewReader(csv.String()), &imported))
	await("ready")
	h.api.must(http.MethodPost, "/imports/"+imported.ID+"/start", map[string]int{"version": 1}, nil)
	await("finished")
	require.Equal(h.t, n, imported.Counts.Added)
}

// start makes a campaign to all contacts and starts it.
func (h *house) start(name string) string {
	var made campaign
	h.api.must(http.MethodPost, "/campaigns", map[string]any{
		"name": name, "connection_id": h.connection, "audience": map[string]any{"all": true},
		"content": map[string]any{"kind": "template", "template": map[string]any{"name": "order_update", "language": "en_US", "parameters": []string{"{{first_name|friend}}", "{{city}}"}}},
	}, &made)
	h.api.must(http.MethodPost, "/campaigns/"+made.ID+"/start", nil, nil)
	return made.ID
}

// awaitCampaign polls until the campaign is as wanted. While a part is dead there may be no answer.
func (h *house) awaitCampaign(campaignID, what string, wanted func(campaign) bool) campaign {
	h.t.Helper()
	var c campaign
	require.Eventually(h.t, func() bool {
		var now campaign
		if h.api.get("/campaigns/"+campaignID, &now) != nil {
			return false
		}
		c = now
		return wanted(c)
	}, 2*time.Minute, 100*time.Millisecond, "waiting until the campaign %s; it is now: %+v", what, &c)
	return c
}

// listed returns all messages of one state as the API pages through them.
func (h *house) listed(campaignID, state string) map[id.ID]bool {
	found := map[id.ID]bool{}
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				ID    id.ID  `json:"id"`
				State string `json:"state"`
			} `json:"items"`
			NextCursor string `json:"next_cursor"`
		}
		query := url.Values{"state": {state}, "limit": {"200"}, "cursor": {cursor}}
		require.NoError(h.t, h.api.get("/campaigns/"+campaignID+"/messages?"+query.Encode(), &page))
		for _, item := range page.Items {
			require.Equal(h.t, state, item.State)
			found[item.ID] = true
		}
		if cursor = page.NextCursor; cursor == "" {
			return found
		}
	}
}

// uncertainOutside are the uncertain messages outside campaigns, as the API lists them.
func (h *house) uncertainOutside() map[id.ID]bool {
	found := map[id.ID]bool{}
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				ID           id.ID  `json:"id"`
				CampaignName string `json:"campaign_name"`
			} `json:"items"`
			NextCursor string `json:"next_cursor"`
		}
		require.NoError(h.t, h.api.get("/uncertain?"+url.Values{"limit": {"200"}, "cursor": {cursor}}.Encode(), &page))
		for _, item := range page.Items {
			if item.CampaignName == "" {
				found[item.ID] = true
			}
		}
		if cursor = page.NextCursor; cursor == "" {
			return found
		}
	}
}

// accepted counts what the sandbox has accepted since it began.
func (h *house) accepted() (n int64) {
	var answer struct{ Count int64 }
	require.NoError(h.t, h.sandbox.get("/ledger/count", &answer))
	return answer.Count
}

// ledger returns what the sandbox accepted from a line on.
func (h *house) ledger(since int64) []world.Entry {
	response, err := h.sandbox.client.Get(fmt.Sprintf("%s/ledger?since=%d", h.sandbox.base, since))
	require.NoError(h.t, err)
	defer response.Body.Close()
	var entries []world.Entry
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		var entry world.Entry
		require.NoError(h.t, json.Unmarshal(lines.Bytes(), &entry))
		entries = append(entries, entry)
	}
	require.NoError(h.t, lines.Err())
	return entries
}

// slow makes every send take so long before it is accepted.
func (h *house) slow(delay time.Duration) {
	h.sandbox.must(http.MethodPut, "/faults", []world.Fault{{DelayMS: int(delay.Milliseconds())}}, nil)
}
