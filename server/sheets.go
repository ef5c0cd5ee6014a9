package server

import (
	"context"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"omnidesk/internal/sheet"
)

// Bounds of one download. Its time is not bounded as a whole: its reader has to take each part within writePause.
const (
	sheetsAtOneTime = 4
	writePause      = 60 * time.Second
)

// SheetQuery chooses a download's format. It is exported because huma reads only exported embedded structs.
type SheetQuery struct {
	Format sheet.Format `query:"format" enum:"csv,xlsx" default:"csv"`
}

// asSheet describes an operation that answers with a file.
func asSheet(o *huma.Operation) {
	binary := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	o.Responses = map[string]*huma.Response{"200": {Description: "the file, streamed", Content: map[string]*huma.MediaType{
		sheet.CSV.MediaType(): {Schema: binary}, sheet.XLSX.MediaType(): {Schema: binary}}}}
}

// stream answers with a file of rows that write makes one by one. What can be refused must be refused before: once
// the first byte is out, an error can only cut the connection, so that no browser takes half a file for a whole one.
func (s *Server) stream(format sheet.Format, name string, write func(ctx context.Context, row func(cells ...string) error) error) (*huma.StreamResponse, error) {
	select {
	case s.sheets <- struct{}{}:
	default:
		return nil, huma.ErrorWithHeaders(problemOf(http.StatusTooManyRequests, "slow-down", "Other files are being written. Try again in a minute."),
			http.Header{"Retry-After": {"60"}})
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer func() { <-s.sheets }()
		c := humagin.Unwrap(ctx)
		control := http.NewResponseController(c.Writer)
		ctx.SetHeader("Content-Type", format.MediaType())
		ctx.SetHeader("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fileName(name) + "." + string(format)}))
		file, err := sheet.New(format, ctx.BodyWriter())
		if err == nil {
			err = write(c.Request.Context(), func(cells ...string) error {
				// Not every writer has deadlines (a test's has none); then the server's own stay.
				_ = control.SetWriteDeadline(time.Now().Add(writePause))
				return file.Row(cells...)
			})
			if closing := file.Close(); err == nil {
				err = closing
			}
		}
		if err != nil {
			slog.Warn("a download broke off", "error", err, "request", requestID(c.Request.Context()))
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

// fileName keeps what every file system takes.
func fileName(name string) string {
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" -_()%", r) {
			return r
		}
		return -1
	}, name))
	if runes := []rune(name); len(runes) > 80 {
		name = strings.TrimSpace(string(runes[:80]))
	}
	if name == "" {
		return "export"
	}
	return name
}

// at writes an instant as spreadsheets read it, on a clock of a zone; nothing for none.
func at(instant *time.Time, zone *time.Location) string {
	if instant == nil || instant.IsZero() {
		return ""
	}
	return instant.In(zone).Format("2006-01-02 15:04:05")
}
