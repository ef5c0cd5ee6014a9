package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"

	"omnidesk/internal/sandbox/graph"
	"omnidesk/internal/sandbox/llm"
	"omnidesk/internal/sandbox/world"
)

const maxControlBody = 1 << 20

// routes returns the control API and the pages. Browsers on other sites can't call it.
func (s *Sandbox) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { reply(w, map[string]string{"status": "ok"}) })

	mux.HandleFunc("GET /sandbox/ledger", s.getLedger)
	mux.HandleFunc("GET /sandbox/ledger/count", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]int64{"count": s.world.Ledger.Count()})
	})
	mux.HandleFunc("GET /sandbox/faults", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.world.Faults.List()) })
	mux.HandleFunc("PUT /sandbox/faults", s.putFaults)
	mux.HandleFunc("DELETE /sandbox/faults", func(w http.ResponseWriter, _ *http.Request) { finish(w, s.world.Faults.Set(nil)) })
	mux.HandleFunc("GET /sandbox/statuses", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.world.Curves.Get()) })
	mux.HandleFunc("PUT /sandbox/statuses", s.putStatuses)
	mux.HandleFunc("GET /sandbox/webhooks", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.graph.HookStats()) })

	mux.HandleFunc("POST /sandbox/webhooks/retry", func(w http.ResponseWriter, _ *http.Request) {
		s.graph.Hurry()
		finish(w, nil)
	})

	mux.HandleFunc("GET /sandbox/numbers", s.getNumbers)
	mux.HandleFunc("PUT /sandbox/numbers/{number}", s.putNumber)
	mux.HandleFunc("PUT /sandbox/apps", s.putApp)
	mux.HandleFunc("GET /sandbox/templates", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.graph.Templates()) })
	mux.HandleFunc("PUT /sandbox/templates", s.putTemplate)

	mux.HandleFunc("GET /sandbox/phones", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.world.People.List(500)) })
	mux.HandleFunc("GET /sandbox/phones/{phone}", func(w http.ResponseWriter, r *http.Request) {
		reply(w, s.world.People.Get(r.PathValue("phone")))
	})
	mux.HandleFunc("POST /sandbox/phones/{phone}/reply", s.postReply)
	mux.HandleFunc("POST /sandbox/phones/{phone}/read", func(w http.ResponseWriter, r *http.Request) {
		s.graph.Read(r.PathValue("phone"))
		finish(w, nil)
	})
	mux.HandleFunc("POST /sandbox/phones/{phone}/messages", s.postWrote)
	mux.HandleFunc("POST /sandbox/phones/{phone}/block", habit(func(phone string, body struct {
		Blocked bool `json:"blocked"`
	}) error {
		return s.graph.Block(phone, body.Blocked)
	}))
	mux.HandleFunc("POST /sandbox/phones/{phone}/online", habit(func(phone string, body struct {
		Online bool `json:"online"`
	}) error {
		return s.graph.Online(phone, body.Online)
	}))
	mux.HandleFunc("POST /sandbox/phones/{phone}/marketing", habit(func(phone string, body struct {
		Wanted bool `json:"wanted"`
	}) error {
		return s.graph.Marketing(phone, body.Wanted)
	}))
	mux.HandleFunc("POST /sandbox/phones/{phone}/username", habit(func(phone string, body struct {
		Username string `json:"username"`
	}) error {
		return s.graph.Hide(phone, body.Username)
	}))
	mux.HandleFunc("POST /sandbox/phones/{phone}/number", habit(func(phone string, body struct {
		To string `json:"to"`
	}) error {
		return s.graph.Move(phone, body.To)
	}))
	mux.HandleFunc("POST /sandbox/media", s.postMedia)
	mux.HandleFunc("GET /sandbox/media/{id}", s.getMedia)
	mux.HandleFunc("GET /sandbox/models", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.models.Settings()) })
	mux.HandleFunc("PUT /sandbox/models", s.putModels)
	mux.HandleFunc("GET /sandbox/models/usage", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.models.Usage()) })
	s.mailRoutes(mux)
	s.pages(mux)
	return http.NewCrossOriginProtection().Handler(mux)
}

