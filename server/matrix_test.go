package server

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
)

// TestMatrix calls every route as everybody, about their own rows and about those of another company. What must come of
// it stands in the table of authz.go; what a valid request looks like, in the API's document and in examples. It prints
// its figures to the file that OMNIDESK_FIGURES names: make matrix.
func TestMatrix(t *testing.T) {
	w := newWorld(t)
	schemas = w.api.OpenAPI().Components.Schemas
	for _, one := range w.calls() {
		w.try(one)
	}
	w.look("the log", w.log.String())
	scraped := httptest.NewRecorder()
	w.metricsHandler().ServeHTTP(scraped, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	w.look("the metrics", scraped.Body.String())
	var wakes string
	require.NoError(t, w.owner.QueryRow(t.Context(), `SELECT coalesce(string_agg(w::text, ' '), '') FROM wakes w`).Scan(&wakes))
	w.look("what Temporal is told", wakes)
	w.print()
	require.Empty(t, w.mismatches)
	require.Empty(t, w.hits)
	require.Greater(t, w.tries, 1500)
}

// call is one route with a valid request about some subjects.
type call struct {
	name, method, path string // of the table; the path with {id}
	operation          *huma.Operation
	example
}

// calls are all routes, in the order of their names.
func (w *world) calls() (calls []call) {
	for route, name := range walkRoutes(w.T, w.Server) {
		method, path, _ := strings.Cut(route, " ")
		path = regexp.MustCompile(`[:*]([a-z]+)`).ReplaceAllString(path, "{$1}")
		calls = append(calls, call{name: name, method: method, path: path, example: examples[name]})
	}
	byName := map[string]*huma.Operation{}
	for _, o := range operations(w.api.OpenAPI()) {
		byName[o.OperationID] = o
	}
	for i := range calls {
		calls[i].operation = byName[calls[i].name]
	}
	for name := range examples {
		require.True(w, slices.ContainsFunc(calls, func(c call) bool { return c.name == name }), "there is an example of %s, which does not exist", name)
	}
	slices.SortFunc(calls, func(a, b call) int { return strings.Compare(a.name+a.method+a.path, b.name+b.method+b.path) })
	return calls
}

// try makes all calls of one route, and sees that those of A change nothing of B, and those of B nothing of A.
func (w *world) try(c call) {
	rule := table[c.name]
	before := w.rowsOf(w.theirs)
	for _, of := range ofA {
		want := expected(rule, of)
		mine := w.a
		if want == 0 && c.changes() {
			mine = w.subjects(w.mine) // what an earlier one did is not in the way
			w.bring(c, mine)
		}
		w.one(c, of, "own ids", mine, c.wanted(rule, of, want))
		for _, field := range c.idFields() {
			w.foreign(c, of, field, mine, w.b, want)
		}
	}
	if !c.leaves {
		w.same(c, "B", before, w.rowsOf(w.theirs))
	}
	before = w.rowsOf(w.mine)
	if len(c.idFields()) > 0 || !c.changes() { // a change without any id can only be about their own company
		want := expected(rule, otherCompany)
		for _, field := range c.idFields() {
			w.foreign(c, otherCompany, field, w.b, w.a, want)
		}
		if !c.changes() {
			w.one(c, otherCompany, "own ids", w.b, c.wanted(rule, otherCompany, want))
		}
	}
	w.same(c, "A", before, w.rowsOf(w.mine))
}

// bring brings what a call is about into the state for it.
func (w *world) bring(c call, about subjects) {
	switch {
	case c.before == "":
	case strings.Contains(c.path, "{id}"):
		w.exec(c.before, about["company"], about[c.kindOf("id")])
	default:
		w.exec(c.before)
	}
}

// expected is what the table says of a caller: the status of the refusal, or 0. It is told here once more, so that a
// mistake in judge is noticed.
func expected(r rule, of role) int {
	refused := func(status int) int {
		if r.hideRefuse {
			return http.StatusNotFound
		}
		return status
	}
	switch {
	case r.least == anyone:
		return 0
	case of == stranger || of == expired || of == revoked:
		return refused(http.StatusUnauthorized)
	case of == unverified && !r.unverified:
		return refused(http.StatusForbidden)
	case (of == member || of == outOfOffice) && r.least > user:
		return refused(http.StatusForbidden)
	case r.least == superadmin && of != outside && of != inside:
		return refused(http.StatusForbidden)
	case r.company && of == outside:
		return refused(http.StatusForbidden)
	}
	return 0
}

// wanted is the status of a call about own ids.
func (c call) wanted(r rule, of role, refused int) int {
	switch {
	case refused != 0:
		return refused
	case r.department && of == outOfOffice && c.hidden():
		return http.StatusNotFound
	case of == outOfOffice && c.unseen != 0:
		return c.unseen
	case c.status != 0:
		return c.status
	case c.operation == nil:
		return http.StatusOK
	case c.operation.DefaultStatus != 0:
		return c.operation.DefaultStatus
	}
	return http.StatusOK
}

func (w *world) one(c call, of role, about string, with subjects, want int) answer {
	a := w.send(c, of, with)
	if a.status != want {
		w.mismatch("%s %s as %s about %s: %d, want %d: %.300s", c.method, c.name, of, about, a.status, want, a.body)
	}
	w.see(c, of, about, a)
	return a
}

// foreign puts the id of another company into one field. A caller who is let in gets what a made-up id gets.
func (w *world) foreign(c call, of role, field string, own, others subjects, refused int) {
	kind := c.kindOf(field)
	swapped, made := maps.Clone(own), maps.Clone(own)
	other := others[kind]
	swapped[field], made[field] = other, id.New()
	about := "another company's " + field
	theirs := w.send(c, of, swapped)
	w.see(c, of, about, theirs)
	if refused != 0 {
		if theirs.status != refused {
			w.mismatch("%s %s as %s about %s: %d, want %d", c.method, c.name, of, about, theirs.status, refused)
		}
		return
	}
	if c.leaves {
		return
	}
	unknown := w.send(c, of, made)
	if theirs.status != unknown.status || plain(theirs.body, other) != plain(unknown.body, made[field]) {
		w.mismatch("%s %s as %s about %s differs from a made-up id: %d %.300s | %d %.300s", c.method, c.name, of, about, theirs.status, theirs.body, unknown.status, unknown.body)
	}
	if theirs.status < 300 && field == "id" {
		w.mismatch("%s %s as %s about %s: %d", c.method, c.name, of, about, theirs.status)
	}
}

var varying = regexp.MustCompile(`urn:uuid:[0-9a-f-]{36}|"[0-9]{4}-[0-9]{2}-[0-9]{2}T[^"]*"`)

// plain is an answer without what differs between any two.
func plain(body string, of id.ID) string {
	return varying.ReplaceAllString(strings.ReplaceAll(body, of.String(), "ID"), "")
}

func (w *world) send(c call, of role, with subjects) answer {
	w.Helper()
	w.tries++
	with = maps.Clone(with)
	if _, set := with["id"]; !set && strings.Contains(c.path, "{id}") {
		kind := c.kindOf("id")
		with["id"] = with[kind]
		if kind == "session" {
			with["id"] = w.rowOfSession(map[bool]role{true: boss, false: of}[of == stranger])
		}
	}
	browser := &caller{t: w.T, x: w.site, cookie: w.session(of)}
	path, body := c.request(w.T, with)
	return browser.do(c.method, path, body, func(r *http.Request) {
		if c.media() != "" {
			r.Header.Set("Content-Type", c.media())
		}
		for name, value := range c.headers {
			r.Header.Set(name, strings.ReplaceAll(value, "{origin}", w.http.URL))
		}
	})
}

// see looks for what the caller must not learn.
func (w *world) see(c call, of role, about string, a answer) {
	if a.status >= 500 {
		w.mismatch("%s %s as %s about %s: %d", c.method, c.name, of, about, a.status)
	}
	if table[c.name].least == superadmin && (of == outside || of == inside) {
		return // sees the names of all companies
	}
	forbidden := []string{canaryB, phonesB}
	switch of {
	case otherCompany:
		forbidden = []string{canaryA, phonesA}
	case outOfOffice:
		forbidden = append(forbidden, canaryD)
	}
	text := a.body + fmt.Sprint(a.header)
	for _, canary := range forbidden {
		if strings.Contains(text, canary) {
			w.hits = append(w.hits, fmt.Sprintf("%s in the answer to %s %s as %s about %s", canary, c.method, c.name, of, about))
		}
	}
}

// look searches a place where no company's texts belong.
func (w *world) look(place, text string) {
	for _, canary := range []string{canaryA, canaryB, canaryD, phonesA, phonesB} {
		if at := strings.Index(text, canary); at >= 0 {
			w.hits = append(w.hits, fmt.Sprintf("%s in %s: %.300s", canary, place, text[max(0, at-100):]))
		}
	}
}

func (w *world) same(c call, whose string, before, after map[string]string) {
	for table, digest := range after {
		if before[table] != digest {
			w.mismatch("%s %s changed %s of company %s", c.method, c.name, table, whose)
		}
	}
}

func (w *world) mismatch(format string, args ...any) {
	w.mismatches = append(w.mismatches, fmt.Sprintf(format, args...))
}

func (w *world) print() {
	path := os.Getenv("OMNIDESK_FIGURES")
	if path == "" {
		return
	}
	file, err := os.Create(path) //nolint:gosec // named by whoever runs it
	require.NoError(w, err)
	defer file.Close()
	for _, figure := range []struct {
		name  string
		value int
	}{{"tries", w.tries}, {"mismatches", len(w.mismatches)}, {"canary_hits", len(w.hits)}} {
		line, err := json.Marshal(map[string]any{"bench": "matrix", "figure": figure.name, "value": figure.value, "unit": "", "n": 1})
		require.NoError(w, err)
		_, err = io.WriteString(file, string(line)+"\n")
		require.NoError(w, err)
	}
}
