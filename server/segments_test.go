package server

import (
	"fmt"
	"strings"
	"time"

	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/send"
	"omnidesk/internal/sheet"
)

func TestContactsAreChosenBySearchSegmentAndFilter(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	for _, body := range []string{
		`{"name":"José da Silva","phone":"+5511990000100","tags":["vip"],"attributes":{"city":"Recife"}}`,
		`{"name":"Mariana Souza","phone":"+5521990000200","attributes":{"city":"Natal"}}`,
	} {
		as[Contact](t, c.do(http.MethodPost, "/api/v1/contacts", body), http.StatusCreated)
	}
	segment := as[Segment](t, c.do(http.MethodPost, "/api/v1/segments", `{"name":"In Recife","filter":"city = Recife"}`), http.StatusCreated)
	for query, want := range map[string]string{
		"q=jose": "José da Silva", "q=990000200": "Mariana Souza", "segment_id=" + segment.ID: "José da Silva",
		"filter=" + url.QueryEscape(`not tag:"vip"`):                            "Mariana Souza",
		"q=souza&filter=" + url.QueryEscape(`city starts na and not opted_out`): "Mariana Souza",
	} {
		list := as[ContactList](t, c.do(http.MethodGet, "/api/v1/contacts?"+query, nil), http.StatusOK)
		require.Len(t, list.Items, 1, query)
		require.Equal(t, want, list.Items[0].Name, query)
		require.Empty(t, list.NextCursor)
		require.Equal(t, Count{Count: 1}, as[Count](t, c.do(http.MethodGet, "/api/v1/contacts/count?"+query, nil), http.StatusOK), query)
	}
	for query, field := range map[string]string{
		"filter=" + url.QueryEscape(`city = Recife and`):                           "query.filter",
		"tag_id=01a20000-0000-7000-8000-000000000000":                              "query.tag_id",
		"segment_id=01a20000-0000-7000-8000-000000000000":                          "query.segment_id",
		"segment_id=" + segment.ID + "&filter=" + url.QueryEscape(`city = Recife`): "query.filter",
	} {
		for _, path := range []string{"/api/v1/contacts?", "/api/v1/contacts/count?"} {
			require.Equal(t, []string{field}, c.do(http.MethodGet, path+query, nil).problem(t, http.StatusUnprocessableEntity).fields(), query)
		}
	}
	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	bob := x.signIn(t, "bob@example.com")
	require.Equal(t, []string{"query.segment_id"}, bob.do(http.MethodGet, "/api/v1/contacts?segment_id="+segment.ID, nil).problem(t, http.StatusUnprocessableEntity).fields())
	require.Empty(t, as[ContactList](t, bob.do(http.MethodGet, "/api/v1/contacts?q=jose", nil), http.StatusOK).Items)
	require.NotContains(t, x.log.String(), "jose", "what is searched for is in no log")
}

func TestASegmentIsChangedByVersionAndKeptWhileInUse(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	made := as[Segment](t, c.do(http.MethodPost, "/api/v1/segments", `{"name":"VIPs","filter":"tag:vip"}`), http.StatusCreated)
	bad := c.do(http.MethodPost, "/api/v1/segments", `{"name":"Bad","filter":"tag:vip and"}`)
	require.Equal(t, []string{"body.filter"}, bad.problem(t, http.StatusUnprocessableEntity).fields())
	require.Contains(t, bad.body, `"value":{"at":11,"end":11}`)
	require.Equal(t, []string{"body.name"}, c.do(http.MethodPost, "/api/v1/segments", `{"name":"vips","filter":"tag:vip"}`).problem(t, http.StatusUnprocessableEntity).fields())

	path := "/api/v1/segments/" + made.ID
	changed := as[Segment](t, c.do(http.MethodPatch, path, `{"version":1,"filter":"tag:vip and has city"}`), http.StatusOK)
	require.Equal(t, 2, changed.Version)
	require.Contains(t, c.do(http.MethodPatch, path, `{"version":1,"name":"Mine"}`).problem(t, http.StatusConflict).Detail, "load it again")
	require.Equal(t, []Segment{changed}, as[SegmentList](t, c.do(http.MethodGet, "/api/v1/segments", nil), http.StatusOK).Items)

	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	bob := x.signIn(t, "bob@example.com")
	for method, body := range map[string]any{http.MethodGet: nil, http.MethodPatch: `{"version":2,"name":"Mine"}`, http.MethodDelete: nil} {
		bob.do(method, path, body).problem(t, http.StatusNotFound)
	}
	require.Equal(t, http.StatusNoContent, c.do(http.MethodDelete, path, nil).status)
	c.do(http.MethodGet, path, nil).problem(t, http.StatusNotFound)
}

