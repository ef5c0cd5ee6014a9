package media

import (
	"fmt"
	"io"
	"mime"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// typeOf finds out what a file is by its content; its name and what others say about it may lie.
func typeOf(content io.ReadSeeker) (string, error) {
	found, err := mimetype.DetectReader(content)
	if err != nil {
		return "", fmt.Errorf("looking into a file: %w", err)
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("reading a file again: %w", err)
	}
	if known, other := named[found.String()]; other {
		return known, nil
	}
	return found.String(), nil
}

// named are types that go by another name at WhatsApp.
var named = map[string]string{
	"audio/x-m4a": "audio/mp4", "video/x-m4v": "video/mp4", "application/ogg": "audio/ogg", "audio/mp3": "audio/mpeg", "video/3gpp2": "video/3gpp",
}

// inline are the types that a browser may show in place: it runs nothing of them.
var inline = map[string]bool{
	"image/jpeg": true, "image/png": true, "image/webp": true, "image/gif": true, "video/mp4": true, "video/3gpp": true, "video/webm": true,
	"audio/ogg": true, "audio/mpeg": true, "audio/mp4": true, "audio/aac": true, "audio/amr": true, "audio/wav": true,
}

// Inline tells whether a browser may show a type in place. Everything else is downloaded.
func Inline(mime string) bool {
	base, _, _ := strings.Cut(mime, ";")
	return inline[strings.TrimSpace(base)]
}

// disposition is the header that says whether a file is shown or saved, and under which name.
func disposition(of, name string) string {
	how := "attachment"
	if Inline(of) {
		how = "inline"
	}
	if name == "" {
		return how
	}
	return mime.FormatMediaType(how, map[string]string{"filename": name})
}

// Disposition is the header that says whether a browser shows a file or saves it, and under which name.
func (f File) Disposition(name string) string { return disposition(f.Type, name) }

// family is the part of a type that a claim must get right: image, video, audio or other.
func family(mime string) string {
	kind, _, _ := strings.Cut(mime, "/")
	switch kind {
	case "image", "video", "audio":
		return kind
	}
	return "other"
}
