package sandbox

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"omnidesk/internal/sandbox/graph"
	"omnidesk/internal/sandbox/world"
)

//go:embed assets
var assets embed.FS

var pageTemplates = template.Must(template.New("").Funcs(template.FuncMap{
	"clock":  func(at time.Time) string { return at.Local().Format("15:04:05") },
	"stamp":  func(at time.Time) string { return at.UTC().Format(time.RFC3339) },
	"linked": linked,
	"tick":   func(status string) string { return ticks[status] },
	"words":  words,
	"size":   func(bytes int64) string { return fmt.Sprintf("%.0f kB", max(1, float64(bytes)/1000)) },
}).ParseFS(assets, "assets/*.html"))

// ticks are the marks of WhatsApp; the words beside them are for those who can't see the difference.
var ticks = map[string]string{"accepted": "·", "sent": "✓", "delivered": "✓✓", "read": "✓✓", "failed": "✕"}

// pages adds the page of phones and the guide to the control API.
func (s *Sandbox) pages(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.phonesPage)
	mux.HandleFunc("GET /docs", func(w http.ResponseWriter, _ *http.Request) { page(w, "docs.html", nil) })
	for name, kind := range map[string]string{"app.js": "text/javascript; charset=utf-8", "app.css": "text/css; charset=utf-8", "sample.ogg": "audio/ogg"} {
		mux.HandleFunc("GET /assets/"+name, func(w http.ResponseWriter, _ *http.Request) {
			content, err := assets.ReadFile("assets/" + name)
			if err != nil {
				http.Error(w, "not found", http.StatusNotFound)
				return
			}
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Cache-Control", "no-cache")
			w.Write(content) //nolint:errcheck // the client is gone
		})
	}
}

type phonesView struct {
	Phones   []world.Phone
	Open     *world.Phone
	Lines    []lineView
	Emojis   []string
	Numbers  []graph.Number
	From     string // the number that a reply goes to when nobody chooses
	Accepted int64
	Hooks    world.HookStats
	Faults   []faultSwitch
	Others   int // faults in force that no switch made
	Curve    *world.Curve
}

// lineView is a line with the words of the one that it answers.
type lineView struct {
	world.Line
	Quote string
}

func viewLines(lines []world.Line) []lineView {
	byID := map[string]world.Line{}
	views := make([]lineView, len(lines))
	for i, line := range lines {
		byID[line.ProviderID] = line
		views[i] = lineView{Line: line}
		if line.About != "" {
			views[i].Quote = "an earlier message"
			if about, found := byID[line.About]; found {
				views[i].Quote = words(about)
			}
		}
	}
	return views
}

var nouns = map[string]string{
	"image": "Photo", "video": "Video", "audio": "Audio", "voice": "Voice note", "sticker": "Sticker", "document": "Document", "location": "Location",
	"contacts": "Contact card", "unsupported": "Something that the Cloud API does not pass on",
}

// words puts a line into one readable text.
func words(line world.Line) string {
	noun := nouns[line.Kind]
	switch {
	case line.Deleted:
		return "Deleted"
	case noun == "":
		return line.Text
	case line.Kind == "document" && line.Media != nil && line.Text == "":
		return noun + ": " + line.Media.Name
	case line.Text == "":
		return noun
	}
	return noun + ": " + line.Text
}

// Editable tells whether the person may change what it wrote.
func (l lineView) Editable() bool {
	return !l.In && !l.Deleted && slices.Contains([]string{"", "text", "image", "video", "document"}, l.Kind)
}

// faultSwitch is a fault that the page can switch on and off.
type faultSwitch struct {
	Key, Label string
	On         bool
}

func (s *Sandbox) phonesPage(w http.ResponseWriter, r *http.Request) {
	view := phonesView{
		Phones: s.world.People.List(200), Numbers: s.graph.Numbers(), Accepted: s.world.Ledger.Count(),
		Hooks: s.graph.HookStats(), Curve: s.world.Curves.Get(), Emojis: []string{"👍", "❤️", "😂", "😮", "🙏"},
	}
	if phone := strings.TrimPrefix(r.URL.Query().Get("phone"), "+"); phone != "" {
		open := s.world.People.Get(phone)
		view.Open = &open
		if n := len(open.Lines); n > 0 {
			view.From = open.Lines[n-1].Number
		}
		view.Lines = viewLines(open.Lines)
	}
	view.Faults, view.Others = switches(s.world.Faults.List())
	page(w, "phones.html", view)
}

// switches tells which of the page's faults are in force. They are recognised by their form, so that a list
// put by the API shows as what it is.
func switches(list []world.Fault) ([]faultSwitch, int) {
	shown := []faultSwitch{
		{Key: "cut", Label: "Cut the provider off"},
		{Key: "slow", Label: "Slow: 2 s for each send"},
		{Key: "drop", Label: "Accept 20 %, then drop the answer"},
		{Key: "limit", Label: "Rate limit 20 % (130429)"},
		{Key: "double", Label: "Webhooks: 30 % come twice"},
		{Key: "late", Label: "Webhooks: 20 % come 10 s late"},
		{Key: "shuffle", Label: "Webhooks: in any order"},
		{Key: "batch", Label: "Webhooks: one POST a second for all of an app"},
	}
	others := 0
	for _, fault := range list {
		switch hooks := fault.Webhooks; {
		case hooks != nil:
			shown[4].On, shown[5].On, shown[6].On, shown[7].On = hooks.DoubleShare > 0, hooks.LateShare > 0, hooks.Shuffle, hooks.Batch
		case fault.Match != (world.Match{}):
			others++
		case fault.Drop && fault.Probability == nil:
			shown[0].On = true
		case fault.DelayMS == 2000 && fault.Probability == nil:
			shown[1].On = true
		case fault.AcceptThenDrop:
			shown[2].On = true
		case fault.Code == 130429:
			shown[3].On = true
		default:
			others++
		}
	}
	return shown, others
}

func page(w http.ResponseWriter, name string, view any) {
	var out bytes.Buffer
	if err := pageTemplates.ExecuteTemplate(&out, name, view); err != nil {
		http.Error(w, "rendering the page", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	w.Write(out.Bytes()) //nolint:errcheck // the client is gone
}
