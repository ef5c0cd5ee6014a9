package graph

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"omnidesk/internal/sandbox/world"
)

// Number is a business phone number. Fields left empty in an update keep their value.
type Number struct {
	ID          string `json:"number_id"`
	Display     string `json:"display_phone_number"`
	Name        string `json:"verified_name"`
	AccountID   string `json:"account_id"` // WhatsApp Business Account
	AppID       string `json:"app_id"`
	AppSecret   string `json:"app_secret"`
	WebhookURL  string `json:"webhook_url"` // wins over the account's and the app's
	VerifyToken string `json:"verify_token"`
	Status      string `json:"status"`          // CONNECTED when empty
	Quality     string `json:"quality_rating"`  // GREEN when empty
	Tier        string `json:"messaging_limit"` // TIER_UNLIMITED when empty
}

// App is a Meta app: whose secret signs webhooks, and where they go when nothing nearer says so.
type App struct {
	ID         string `json:"app_id"`
	Secret     string `json:"app_secret"`
	WebhookURL string `json:"webhook_url"`
}

// account is a WhatsApp Business Account that an app subscribed to.
type account struct {
	AppID       string `json:"app_id"`
	CallbackURL string `json:"override_callback_uri"`
	VerifyToken string `json:"verify_token"`
}

// state is what survives a restart.
type state struct {
	Numbers   map[string]Number  `json:"numbers"`
	Apps      map[string]App     `json:"apps"`
	Accounts  map[string]account `json:"accounts"`
	Templates []Template         `json:"templates"`
}

// bound is a number with its webhook's target worked out. It is never changed, only replaced.
type bound struct {
	Number
	target world.Target
}

// registry holds numbers, apps and subscriptions. Reading a number takes no lock.
type registry struct {
	path   string
	lookup atomic.Pointer[map[string]*bound]
	texts  atomic.Pointer[map[templateKey]*Template]

	mu     sync.Mutex
	state  state
	tokens map[string]string // token → account, which is how an unregistered number finds its account
	seen   map[string]string // number → token
	owners map[string]string // token → app, once the app has asked about it
}

func loadRegistry(path string) (*registry, error) {
	r := &registry{path: path, tokens: map[string]string{}, seen: map[string]string{}, owners: map[string]string{}}
	if err := world.Load(path, &r.state); err != nil {
		return nil, err
	}
	if r.state.Numbers == nil {
		r.state.Numbers = map[string]Number{}
	}
	if r.state.Apps == nil {
		r.state.Apps = map[string]App{}
	}
	if r.state.Accounts == nil {
		r.state.Accounts = map[string]account{}
	}
	r.rebuild()
	return r, nil
}

// rebuild makes the lookup tables anew; the caller holds mu or is alone.
func (r *registry) rebuild() {
	numbers := make(map[string]*bound, len(r.state.Numbers))
	for id, number := range r.state.Numbers {
		subscribed := r.state.Accounts[number.AccountID]
		app := r.state.Apps[cmp.Or(number.AppID, subscribed.AppID)]
		numbers[id] = &bound{Number: number, target: world.Target{
			URL:    cmp.Or(number.WebhookURL, subscribed.CallbackURL, app.WebhookURL),
			Secret: cmp.Or(number.AppSecret, app.Secret, DefaultSecret),
		}}
	}
	r.lookup.Store(&numbers)
	texts := map[templateKey]*Template{}
	for _, list := range [][]Template{builtin, r.state.Templates} {
		for i := range list {
			texts[templateKey{list[i].Name, list[i].Language}] = &list[i]
		}
	}
	r.texts.Store(&texts)
}

// change edits the state under the lock, saves it and rebuilds the tables.
func (r *registry) change(edit func(*state)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	edit(&r.state)
	r.rebuild()
	return world.Save(r.path, r.state)
}

func (r *registry) number(id string) *bound { return (*r.lookup.Load())[id] }

// shared is the one address at which an app is told about all its numbers: the first of those that its secret signs.
func (r *registry) shared(target world.Target) world.Target {
	for _, one := range *r.lookup.Load() {
		if one.target.Secret == target.Secret && one.target.URL != "" && one.target.URL < target.URL {
			target = one.target
		}
	}
	return target
}