// getLedger streams the lines of the ledger from ?since= on; X-Ledger-Next is the since of the next call.
func (s *Sandbox) getLedger(w http.ResponseWriter, r *http.Request) {
	since := int64(0)
	if raw := r.URL.Query().Get("since"); raw != "" {
		var err error
		if since, err = strconv.ParseInt(raw, 10, 64); err != nil || since < 0 {
			http.Error(w, "since must be the number of a line, from 0", http.StatusUnprocessableEntity)
			return
		}
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Trailer", "X-Ledger-Next")
	next, err := s.world.Ledger.WriteTo(w, since)
	if err != nil {
		panic(http.ErrAbortHandler) // a list cut short must not look whole
	}
	w.Header().Set("X-Ledger-Next", strconv.FormatInt(next, 10))
}

func (s *Sandbox) putFaults(w http.ResponseWriter, r *http.Request) {
	var faults []world.Fault
	if read(w, r, &faults) {
		finish(w, s.world.Faults.Set(faults))
	}
}

// putStatuses changes the fields given and keeps the others.
func (s *Sandbox) putStatuses(w http.ResponseWriter, r *http.Request) {
	curve := *s.world.Curves.Get()
	if !read(w, r, &curve) {
		return
	}
	if err := curve.Validate(); err != nil {
		finish(w, err)
		return
	}
	s.world.Curves.Set(curve)
	finish(w, world.Save(filepath.Join(s.options.DataDir, "statuses.json"), curve))
}

// getNumbers lists the numbers without their secrets.
func (s *Sandbox) getNumbers(w http.ResponseWriter, _ *http.Request) {
	numbers := s.graph.Numbers()
	for i := range numbers {
		numbers[i].AppSecret, numbers[i].VerifyToken = "", ""
	}
	reply(w, numbers)
}

func (s *Sandbox) putNumber(w http.ResponseWriter, r *http.Request) {
	number := graph.Number{}
	if read(w, r, &number) {
		number.ID = r.PathValue("number")
		finish(w, s.graph.PutNumber(number))
	}
}

func (s *Sandbox) putApp(w http.ResponseWriter, r *http.Request) {
	var app graph.App
	if read(w, r, &app) {
		finish(w, s.graph.PutApp(app))
	}
}

func (s *Sandbox) putTemplate(w http.ResponseWriter, r *http.Request) {
	var template graph.Template
	if read(w, r, &template) {
		finish(w, s.graph.PutTemplate(template))
	}
}

// putModels puts settings in place of those in force: what is left out is off.
func (s *Sandbox) putModels(w http.ResponseWriter, r *http.Request) {
	var settings llm.Settings
	if read(w, r, &settings) {
		finish(w, s.models.Put(settings))
	}
}

func (s *Sandbox) postReply(w http.ResponseWriter, r *http.Request) {
	var body struct {
		NumberID string `json:"number_id"`
		Name     string `json:"name"`
		Text     string `json:"text"`
	}
	if read(w, r, &body) {
		finish(w, s.graph.Reply(r.PathValue("phone"), body.NumberID, body.Name, body.Text))
	}
}

// postWrote lets a person write, and answers with the id of the message.
func (s *Sandbox) postWrote(w http.ResponseWriter, r *http.Request) {
	var body graph.Wrote
	if !read(w, r, &body) {
		return
	}
	id, err := s.graph.Write(r.PathValue("phone"), body)
	if err != nil {
		finish(w, err)
		return
	}
	reply(w, map[string]string{"id": id})
}

// habit handles a change of how a phone behaves.
func habit[T any](change func(phone string, body T) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body T
		if read(w, r, &body) {
			finish(w, change(r.PathValue("phone"), body))
		}
	}
}

// postMedia keeps a file for a person to send. The body is the file, Content-Type its type, ?filename= its name.
func (s *Sandbox) postMedia(w http.ResponseWriter, r *http.Request) {
	content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, world.MostMedia))
	if err != nil {
		http.Error(w, "the file did not arrive whole, or is larger than 100 MB", http.StatusUnprocessableEntity)
		return
	}
	media, err := s.world.Store.PutMedia(r.Header.Get("Content-Type"), r.URL.Query().Get("filename"), content)
	if err != nil {
		finish(w, err)
		return
	}
	reply(w, media)
}

// getMedia shows a file on the page. Only what can't run there is shown, everything else is downloaded.
func (s *Sandbox) getMedia(w http.ResponseWriter, r *http.Request) {
	media, err := s.world.Store.Media(r.PathValue("id"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	file, err := s.world.Store.OpenMedia(media.ID)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer file.Close()
	w.Header().Set("Content-Type", media.MIME)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	if !inline.MatchString(media.MIME) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": cmp.Or(media.Name, media.ID)}))
	}
	http.ServeContent(w, r, "", media.At, file)
}

var inline = regexp.MustCompile(`^(image/(jpeg|png|webp|gif)|(audio|video)/[a-z0-9.+-]+)(;.*)?$`)

// read decodes a body strictly: a misspelt switch must not be passed over. False means that it was answered.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil && decoder.More() {
		err = errors.New("more than one JSON value")
	}
	if err != nil {
		http.Error(w, fmt.Sprintf("reading the body: %v", err), http.StatusUnprocessableEntity)
		return false
	}
	return true
}

// finish answers a change: 204, or 422 with what was wrong.
func finish(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func reply(w http.ResponseWriter, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, "encoding the answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(append(body, '\n')) //nolint:errcheck // the client is gone
}
