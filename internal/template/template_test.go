package template_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
	"omnidesk/internal/id"
	"omnidesk/internal/notice"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
	"omnidesk/internal/template"
)

// shop is a company with two connections.
type shop struct {
	*testing.T
	db           *postgres.DB
	company      id.ID
	first, other id.ID
}

func newShop(t *testing.T) *shop {
	db := pgtest.New(t)
	s := &shop{T: t, db: db, company: pgtest.Company(t, db), first: id.New(), other: id.New()}
	owner := pgtest.Owner(t, db)
	for _, connection := range []id.ID{s.first, s.other} {
		_, err := owner.Exec(t.Context(), `INSERT INTO connections (company_id, id, channel, name, app_id, account_id, number_id, webhook_slug, sealed_app_secret, sealed_token, sealed_verify_token)
			VALUES ($1, $2, 'whatsapp_cloud', 'Main', 'app', 'waba', $2::uuid::text, $2::uuid::text, '', '', '')`, s.company, connection)
		require.NoError(t, err)
	}
	return s
}

func (s *shop) replace(connection id.ID, at time.Time, found ...channel.ProviderTemplate) {
	s.Helper()
	require.NoError(s, s.db.InCompany(s.Context(), s.company, func(tx postgres.Tx) error {
		return template.Replace(s.Context(), tx, s.company, connection, found, at)
	}))
}

func (s *shop) list(connection id.ID, after template.Key, limit int) (found []template.Template) {
	s.Helper()
	require.NoError(s, s.db.InCompany(s.Context(), s.company, func(tx postgres.Tx) (err error) {
		found, err = template.List(s.Context(), tx, s.company, connection, nil, after, limit)
		return err
	}))
	return found
}

func provided(name, language, components string, change ...func(*channel.ProviderTemplate)) channel.ProviderTemplate {
	one := channel.ProviderTemplate{Name: name, Language: language, Category: "MARKETING", Status: "APPROVED", Quality: "GREEN", Components: json.RawMessage(components)}
	for _, c := range change {
		c(&one)
	}
	return one
}

const whole = `[{"type":"HEADER","format":"TEXT","text":"Hi"},{"type":"BODY","text":"{{1}}, {{2}} and {{1}}"},{"type":"FOOTER","text":"Bye"},
	{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Stop"}]}]`

func TestASyncReplacesTheSetOfItsConnection(t *testing.T) {
	s := newShop(t)
	start := time.Now()
	s.replace(s.first, start, provided("a", "en", whole), provided("a", "pt_BR", whole), provided("b", "en", whole))
	s.replace(s.other, start, provided("z", "en", whole))
	// an earlier clock, a doubled row and one without a name: the set is that of the later call all the same
	s.replace(s.first, start.Add(-time.Hour), provided("a", "en", `[{"type":"BODY","text":"old"}]`), provided("a", "en", `[{"type":"BODY","text":"new"}]`), provided("", "en", whole))

	found := s.list(s.first, template.Key{}, 10)
	require.Len(t, found, 1)
	require.Equal(t, "new", found[0].Parts.Body)
	require.Len(t, s.list(id.Nil, template.Key{}, 10), 2, "the other connection keeps its own")

	require.NoError(t, s.db.InCompany(t.Context(), s.company, func(tx postgres.Tx) error {
		return template.NoteFailure(t.Context(), tx, s.company, s.first, "The token has expired.")
	}))
	require.Len(t, s.list(s.first, template.Key{}, 10), 1, "a failed sync takes nothing away")
	var syncs []template.Sync
	require.NoError(t, s.db.InCompany(t.Context(), s.company, func(tx postgres.Tx) (err error) {
		syncs, err = template.Syncs(t.Context(), tx, s.company, nil)
		return err
	}))
	require.Len(t, syncs, 2)
	require.Equal(t, "The token has expired.", syncs[0].Problem)
	require.WithinDuration(t, start.Add(-time.Hour), *syncs[0].SyncedAt, time.Millisecond)
	require.Empty(t, syncs[1].Problem)
}

func TestTemplatesByKey(t *testing.T) {
	s := newShop(t)
	s.replace(s.first, time.Now(), provided("b", "en", whole), provided("a", "pt_BR", whole), provided("a", "en", whole))
	var names []string
	for after, more := (template.Key{}), true; more; {
		page := s.list(id.Nil, after, 2)
		for _, one := range page {
			names = append(names, one.Name+" "+one.Language)
			after = template.Key{Connection: one.Connection, Name: one.Name, Language: one.Language}
		}
		more = len(page) == 2
	}
	require.Equal(t, []string{"a en", "a pt_BR", "b en"}, names)

	stranger := pgtest.Company(t, s.db)
	require.NoError(t, s.db.InCompany(t.Context(), stranger, func(tx postgres.Tx) error {
		found, err := template.List(t.Context(), tx, s.company, id.Nil, nil, template.Key{}, 10)
		require.Empty(t, found)
		return err
	}))
}

