package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"

	"omnidesk/internal/sandbox/graph"
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
	mux.HandleFunc("POST /sandbox/phones/{phone}/block", s.postBlock)
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

func (s *Sandbox) postBlock(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Blocked bool `json:"blocked"`
	}
	if read(w, r, &body) {
		finish(w, s.world.People.Block(r.PathValue("phone"), body.Blocked))
	}
}

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