func TestManyContactsAreTaggedAtOnce(t *testing.T) {
	x := newSite(t)
	x.addUser(t, &x.theirs, "bob@example.com", account.Admin, false)
	c, bob := x.signIn(t, "ana@example.com"), x.signIn(t, "bob@example.com")
	var ids []string
	for _, name := range []string{"José da Silva", "Mariana Souza", "Ana Souza"} {
		made := as[Contact](t, c.do(http.MethodPost, "/api/v1/contacts", map[string]string{"name": name, "phone": "+55119900001" + fmt.Sprintf("%02d", len(ids))}), http.StatusCreated)
		ids = append(ids, made.ID)
	}
	theirs := as[Contact](t, bob.do(http.MethodPost, "/api/v1/contacts", `{"name":"Other Souza","phone":"+5511990000199"}`), http.StatusCreated)
	for _, step := range []struct {
		body string
		want int64
	}{
		{`{"add":["vip","new"],"ids":["` + ids[0] + `","` + theirs.ID + `"]}`, 1},
		{`{"add":["vip"],"q":"souza"}`, 2},
		{`{"add":["vip"],"q":"souza"}`, 0},
		{`{"remove":["vip","nothing"],"filter":"name contains mariana"}`, 1},
		{`{"remove":["new"]}`, 1},
		{`{"add":["all"]}`, 3},
	} {
		require.Equal(t, Changed{step.want}, as[Changed](t, c.do(http.MethodPost, "/api/v1/contacts/tags", step.body), http.StatusOK), step.body)
	}
	counts := map[string]int64{}
	for _, tag := range as[TagList](t, c.do(http.MethodGet, "/api/v1/tags", nil), http.StatusOK).Items {
		counts[tag.Name] = tag.Contacts
	}
	require.Equal(t, map[string]int64{"vip": 2, "new": 0, "all": 3}, counts)
	require.Empty(t, as[Contact](t, bob.do(http.MethodGet, "/api/v1/contacts/"+theirs.ID, nil), http.StatusOK).Tags)
	for body, field := range map[string]string{
		`{}`: "body.add", `{"add":["a"],"remove":["b"]}`: "body.add", `{"add":[" "]}`: "body.tags", `{"add":["a"],"ids":["x"]}`: "body.ids",
		`{"add":["a"],"ids":["` + ids[0] + `"],"q":"x"}`: "body.ids", `{"add":["a"],"filter":"tag:"}`: "query.filter",
	} {
		require.Equal(t, []string{field}, c.do(http.MethodPost, "/api/v1/contacts/tags", body).problem(t, http.StatusUnprocessableEntity).fields(), body)
	}
}

func TestTheLaterOfTwoEditsIsTold(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	made := as[Contact](t, c.do(http.MethodPost, "/api/v1/contacts", `{"name":"José","phone":"+5511990000100","tags":["vip"]}`), http.StatusCreated)
	path := "/api/v1/contacts/" + made.ID
	changed := as[Contact](t, c.do(http.MethodPatch, path, `{"name":"José da Silva","version":"`+made.Version+`"}`), http.StatusOK)
	require.NotEqual(t, made.Version, changed.Version)
	c.do(http.MethodPatch, path, `{"name":"Zé","version":"`+made.Version+`"}`).problem(t, http.StatusConflict)
	c.do(http.MethodPost, "/api/v1/contacts/tags", `{"add":["new"]}`)
	c.do(http.MethodPatch, path, `{"tags":["vip"],"version":"`+changed.Version+`"}`).problem(t, http.StatusConflict)
	now := as[Contact](t, c.do(http.MethodGet, path, nil), http.StatusOK)
	require.Equal(t, "José da Silva", now.Name)
	require.Len(t, now.Tags, 2)
}

func TestContactsAreExportedAsChosen(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	for _, body := range []string{
		`{"name":"=1+1","phone":"+5511990000100","zone":"America/Manaus","tags":["vip","a;b"],"attributes":{"city":"Recife"}}`,
		`{"name":"Mariana","phone":"+5521990000200","attributes":{"age":"30"}}`,
	} {
		as[Contact](t, c.do(http.MethodPost, "/api/v1/contacts", body), http.StatusCreated)
	}
	a := c.do(http.MethodGet, "/api/v1/contacts/export", nil)
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, sheet.CSV.MediaType(), a.header.Get("Content-Type"))
	require.Equal(t, `attachment; filename=contacts.csv`, a.header.Get("Content-Disposition"))
	today := time.Now().UTC().Format("2006-01-02")
	require.Equal(t, "name,phone,zone,tags,opted out,created,age,city\r\nMariana,'+5521990000200,,,,"+today+",30,\r\n'=1+1,'+5511990000100,America/Manaus,\"a;b;vip\",,"+today+",,Recife\r\n", a.body)
	require.NotContains(t, c.do(http.MethodGet, "/api/v1/contacts/export?q=mariana", nil).body, "Recife")
	require.Equal(t, []string{"query.filter"}, c.do(http.MethodGet, "/api/v1/contacts/export?filter=tag:", nil).problem(t, http.StatusUnprocessableEntity).fields())
	xlsx := c.do(http.MethodGet, "/api/v1/contacts/export?format=xlsx", nil)
	require.Equal(t, sheet.XLSX.MediaType(), xlsx.header.Get("Content-Type"))
	require.True(t, strings.HasPrefix(xlsx.body, "PK"))
}

func TestATimelineIsInOneOrderAcrossItsPages(t *testing.T) {
	base := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return base.Add(time.Duration(minutes) * time.Minute) }
	var messages []send.ContactMessage
	for _, minutes := range []int{50, 40, 30, 10} {
		messages = append(messages, send.ContactMessage{ListCampaignRow: send.ListCampaignRow{ID: id.Floor(at(minutes))}})
	}
	said := `{"kind":"image","text":"look"}`
	messages[1].From, messages[1].Content = &send.Wrote{ConnectionName: "Sales"}, &said
	events := []contact.Event{{At: at(0), Kind: contact.EventCreated}, {At: at(20), Kind: contact.EventImported}, {At: at(60), Kind: contact.EventOptedOut}}
	first := timeline(messages, events, contact.First, 3)
	second := timeline(messages[3:], events, messages[2].ID, 3)
	require.Empty(t, second.NextCursor)
	var kinds []string
	for i, e := range append(first.Items, second.Items...) {
		kinds = append(kinds, e.Kind)
		require.Equal(t, at(60-i*10), e.At)
	}
	require.Equal(t, []string{"opted_out", "message", "wrote", "message", "imported", "message", "created"}, kinds)
	require.NotEmpty(t, first.NextCursor)
	require.Equal(t, "Photo: look", first.Items[2].Text)
}
