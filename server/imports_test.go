package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/contact"
	"omnidesk/internal/id"
)

// work does what the worker would: it reads, runs or takes back an import, whatever it waits for.
func (x *site) work(t *testing.T, of string) {
	t.Helper()
	wanted, err := id.Parse(of)
	require.NoError(t, err)
	always := func() bool { return true }
	require.NoError(t, contact.CheckImport(t.Context(), x.db, x.mine, wanted))
	require.NoError(t, contact.RunImport(t.Context(), x.db, x.mine, wanted, always))
	require.NoError(t, contact.UndoImport(t.Context(), x.db, x.mine, wanted, always))
}

func TestAnImportFromTheUploadToTheUndo(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	made := as[Import](t, c.do(http.MethodPost, "/api/v1/imports?file_name=june.csv",
		"Celular;Nome;Cidade\n(11) 99000-0100;Jo\xe3o;=Recife\n12;Canary;=Recife\n", header("Content-Type", "text/csv; charset=windows-1252")), http.StatusCreated)
	require.Equal(t, "uploaded", made.State)
	require.Equal(t, "june.csv", made.FileName)
	require.Equal(t, ImportColumn{Title: "Nome", Samples: []string{"João", "Canary"}, Field: "name"}, made.Columns[1])
	require.Equal(t, ImportColumn{Title: "Cidade", Samples: []string{"=Recife", "=Recife"}, Field: "attribute", Attribute: "cidade"}, made.Columns[2])
	require.Positive(t, x.relay.hints.Load(), "its workflow is woken")
	path := "/api/v1/imports/" + made.ID
	c.do(http.MethodPost, path+"/start", `{"version":1}`).problem(t, http.StatusConflict)

	x.work(t, made.ID)
	seen := as[Import](t, c.do(http.MethodGet, path, nil), http.StatusOK)
	require.Equal(t, 2, seen.Preview.Refused, "numbers without a country")
	mapping := `{"version":%d,"mapping":[{"field":"phone"},{"field":"name"},{"field":%q,"attribute":"cidade"}],"options":{"region":"br","tags":["june"]}}`
	require.Equal(t, []string{"body.mapping[2]"}, c.do(http.MethodPut, path+"/mapping", fmt.Sprintf(mapping, 1, "name")).problem(t, http.StatusUnprocessableEntity).fields())
	remapped := as[Import](t, c.do(http.MethodPut, path+"/mapping", fmt.Sprintf(mapping, 1, "attribute")), http.StatusOK)
	require.Equal(t, []any{"uploaded", 2, "BR", (*ImportPreview)(nil)}, []any{remapped.State, remapped.Version, remapped.Options.Region, remapped.Preview})
	c.do(http.MethodPut, path+"/mapping", fmt.Sprintf(mapping, 1, "attribute")).problem(t, http.StatusConflict)

	x.work(t, made.ID)
	require.Equal(t, []ImportShare{{"America/Sao_Paulo", 1}}, as[Import](t, c.do(http.MethodGet, path, nil), http.StatusOK).Preview.Zones)
	running := as[Import](t, c.do(http.MethodPost, path+"/start", `{"version":2}`), http.StatusOK)
	require.Equal(t, &ImportProgress{Total: 2}, running.Progress)
	c.do(http.MethodDelete, path, nil).problem(t, http.StatusConflict)
	x.work(t, made.ID)
	done := as[Import](t, c.do(http.MethodGet, path, nil), http.StatusOK)
	require.Equal(t, ImportCounts{Read: 2, Added: 1, Refused: 1}, done.Counts)
	require.Empty(t, done.Columns[1].Samples)
	list := as[ContactList](t, c.do(http.MethodGet, "/api/v1/contacts", nil), http.StatusOK)
	require.Equal(t, []string{"João", "june"}, []string{list.Items[0].Name, list.Items[0].Tags[0].Name})

	refused := c.do(http.MethodGet, path+"/refused", nil)
	require.Equal(t, http.StatusOK, refused.status)
	require.Equal(t, "line,reason,Celular,Nome,Cidade\r\n3,The phone is not a phone number that can exist.,12,Canary,'=Recife\r\n", refused.body)

	require.Equal(t, ImportUndo{Deleted: 1}, as[ImportUndo](t, c.do(http.MethodGet, path+"/undo", nil), http.StatusOK))
	require.Equal(t, &ImportProgress{Total: 1}, as[Import](t, c.do(http.MethodPost, path+"/undo", nil), http.StatusOK).Progress)
	x.work(t, made.ID)
	undone := as[Import](t, c.do(http.MethodGet, path, nil), http.StatusOK)
	require.Equal(t, &ImportUndo{Deleted: 1}, undone.Undo)
	require.Empty(t, as[ContactList](t, c.do(http.MethodGet, "/api/v1/contacts", nil), http.StatusOK).Items)
	require.NotContains(t, x.log.String(), "Canary")
}

func TestImportsAreListedAndDiscarded(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	csv := header("Content-Type", "text/csv")
	var made []string
	for _, name := range []string{"a.csv", "../b/../c.csv", ""} {
		made = append(made, as[Import](t, c.do(http.MethodPost, "/api/v1/imports?file_name="+name, "phone\n+5511990000100\n", csv), http.StatusCreated).ID)
	}
	first := as[ImportList](t, c.do(http.MethodGet, "/api/v1/imports?limit=2", nil), http.StatusOK)
	require.Equal(t, []string{"contacts.csv", "..b..c.csv"}, []string{first.Items[0].FileName, first.Items[1].FileName})
	rest := as[ImportList](t, c.do(http.MethodGet, "/api/v1/imports?limit=2&cursor="+first.NextCursor, nil), http.StatusOK)
	require.Equal(t, made[0], rest.Items[0].ID)
	require.Empty(t, rest.NextCursor)
	for _, of := range made {
		require.Equal(t, http.StatusNoContent, c.do(http.MethodDelete, "/api/v1/imports/"+of, nil).status)
	}
	require.Empty(t, as[ImportList](t, c.do(http.MethodGet, "/api/v1/imports", nil), http.StatusOK).Items)
	for _, do := range []string{"GET /imports/%s", "POST /imports/%s/stop", "POST /imports/%s/undo", "GET /imports/%s/undo", "GET /imports/%s/refused", "DELETE /imports/%s"} {
		method, path, _ := strings.Cut(fmt.Sprintf(do, made[0]), " ")
		c.do(method, "/api/v1"+path, nil).problem(t, http.StatusNotFound)
	}
}

func TestAFileThatIsTooLargeIsRefusedBeforeItIsRead(t *testing.T) {
	x := newSite(t)
	c := x.signIn(t, "ana@example.com")
	r := httptest.NewRequest(http.MethodPost, "/api/v1/imports", strings.NewReader("phone\n"))
	r.ContentLength = mostImport + 1
	r.Header.Set("Content-Type", "text/csv")
	r.AddCookie(c.cookie)
	answer := httptest.NewRecorder()
	x.Handler().ServeHTTP(answer, r)
	require.Equal(t, http.StatusRequestEntityTooLarge, answer.Code)
	require.Contains(t, answer.Body.String(), "larger than 200 MB")
}
