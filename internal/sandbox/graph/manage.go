package graph

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// getNumber answers GET /<number>?fields=…, and GET /<account>?fields=owner_business_info.
func (s *Server) getNumber(w http.ResponseWriter, r *http.Request, id, token string) {
	if r.URL.Query().Get("fields") == "owner_business_info" { // each account has a business of its own
		answer(w, http.StatusOK, map[string]any{"id": id, "owner_business_info": map[string]string{"id": "9" + id, "name": "Sandbox business"}})
		return
	}
	number := s.registry.use(id, token, s.options.Strict)
	if number == nil {
		fail(w, unknownObject(r.Method, id))
		return
	}
	fields := cmp.Or(r.URL.Query().Get("fields"), "verified_name,code_verification_status,display_phone_number,quality_rating")
	answer(w, http.StatusOK, narrow(describeNumber(number), fields))
}

func describeNumber(number *bound) map[string]any {
	return map[string]any{
		"id": number.ID, "display_phone_number": number.Display, "verified_name": number.Name,
		"quality_rating": cmp.Or(number.Quality, "GREEN"), "status": cmp.Or(number.Status, "CONNECTED"), "code_verification_status": "VERIFIED",
		"name_status": "APPROVED", "account_mode": "SANDBOX", "platform_type": "CLOUD_API",
		"throughput": map[string]string{"level": "STANDARD"}, "whatsapp_business_manager_messaging_limit": cmp.Or(number.Tier, "TIER_UNLIMITED"),
	}
}

func (s *Server) listNumbers(w http.ResponseWriter, accountID, token string) {
	s.registry.introduce(accountID, token)
	list := []map[string]any{}
	for _, number := range s.Numbers() {
		if number.AccountID == accountID {
			list = append(list, describeNumber(s.registry.number(number.ID)))
		}
	}
	answer(w, http.StatusOK, map[string]any{"data": list})
}

// debugToken answers GET /debug_token. It is asked by an app (app id|app secret) or by the token itself. Tokens
// begin with a word that says what is special about them: expiring, limited, other.
func (s *Server) debugToken(w http.ResponseWriter, r *http.Request, asker string) {
	token := r.URL.Query().Get("input_token")
	appID, secret, byApp := strings.Cut(asker, "|")
	if byApp && !s.registry.fits(appID, secret) {
		fail(w, &apiError{status: http.StatusBadRequest, code: 101, message: "Error validating application. Invalid application ID."})
		return
	}
	if byApp && strings.HasPrefix(token, "other") {
		fail(w, invalid(100, "(#100) The App_id in the input_token did not match the Viewing App", ""))
		return
	}
	if byApp {
		s.registry.own(token, appID)
	} else {
		appID = s.registry.appOf(token)
	}
	facts := map[string]any{"app_id": appID, "type": "SYSTEM_USER", "is_valid": true, "expires_at": 0,
		"scopes": []string{"whatsapp_business_management", "whatsapp_business_messaging"}}
	switch {
	case strings.HasPrefix(token, "invalid"), strings.HasPrefix(token, "expired"):
		facts["is_valid"] = false
	case strings.HasPrefix(token, "expiring"):
		facts["expires_at"] = time.Now().Add(72 * time.Hour).Unix()
	case strings.HasPrefix(token, "limited"):
		facts["scopes"] = []string{"whatsapp_business_messaging"}
	}
	answer(w, http.StatusOK, map[string]any{"data": facts})
}

func (s *Server) listSubscriptions(w http.ResponseWriter, accountID, token string) {
	s.registry.introduce(accountID, token)
	s.registry.mu.Lock()
	subscribed, ok := s.registry.state.Accounts[accountID]
	s.registry.mu.Unlock()
	list := []map[string]any{}
	if ok {
		one := map[string]any{"whatsapp_business_api_data": map[string]string{
			"id": cmp.Or(subscribed.AppID, "0"), "name": "Sandbox app", "link": "https://www.facebook.com/games/?app_id=" + cmp.Or(subscribed.AppID, "0"),
		}}
		if subscribed.CallbackURL != "" {
			one["override_callback_uri"] = subscribed.CallbackURL
		}
		list = append(list, one)
	}
	answer(w, http.StatusOK, map[string]any{"data": list})
}

