package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"omnidesk/internal/channel"
	"omnidesk/internal/conversation"
	"omnidesk/internal/id"
	"omnidesk/internal/media"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
	"omnidesk/internal/send"
)

// StoredFile is a file that the company has.
type StoredFile struct {
	ID     string `json:"id"`
	Type   string `json:"type" doc:"MIME, found by looking at the content"`
	Size   int64  `json:"size" doc:"bytes"`
	Width  int    `json:"width,omitempty" doc:"of a picture that has a thumbnail"`
	Height int    `json:"height,omitempty"`
	Inline bool   `json:"inline" doc:"a browser may show it in place; everything else is downloaded"`
}

// Attachment is what is known about the file of a message.
type Attachment struct {
	State  string      `json:"state" enum:"pending,done,failed" doc:"pending: on its way from or to the provider"`
	Detail string      `json:"detail,omitempty" doc:"why it failed or waits, or what whoever opens it must know"`
	File   *StoredFile `json:"file,omitempty"`
}

func fileView(f media.File) StoredFile {
	return StoredFile{f.ID.String(), f.Type, f.Size, f.Width, f.Height, media.Inline(f.Type)}
}

type uploadMediaIn struct {
	file     io.Reader
	tooLarge bool // as its sender says
}

// Resolve takes the body before huma reads it: a file is a stream.
func (in *uploadMediaIn) Resolve(ctx huma.Context) []error {
	c := humagin.Unwrap(ctx)
	in.tooLarge = c.Request.ContentLength > media.MostBytes
	in.file = &patient{http.MaxBytesReader(c.Writer, c.Request.Body, media.MostBytes), http.NewResponseController(c.Writer)}
	return nil
}

func tooLargeMedia() *huma.ErrorModel {
	return problemOf(http.StatusRequestEntityTooLarge, "too-large", sentence(media.ErrTooLarge))
}

type getMediaIn struct {
	IDPath
	Thumbnail bool   `query:"thumbnail" doc:"a JPEG of at most 480 pixels, of a picture"`
	Name      string `query:"name" maxLength:"240" doc:"the name under which a browser saves it"`
}

func (s *Server) mediaRoutes() {
	upload := op("uploadMedia", http.MethodPost, "/media", "media", "Upload a file to send", status(http.StatusCreated),
		describe("The file itself, up to 100 MB. What it is, is found by looking into it. The same content is kept once."))
	upload.RequestBody = &huma.RequestBody{Required: true, Description: "the file, streamed",
		Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
	upload.SkipValidateBody = true
	register(s, upload, s.uploadMedia)
	get := op("getMedia", http.MethodGet, "/media/{id}", "media", "A file, or a part of it", describe("Answers ranges. May lead to another address that works for a few minutes."))
	get.Responses = map[string]*huma.Response{"200": {Description: "the file", Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}}
	register(s, get, s.getMedia)
	register(s, op("fetchMedia", http.MethodPost, "/messages/{id}/fetch", "media", "Try again to fetch the file of a contact's message", status(http.StatusNoContent)), s.fetchMedia)
}

func (s *Server) uploadMedia(ctx context.Context, in *uploadMediaIn) (*Out[StoredFile], error) {
	if in.tooLarge {
		return nil, tooLargeMedia()
	}
	select {
	case s.imports <- struct{}{}:
		defer func() { <-s.imports }()
	default:
		return nil, huma.ErrorWithHeaders(problemOf(http.StatusTooManyRequests, "slow-down", "Other files are being uploaded. Try again in a minute."), http.Header{"Retry-After": {"60"}})
	}
	file, err := s.Media.Keep(ctx, s.DB, companyOf(ctx), in.file)
	var quota *media.QuotaError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge), errors.Is(err, media.ErrTooLarge):
		return nil, tooLargeMedia()
	case errors.Is(err, media.ErrEmpty):
		return nil, problemOf(http.StatusUnprocessableEntity, "", sentence(err))
	case errors.As(err, &quota):
		return nil, problemOf(http.StatusInsufficientStorage, "quota", sentence(quota))
	}
	return out(fileView(file)), err
}

