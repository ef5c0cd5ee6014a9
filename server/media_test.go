package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/account"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

const tinyPNG = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82"

func (i *inbox) upload(content string) StoredFile {
	i.t.Helper()
	return as[StoredFile](i.t, i.do(http.MethodPost, "/api/v1/media", content), http.StatusCreated)
}

func TestAFileIsServedSafely(t *testing.T) {
	i := newInbox(t)
	picture, page := i.upload(tinyPNG), i.upload("<html><script>alert(1)</script></html>")
	require.Equal(t, StoredFile{picture.ID, "image/png", int64(len(tinyPNG)), 1, 1, true}, picture)
	require.False(t, page.Inline)

	a := i.do(http.MethodGet, "/api/v1/media/"+picture.ID, nil)
	require.Equal(t, []any{http.StatusOK, tinyPNG}, []any{a.status, a.body})
	require.Equal(t, "inline", a.header.Get("Content-Disposition"))
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'", "Content-Type": "image/png"} {
		require.Equal(t, want, a.header.Get(name))
	}
	a = i.do(http.MethodGet, "/api/v1/media/"+picture.ID, nil, func(r *http.Request) { r.Header.Set("Range", "bytes=1-3") })
	require.Equal(t, []any{http.StatusPartialContent, "PNG"}, []any{a.status, a.body})
	require.Equal(t, "image/jpeg", i.do(http.MethodGet, "/api/v1/media/"+picture.ID+"?thumbnail=true", nil).header.Get("Content-Type"))
	a = i.do(http.MethodGet, "/api/v1/media/"+page.ID+"?name=preços.html", nil)
	require.Equal(t, "attachment; filename*=utf-8''pre%C3%A7os.html", a.header.Get("Content-Disposition"))
	i.do(http.MethodGet, "/api/v1/media/"+page.ID+"?thumbnail=true", nil).problem(t, http.StatusNotFound)

	i.site.addUser(t, &i.site.theirs, "eve@example.com", account.Admin, false)
	i.site.signIn(t, "eve@example.com").do(http.MethodGet, "/api/v1/media/"+picture.ID, nil).problem(t, http.StatusNotFound)
}

func TestAFileThatDoesNotFitIsRefusedClearly(t *testing.T) {
	i := newInbox(t)
	i.do(http.MethodPost, "/api/v1/media", "").problem(t, http.StatusUnprocessableEntity)
	require.Contains(t, i.do(http.MethodPost, "/api/v1/media", strings.Repeat("x", 1<<20+1)).problem(t, http.StatusInsufficientStorage).Type, "quota")
	a := i.do(http.MethodPost, "/api/v1/media", strings.Repeat("x", 100<<20+1)).problem(t, http.StatusRequestEntityTooLarge)
	require.Contains(t, a.Detail, "100 MB")
}

// A message with a file waits for it, and one from a contact is there at once, with or without its file.
func TestFilesOfMessagesAreMovedByThemselves(t *testing.T) {
	i := newInbox(t)
	i.hear("5511990000100", `"id":"wamid.1","type":"image","image":{"id":"77","mime_type":"image/jpeg","caption":"Look"}`)
	conversation := i.list("").Items[0].ID
	theirs := i.thread(conversation)[0]
	require.Equal(t, &Attachment{State: "pending"}, theirs.Attachment)
	i.do(http.MethodPost, "/api/v1/messages/"+theirs.ID+"/fetch", nil).problem(t, http.StatusConflict)

	picture := i.upload(tinyPNG)
	file := map[string]any{"kind": "image", "media_id": picture.ID}
	as[Queued](t, i.say(conversation, map[string]any{"text": "Here", "file": file}), http.StatusAccepted)
	ours := i.thread(conversation)[0]
	require.Equal(t, "Photo: Here", ours.Text)
	require.Equal(t, []any{"pending", &picture}, []any{ours.Attachment.State, ours.Attachment.File})
	var held, wakes int
	require.NoError(t, i.site.db.InCompany(t.Context(), i.site.mine, func(tx postgres.Tx) error {
		return tx.QueryRow(t.Context(), "SELECT count(*) FROM messages WHERE company_id = $1 AND retry_at > now() + interval '30 minutes'", i.site.mine).Scan(&held)
	}))
	require.Equal(t, 1, held)
	require.NoError(t, i.site.db.InSystem(t.Context(), func(tx postgres.Tx) error {
		return tx.QueryRow(t.Context(), "SELECT count(*) FROM wakes WHERE workflow = 'media'").Scan(&wakes)
	}))
	require.Positive(t, wakes)

	for field, body := range map[string]map[string]any{
		"body.file.media_id": {"file": map[string]any{"kind": "image", "media_id": id.New().String()}},
		"body.text":          {"text": "A caption", "file": map[string]any{"kind": "sticker", "media_id": i.upload("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00").ID}},
	} {
		require.Equal(t, field, i.say(conversation, body).problem(t, http.StatusUnprocessableEntity).Errors[0].Location)
	}
	p := i.say(conversation, map[string]any{"file": map[string]any{"kind": "video", "media_id": picture.ID}}).problem(t, http.StatusUnprocessableEntity)
	require.Contains(t, p.Errors[0].Message, "image/png")
}