// use returns a number, registering it unless strict. Nil means that it does not exist.
func (r *registry) use(id, token string, strict bool) *bound {
	if found := r.number(id); found != nil || strict || !isDigits(id) || len(id) > 32 {
		return found
	}
	// A failure to save is no reason to refuse: the number is registered again by its next use.
	r.change(func(s *state) { //nolint:errcheck
		if _, taken := s.Numbers[id]; !taken {
			s.Numbers[id] = Number{ID: id, Display: madeUpNumber(id), Name: "Sandbox number", AccountID: r.tokens[token]}
		}
		r.seen[id] = token
	})
	return r.number(id)
}

// introduce notes that a token belongs to an account, and gives the account to numbers used with that token.
func (r *registry) introduce(accountID, token string) {
	r.mu.Lock()
	known := r.tokens[token] == accountID
	r.tokens[token] = accountID
	r.mu.Unlock()
	if known {
		return
	}
	r.change(func(s *state) { //nolint:errcheck // as in use
		for id, number := range s.Numbers {
			if number.AccountID == "" && r.seen[id] == token {
				number.AccountID = accountID
				s.Numbers[id] = number
			}
		}
	})
}

// fits tells whether a secret may be an app's: of an app that nobody registered, any is.
func (r *registry) fits(appID, secret string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if app, known := r.state.Apps[appID]; known {
		return app.Secret == secret
	}
	for _, number := range r.state.Numbers {
		if number.AppID == appID && number.AppSecret != "" {
			return number.AppSecret == secret
		}
	}
	return isDigits(appID)
}

// own notes that a token is an app's.
func (r *registry) own(token, appID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.owners[token] = appID
}

// appOf returns the app of a token, or nothing when no app has asked about it.
func (r *registry) appOf(token string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.owners[token]
}

// madeUpNumber gives a number that nobody registered a display number that can't be anybody's: 555-01xx.
func madeUpNumber(id string) string {
	return fmt.Sprintf("+1 201-555-01%02d", world.Hash(0, id)%100)
}

// Numbers returns the registered numbers by id.
func (s *Server) Numbers() []Number {
	numbers := []Number{}
	for _, one := range *s.registry.lookup.Load() {
		numbers = append(numbers, one.Number)
	}
	slices.SortFunc(numbers, func(a, b Number) int { return strings.Compare(a.ID, b.ID) })
	return numbers
}

// PutNumber registers or changes a number. With an account and an app, the app counts as subscribed.
func (s *Server) PutNumber(number Number) error {
	if !isDigits(number.ID) || len(number.ID) > 32 {
		return errors.New("the number id must be up to 32 digits")
	}
	if number.AccountID != "" && !isDigits(number.AccountID) {
		return errors.New("account_id must be digits")
	}
	if err := fitURL(number.WebhookURL); err != nil {
		return err
	}
	return s.registry.change(func(state *state) {
		old := state.Numbers[number.ID]
		merged := Number{
			ID:          number.ID,
			Display:     cmp.Or(number.Display, old.Display, madeUpNumber(number.ID)),
			Name:        cmp.Or(number.Name, old.Name, "Sandbox number"),
			AccountID:   cmp.Or(number.AccountID, old.AccountID),
			AppID:       cmp.Or(number.AppID, old.AppID),
			AppSecret:   cmp.Or(number.AppSecret, old.AppSecret),
			WebhookURL:  cmp.Or(number.WebhookURL, old.WebhookURL),
			VerifyToken: cmp.Or(number.VerifyToken, old.VerifyToken),
			Status:      cmp.Or(number.Status, old.Status),
			Quality:     cmp.Or(number.Quality, old.Quality),
			Tier:        cmp.Or(number.Tier, old.Tier),
		}
		state.Numbers[number.ID] = merged
		if merged.AccountID != "" && merged.AppID != "" {
			subscribed := state.Accounts[merged.AccountID]
			subscribed.AppID = merged.AppID
			state.Accounts[merged.AccountID] = subscribed
		}
	})
}

// PutApp registers or changes an app.
func (s *Server) PutApp(app App) error {
	if app.ID == "" || app.Secret == "" {
		return errors.New("app_id and app_secret are needed")
	}
	if err := fitURL(app.WebhookURL); err != nil {
		return err
	}
	return s.registry.change(func(state *state) {
		app.WebhookURL = cmp.Or(app.WebhookURL, state.Apps[app.ID].WebhookURL)
		state.Apps[app.ID] = app
	})
}

// Apps returns the ids of the registered apps.
func (s *Server) Apps() []string {
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	return slices.Sorted(maps.Keys(s.registry.state.Apps))
}

func fitURL(raw string) error {
	if raw == "" {
		return nil
	}
	parsed, err := url.Parse(raw)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
		return errors.New("the webhook address must begin with http:// or https://")
	}
	return nil
}