// getMedia gives a file to whoever may see it. It is never trusted: nothing in it runs, and what a browser can't show
// safely is saved.
func (s *Server) getMedia(ctx context.Context, in *getMediaIn) (*huma.StreamResponse, error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	var file media.File
	err = s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) (err error) {
		file, err = s.Media.Get(ctx, tx, companyOf(ctx), departmentsOf(ctx), wanted)
		return err
	})
	if errors.Is(err, media.ErrNotFound) || err == nil && in.Thumbnail && file.Width == 0 {
		return nil, notFound()
	}
	if err != nil {
		return nil, err
	}
	address, err := s.Media.Address(file, in.Thumbnail)
	if err != nil {
		return nil, err
	}
	var content io.ReadSeekCloser
	if address == "" {
		if content, err = s.Media.Open(ctx, file, in.Thumbnail); err != nil {
			return nil, err
		}
	}
	return &huma.StreamResponse{Body: func(answer huma.Context) { serveFile(answer, file, content, address, in) }}, nil
}

func serveFile(answer huma.Context, file media.File, content io.ReadSeekCloser, address string, in *getMediaIn) {
	c := humagin.Unwrap(answer)
	header := c.Writer.Header()
	header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	if content == nil {
		header.Set("Cache-Control", "no-store")
		http.Redirect(c.Writer, c.Request, address, http.StatusFound)
		return
	}
	defer content.Close()
	header.Set("Cache-Control", "private, max-age=86400, immutable")
	header.Set("ETag", `"`+file.SHA256+`"`)
	header.Set("Content-Type", file.Type)
	header.Set("Content-Disposition", file.Disposition(in.Name))
	if in.Thumbnail {
		header.Set("ETag", `"`+file.SHA256+`-s"`)
		header.Set("Content-Type", "image/jpeg")
	}
	http.ServeContent(c.Writer, c.Request, "", time.Time{}, content)
}

// fetchMedia has the file of a contact's message fetched again.
func (s *Server) fetchMedia(ctx context.Context, in *IDPath) (*struct{}, error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	var of id.ID
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		if of, err = conversation.OfMessage(ctx, tx, company, departmentsOf(ctx), wanted); err != nil {
			return err
		}
		return media.TryAgain(ctx, tx, company, wanted, s.now())
	})
	if errors.Is(err, media.ErrNotFound) {
		return nil, problemOf(http.StatusConflict, "not-failed", "The file of this message is on its way, or here already.")
	}
	if err == nil {
		s.hint()
		s.changed(company, realtime.Conversation, of)
	}
	return nil, err
}

// fileOf completes the file of an outgoing content by what is known of it.
func (s *Server) fileOf(ctx context.Context, tx postgres.Tx, in *WrittenFile) (*channel.File, error) {
	if in == nil {
		return nil, nil
	}
	wanted, err := id.Parse(in.MediaID)
	if err != nil {
		return nil, unfit("file.media_id", "is no id of a file")
	}
	found, err := s.Media.Get(ctx, tx, companyOf(ctx), departmentsOf(ctx), wanted)
	if errors.Is(err, media.ErrNotFound) {
		return nil, unfit("file.media_id", "names no file that was uploaded; upload it first")
	}
	if err != nil {
		return nil, err
	}
	file := &channel.File{Kind: channel.SaidKind(in.Kind), Media: found.ID, Type: found.Type, Size: found.Size}
	if file.Kind == channel.SaidDocument {
		file.Name = in.Name
	}
	return file, nil
}

// attach adds what is known about the files of a thread's messages.
func attach(ctx context.Context, tx postgres.Tx, page []ThreadMessage, lines []conversation.Line) error {
	var wanted []id.ID
	for _, line := range lines {
		if line.Said.Media != nil || line.Content.File != nil {
			wanted = append(wanted, line.ID)
		}
	}
	found, err := media.Attachments(ctx, tx, companyOf(ctx), wanted)
	for i, line := range lines {
		if one, has := found[line.ID]; has && !line.Deleted {
			page[i].Attachment = &Attachment{State: one.State, Detail: one.Detail}
			if one.File != nil {
				view := fileView(*one.File)
				page[i].Attachment.File = &view
			}
		}
	}
	return err
}

// sendFileFirst keeps a message back until its file has reached the provider.
func sendFileFirst(ctx context.Context, tx postgres.Tx, company, connection, message, file id.ID, now time.Time) error {
	if err := send.HoldBack(ctx, tx, company, message, now.Add(media.HandOverFor+time.Minute)); err != nil {
		return err
	}
	return media.HandOver(ctx, tx, company, connection, message, file, now)
}