// subscribe answers POST /<account>/subscribed_apps. An address given is proved by a challenge first.
func (s *Server) subscribe(w http.ResponseWriter, r *http.Request, accountID, token string) {
	var body struct {
		URL   string `json:"override_callback_uri"`
		Token string `json:"verify_token"`
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil || (len(raw) > 0 && json.Unmarshal(raw, &body) != nil) {
		fail(w, invalid(100, "Invalid parameter", "The body is not JSON."))
		return
	}
	if body.URL != "" {
		if fitURL(body.URL) != nil || !s.challenge(r.Context(), body.URL, body.Token) {
			fail(w, &apiError{
				status: http.StatusBadRequest, code: 2200, message: "(#2200) Callback verification failed: the address did not answer with the challenge.",
			})
			return
		}
	}
	s.registry.introduce(accountID, token)
	app := s.registry.appOf(token)
	err = s.registry.change(func(state *state) {
		subscribed := state.Accounts[accountID]
		subscribed.AppID = cmp.Or(app, subscribed.AppID)
		subscribed.CallbackURL, subscribed.VerifyToken = body.URL, body.Token
		state.Accounts[accountID] = subscribed
	})
	if err != nil {
		fail(w, coded(131000, "The sandbox could not save its state."))
		return
	}
	answer(w, http.StatusOK, map[string]bool{"success": true})
}

func (s *Server) unsubscribe(w http.ResponseWriter, accountID string) {
	if err := s.registry.change(func(state *state) { delete(state.Accounts, accountID) }); err != nil {
		fail(w, coded(131000, "The sandbox could not save its state."))
		return
	}
	answer(w, http.StatusOK, map[string]bool{"success": true})
}

// challenge tells whether an address proves that it knows the verify token.
func (s *Server) challenge(ctx context.Context, address, token string) bool {
	target, err := url.Parse(address)
	if err != nil {
		return false
	}
	challenge := strconv.Itoa(1_000_000_000 + rand.IntN(1_000_000_000))
	query := target.Query()
	query.Set("hub.mode", "subscribe")
	query.Set("hub.challenge", challenge)
	query.Set("hub.verify_token", token)
	target.RawQuery = query.Encode()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return false
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	got, err := io.ReadAll(io.LimitReader(response.Body, 1024))
	return err == nil && response.StatusCode == http.StatusOK && string(got) == challenge
}

// defaultPage is how many templates Meta lists when no limit is asked for.
const defaultPage = 25

// listTemplates answers GET /<account>/message_templates?fields=…&name=…&limit=…&after=…. All accounts share the
// sandbox's templates. A cursor is the number of templates before it.
func (s *Server) listTemplates(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	list := []map[string]any{}
	for _, template := range s.Templates() {
		if name := query.Get("name"); name == "" || template.Name == name {
			list = append(list, narrow(template.describe(), query.Get("fields")))
		}
	}
	limit, from := defaultPage, 0
	if raw := query.Get("limit"); raw != "" {
		if limit, _ = strconv.Atoi(raw); limit < 1 {
			fail(w, invalid(100, "Invalid parameter", "limit must be a positive number."))
			return
		}
	}
	if raw := query.Get("after"); raw != "" {
		decoded, err := base64.RawURLEncoding.DecodeString(raw)
		if from, _ = strconv.Atoi(string(decoded)); err != nil || from < 0 {
			fail(w, invalid(100, "Invalid parameter", "after is no cursor of this list."))
			return
		}
	}
	from = min(from, len(list))
	through := min(from+limit, len(list))
	cursor := func(n int) string { return base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(n))) }
	paging := map[string]any{"cursors": map[string]string{"before": cursor(from), "after": cursor(through)}}
	if through < len(list) {
		query.Set("after", cursor(through))
		paging["next"] = "https://" + Host + r.URL.Path + "?" + query.Encode()
	}
	answer(w, http.StatusOK, map[string]any{"data": list[from:through], "paging": paging})
}

// narrow leaves only the fields asked for, as Graph does; the id always stays.
func narrow(all map[string]any, fields string) map[string]any {
	asked := strings.Split(cmp.Or(fields, "name,parameter_format,components,language,status,category"), ",")
	for name := range all {
		if name != "id" && !slices.Contains(asked, name) {
			delete(all, name)
		}
	}
	return all
}