func TestWhatACampaignCanSend(t *testing.T) {
	s := newShop(t)
	status := func(status, reason string) func(*channel.ProviderTemplate) {
		return func(p *channel.ProviderTemplate) { p.Status, p.RejectedReason = status, reason }
	}
	for name, one := range map[string]struct {
		given      channel.ProviderTemplate
		parameters int
		says       string
	}{
		"whole":      {provided("x", "en", whole), 2, ""},
		"no body":    {provided("x", "en", `[]`), 0, ""},
		"gap":        {provided("x", "en", `[{"type":"body","text":"{{3}} {{ 1 }}"}]`), 3, ""},
		"rejected":   {provided("x", "en", whole, status("REJECTED", "INVALID_FORMAT")), 2, "its form is wrong"},
		"no reason":  {provided("x", "en", whole, status("REJECTED", "")), 2, "it gave no reason"},
		"pending":    {provided("x", "en", whole, status("PENDING", "")), 2, "still reviewing"},
		"paused":     {provided("x", "en", whole, status("PAUSED", "")), 2, "paused it"},
		"disabled":   {provided("x", "en", whole, status("DISABLED", "")), 2, "disabled it for good"},
		"new word":   {provided("x", "en", whole, status("ON_HOLD", "")), 2, "on hold"},
		"image":      {provided("x", "en", `[{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"Hi"}]`), 0, "needs a file (image)"},
		"header":     {provided("x", "en", `[{"type":"HEADER","format":"TEXT","text":"Hi {{1}}"},{"type":"BODY","text":"Hi"}]`), 0, "header has a parameter"},
		"named":      {provided("x", "en", `[{"type":"BODY","text":"Hi {{first_name}}"}]`), 0, "named parameters"},
		"button":     {provided("x", "en", `[{"type":"BODY","text":"Hi"},{"type":"BUTTONS","buttons":[{"type":"URL","text":"Go","url":"https://x/{{1}}"}]}]`), 0, "buttons has a parameter"},
		"code":       {provided("x", "en", whole, func(p *channel.ProviderTemplate) { p.Category = "AUTHENTICATION" }), 2, "one-time code"},
		"carousel":   {provided("x", "en", `[{"type":"BODY","text":"Hi"},{"type":"CAROUSEL"}]`), 0, "carousel"},
		"not a list": {provided("x", "en", `{"type":"BODY"}`), 0, "campaigns can't fill"},
	} {
		t.Run(name, func(t *testing.T) {
			s.replace(s.first, time.Now(), one.given)
			found := s.list(s.first, template.Key{}, 1)[0]
			require.Equal(t, one.parameters, found.Parameters)
			if one.says == "" {
				require.Empty(t, found.Unfit)
			} else {
				require.Contains(t, found.Unfit, one.says)
			}
		})
	}
}

func TestTemplatesThatTheProviderStopsAreTold(t *testing.T) {
	s := newShop(t)
	status := func(to string) func(*channel.ProviderTemplate) {
		return func(p *channel.ProviderTemplate) { p.Status = to }
	}
	told := func() (told []notice.Notice) {
		require.NoError(t, s.db.InCompany(t.Context(), s.company, func(tx postgres.Tx) (err error) {
			told, err = notice.List(t.Context(), tx, s.company, notice.Reader{User: id.New()}, id.Floor(time.Now().Add(time.Hour)), 10, time.Now())
			return err
		}))
		return told
	}
	now := time.Now()
	s.replace(s.first, now, provided("a", "en", "[]"), provided("b", "en", "[]"), provided("old", "en", "[]", status("REJECTED")))
	require.Empty(t, told(), "a first look finds them so")
	stopped := []channel.ProviderTemplate{provided("a", "en", "[]", status("PAUSED")), provided("b", "en", "[]", status("rejected")), provided("old", "en", "[]", status("REJECTED"))}
	s.replace(s.first, now.Add(time.Second), stopped...)
	s.replace(s.first, now.Add(2*time.Second), stopped...)
	require.Len(t, told(), 1)
	require.Equal(t, notice.TemplateStopped, told()[0].Kind)
	require.Equal(t, notice.Connection(s.first), told()[0].About)
	require.Equal(t, 2, told()[0].Count)
}
