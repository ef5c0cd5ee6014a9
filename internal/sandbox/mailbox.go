package sandbox

import (
	"errors"
	"html/template"
	"net/http"
	"net/mail"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"omnidesk/internal/sandbox/world"
)

const mailsKept = 500

// Mail is one that the mailbox has taken.
type Mail struct {
	From    string    `json:"from"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	At      time.Time `json:"at"`
}

// mailbox takes every mail, whomever it is for, and keeps the last 500.
type mailbox struct {
	mu    sync.Mutex
	path  string
	mails []Mail // the oldest first
}

func openMailbox(dir string) (*mailbox, error) {
	box := &mailbox{path: filepath.Join(dir, "mails.json")}
	return box, world.Load(box.path, &box.mails)
}

func (b *mailbox) take(one Mail) error {
	if _, err := mail.ParseAddress(one.To); err != nil || one.Subject == "" || one.Text == "" {
		return errors.New("a mail needs to (an address), subject and text")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mails = append(b.mails, one)
	b.mails = b.mails[max(0, len(b.mails)-mailsKept):]
	return world.Save(b.path, b.mails)
}

// list returns the mails to an address, or all of them, the newest first.
func (b *mailbox) list(to string) []Mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := []Mail{}
	for _, one := range slices.Backward(b.mails) {
		if to == "" || strings.EqualFold(one.To, to) {
			found = append(found, one)
		}
	}
	return found
}

func (b *mailbox) empty() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mails = nil
	return world.Save(b.path, []Mail{})
}

func (s *Sandbox) mailRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /sandbox/mails", func(w http.ResponseWriter, r *http.Request) { reply(w, s.mails.list(r.URL.Query().Get("to"))) })
	mux.HandleFunc("DELETE /sandbox/mails", func(w http.ResponseWriter, _ *http.Request) { finish(w, s.mails.empty()) })
	mux.HandleFunc("POST /sandbox/mails", func(w http.ResponseWriter, r *http.Request) {
		var one Mail
		if read(w, r, &one) {
			one.At = time.Now()
			finish(w, s.mails.take(one))
		}
	})
	mux.HandleFunc("GET /mailbox", func(w http.ResponseWriter, r *http.Request) {
		to := strings.TrimSpace(r.URL.Query().Get("to"))
		page(w, "mailbox.html", struct {
			To    string
			Mails []Mail
		}{to, s.mails.list(to)})
	})
}

var link = regexp.MustCompile(`https?://[^\s<>"]+`)

// linked writes a mail's text with links that can be followed, and nothing else that is markup.
func linked(text string) template.HTML {
	var out strings.Builder
	last := 0
	for _, at := range link.FindAllStringIndex(text, -1) {
		address := template.HTMLEscapeString(text[at[0]:at[1]])
		out.WriteString(template.HTMLEscapeString(text[last:at[0]]))
		out.WriteString(`<a href="` + address + `" target="_blank" rel="noreferrer">` + address + `</a>`)
		last = at[1]
	}
	out.WriteString(template.HTMLEscapeString(text[last:]))
	return template.HTML(out.String()) //nolint:gosec // every piece was escaped above
}
