package meta

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"omnidesk/internal/channel"
)

const (
	numberFields = "fields=id,display_phone_number,verified_name,quality_rating,status,whatsapp_business_manager_messaging_limit"
	// expiresSoon is when a token that will expire is worth a warning.
	expiresSoon = 14 * 24 * time.Hour
	allGood     = "The number answers and its webhooks are subscribed."
)

// maxList bounds what is read of an answer to a question about an account, in bytes: a page of templates is the longest.
const maxList = 4 << 20

// Check asks Meta about each part of an account, in the order in which people set it up. It is OK when nothing
// keeps the number from sending; a number that can send but whose webhooks nobody hears is OK with a Detail
// that says so.
func (a *Adapter) Check(ctx context.Context, account channel.Account) channel.Check {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	c := &checker{adapter: a, ctx: ctx, account: account}
	c.token()
	c.number()
	c.business()
	c.webhook()
	c.quality()
	c.result.OK, c.result.Detail = true, allGood
	for _, worst := range []channel.Verdict{channel.Poor, channel.Unseen, channel.Bad} {
		for _, line := range slices.Backward(c.result.Lines) {
			if line.Verdict == worst {
				c.result.OK, c.result.Detail = worst == channel.Poor, line.Detail
			}
		}
	}
	return c.result
}

// checker collects the lines of one check.
type checker struct {
	adapter *Adapter
	ctx     context.Context
	account channel.Account
	result  channel.Check
	reached bool // the token may read the number
	invalid bool // the token is, so that nothing else can be asked
}

func (c *checker) say(subject string, verdict channel.Verdict, detail string) {
	c.result.Lines = append(c.result.Lines, channel.Line{Subject: subject, Verdict: verdict, Detail: detail})
}

func (c *checker) get(path, query string, into any) string {
	return c.adapter.call(c.adapter.newRequest(http.MethodGet, c.account, path, query).WithContext(c.ctx), into)
}

// tokenFacts is what Meta tells about an access token.
type tokenFacts struct {
	Data struct {
		AppID   string   `json:"app_id"`
		Valid   bool     `json:"is_valid"`
		Expires int64    `json:"expires_at"` // seconds; 0: never
		Scopes  []string `json:"scopes"`
	} `json:"data"`
}

// token says whether the token is valid and until when, and whether app id and app secret are its app's. With
// an app secret the app itself asks, which proves the secret; without one the token asks about itself.
func (c *checker) token() {
	if c.account.Token == "" {
		c.say("token", channel.Unseen, "The access token is missing: paste a system user's token from Meta's Business settings.")
		c.say("app", channel.Unseen, "The app is compared once there is a token.")
		return
	}
	asker := c.account
	if c.account.AppID != "" && c.account.AppSecret != "" {
		asker.Token = c.account.AppID + "|" + c.account.AppSecret
	}
	var facts tokenFacts
	request := c.adapter.newRequest(http.MethodGet, asker, "/debug_token", "input_token="+url.QueryEscape(c.account.Token))
	problem, code := c.adapter.ask(request.WithContext(c.ctx), &facts)
	switch {
	case problem == "":
		c.tokenLine(facts)
		c.appLine(facts)
	case asker.Token != c.account.Token && (code == 190 || code == 101):
		c.say("token", channel.Unseen, "The access token is checked once app id and app secret fit.")
		c.say("app", channel.Bad, "Meta does not know this app id with this app secret: copy both from App settings, Basic.")
	case asker.Token != c.account.Token && code == 100:
		c.say("token", channel.Bad, "The access token belongs to another app: make one for this app, or enter that app's id and secret.")
		c.say("app", channel.Good, "App id and app secret fit.")
	default:
		c.say("token", channel.Bad, problem)
		c.say("app", channel.Unseen, "The app is compared once the token is valid.")
	}
}

func (c *checker) tokenLine(facts tokenFacts) {
	ends := time.Unix(facts.Data.Expires, 0).UTC()
	if facts.Data.Expires > 0 {
		c.result.TokenEnds = &ends
	}
	lacking := slices.DeleteFunc([]string{"whatsapp_business_messaging", "whatsapp_business_management"}, func(scope string) bool {
		return slices.Contains(facts.Data.Scopes, scope)
	})
	switch {
	case !facts.Data.Valid:
		c.invalid = true
		c.say("token", channel.Bad, verdicts[190].words())
	case len(lacking) > 0 && len(facts.Data.Scopes) > 0:
		c.say("token", channel.Bad, "The access token lacks the permission "+strings.Join(lacking, " and ")+": make a new one with it.")
	case facts.Data.Expires > 0 && time.Until(ends) < expiresSoon:
		c.say("token", channel.Poor, "The access token expires on "+ends.Format("2 January 2006")+": replace it before, best with a system user's token that never expires.")
	case facts.Data.Expires > 0:
		c.say("token", channel.Good, "The access token is valid until "+ends.Format("2 January 2006")+".")
	default:
		c.say("token", channel.Good, "The access token is valid and does not expire.")
	}
}

func (c *checker) appLine(facts tokenFacts) {
	switch {
	case !facts.Data.Valid:
		c.say("app", channel.Unseen, "The app is compared once the token is valid.")
	case c.account.AppID == "":
		c.say("app", channel.Unseen, "The app id is missing: copy it from App settings, Basic.")
	case facts.Data.AppID != "" && facts.Data.AppID != c.account.AppID:
		c.say("app", channel.Bad, "The access token belongs to another app: enter that app's id and secret, or make a token for this one.")
	case c.account.AppSecret == "":
		c.say("app", channel.Unseen, "The token is this app's. The app secret is missing: copy it from App settings, Basic.")
	default:
		c.say("app", channel.Good, "App id and app secret fit, and the token is this app's.")
	}
}

// number says whether the number answers.
func (c *checker) number() {
	if said := missingID("phone number id", c.account.NumberID); said != "" {
		c.say("number", unseenOrBad(c.account.NumberID), said)
		return
	}
	if c.account.Token == "" || c.invalid {
		c.say("number", channel.Unseen, "The number is looked up once there is a valid token.")
		return
	}
	var number struct {
		Display string `json:"display_phone_number"`
		Name    string `json:"verified_name"`
		Status  string `json:"status"`
		Quality string `json:"quality_rating"`
		Tier    string `json:"whatsapp_business_manager_messaging_limit"`
	}
	if problem := c.get("/"+c.account.NumberID, numberFields, &number); problem != "" {
		c.say("number", channel.Bad, problem)
		return
	}
	c.reached = true
	c.result.Number, c.result.Name = e164(number.Display), number.Name
	c.result.Quality, c.result.Limit = number.Quality, tierLimit(number.Tier)
	if wrong := unfitStatus(number.Status); wrong != "" {
		c.say("number", channel.Bad, wrong)
	} else {
		c.say("number", channel.Good, "The number "+number.Display+" answers as “"+number.Name+"”.")
	}
}

// business says whether the number is one of the WhatsApp Business Account's.
func (c *checker) business() {
	if said := missingID("WhatsApp Business Account id", c.account.AccountID); said != "" {
		c.say("account", unseenOrBad(c.account.AccountID), said)
		return
	}
	if !c.reached {
		c.say("account", channel.Unseen, "The account is looked up once the number answers.")
		return
	}
	var numbers struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
		Paging struct {
			Next string `json:"next"`
		} `json:"paging"`
	}
	if problem := c.get("/"+c.account.AccountID+"/phone_numbers", "fields=id&limit=200", &numbers); problem != "" {
		c.say("account", channel.Bad, "The number answers, but its WhatsApp Business Account does not: "+problem)
		return
	}
	for _, number := range numbers.Data {
		if number.ID == c.account.NumberID {
			c.portfolio()
			c.say("account", channel.Good, "The number belongs to this WhatsApp Business Account.")
			return
		}
	}
	if numbers.Paging.Next != "" {
		c.say("account", channel.Good, "The account answers; it has too many numbers to look for this one.")
		return
	}
	c.say("account", channel.Bad, "The number does not belong to this WhatsApp Business Account: copy both ids from the same API setup page.")
}

// portfolio finds the business that the account belongs to, whose numbers share one messaging limit. A token that may not ask
// leaves the account: its own numbers share it at least.
func (c *checker) portfolio() {
	var account struct {
		Owner struct {
			ID string `json:"id"`
		} `json:"owner_business_info"`
	}
	c.get("/"+c.account.AccountID, "fields=owner_business_info", &account)
	c.result.Portfolio = cmp.Or(account.Owner.ID, c.account.AccountID)
}

// webhook says whether the app hears what happens to the account's messages, and where.
func (c *checker) webhook() {
	if !c.reached || missingID("", c.account.AccountID) != "" {
		c.say("webhook", channel.Unseen, "Webhooks are looked up once the account answers.")
		return
	}
	var apps struct {
		Data []struct {
			App struct {
				ID string `json:"id"`
			} `json:"whatsapp_business_api_data"`
			Callback string `json:"override_callback_uri"`
		} `json:"data"`
	}
	if problem := c.get("/"+c.account.AccountID+"/subscribed_apps", "", &apps); problem != "" {
		c.say("webhook", channel.Bad, "The number answers, but its WhatsApp Business Account does not: "+problem)
		return
	}
	for _, one := range apps.Data {
		if c.account.AppID != "" && one.App.ID != c.account.AppID {
			continue
		}
		switch {
		case c.account.Callback == "" || one.Callback == c.account.Callback: // a check without a callback compares nothing
			c.say("webhook", channel.Good, "The app is subscribed, and Meta reports to this server.")
		case one.Callback == "":
			c.say("webhook", channel.Good, "The app is subscribed. Meta reports to the callback URL in the app's dashboard, which must be the one shown here.")
		default:
			c.say("webhook", channel.Poor, "Meta reports this account's messages to another address, so no ticks and no replies arrive here: point the webhook here.")
		}
		return
	}
	c.say("webhook", channel.Poor, "The number can send, but the app is not subscribed to the account's webhooks, so no delivered or read "+
		"ticks and no replies will arrive: point the webhook here, or subscribe the app to the WhatsApp Business Account at Meta.")
}

// quality says how well Meta thinks of the number and how many people it may reach.
func (c *checker) quality() {
	if !c.reached {
		return
	}
	reach := reach(c.result.Limit)
	switch c.result.Quality {
	case "RED":
		c.say("quality", channel.Poor, "The quality is low: people block or report the number. Write only to those who expect it, or Meta will stop it. "+reach)
	case "YELLOW":
		c.say("quality", channel.Poor, "The quality is medium: some people block or report the number. "+reach)
	case "GREEN":
		c.say("quality", channel.Good, "The quality is high. "+reach)
	default:
		c.say("quality", channel.Good, "Meta has no quality rating for the number yet. "+reach)
	}
}

// reach puts Meta's messaging limit into words.
func reach(limit int) string {
	switch limit {
	case 0:
		return "Meta does not say how many contacts a day it may write to."
	case -1:
		return "It may write to any number of new contacts a day."
	}
	return fmt.Sprintf("It may write first to %d contacts in 24 hours.", limit)
}

// missingID says what is wrong with an id of Meta's: empty when nothing is.
func missingID(name, value string) string {
	if value != "" && strings.Trim(value, "0123456789") == "" {
		return ""
	}
	return "The " + name + " must be digits only: copy it from the app's WhatsApp page at Meta."
}

func unseenOrBad(value string) channel.Verdict {
	if value == "" {
		return channel.Unseen
	}
	return channel.Bad
}

// Subscribe points the account's webhooks at callbackURL. Meta calls it at once with a challenge, which the
// server must answer while this call waits.
func (a *Adapter) Subscribe(ctx context.Context, account channel.Account, callbackURL, verifyToken string) error {
	body, err := json.Marshal(map[string]string{"override_callback_uri": callbackURL, "verify_token": verifyToken})
	if err != nil {
		return fmt.Errorf("writing the subscription: %w", err)
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	request := a.newRequest(http.MethodPost, account, "/"+url.PathEscape(account.AccountID)+"/subscribed_apps", "").WithContext(ctx)
	request.Body, request.ContentLength = io.NopCloser(strings.NewReader(string(body))), int64(len(body))
	var answer struct {
		Success bool `json:"success"`
	}
	if problem := a.call(request, &answer); problem != "" {
		return fmt.Errorf("subscribing to the account's webhooks: %s", problem)
	}
	if !answer.Success {
		return fmt.Errorf("subscribing to the account's webhooks: Meta did not confirm it")
	}
	return nil
}

// call makes a request and reads its answer, or returns one sentence that says what to mend.
func (a *Adapter) call(request *http.Request, into any) string {
	problem, _ := a.ask(request, into)
	return problem
}

// ask is call with Meta's code, 0 when it gave none.
func (a *Adapter) ask(request *http.Request, into any) (problem string, code int) {
	var track track
	response, err := a.transport.RoundTrip(request.WithContext(track.follow(request.Context())))
	if err != nil {
		return failedTrip(err, track.touchedWire()).Detail, 0
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxList))
	if err != nil {
		return "The connection to Meta broke while its answer was being read; try again.", 0
	}
	if response.StatusCode != http.StatusOK {
		return refusal(response.StatusCode, response.Header, body)
	}
	if json.Unmarshal(body, into) != nil {
		return "What answered was not Meta: check the address and any proxy between.", 0
	}
	return "", 0
}

// refusal puts a failed check into words. Code 100 here means the id in the path, not a message.
func refusal(status int, header http.Header, body []byte) (problem string, code int) {
	if failure := readError(body); failure != nil {
		code = failure.Code
		if code == 2200 {
			return "Meta called the webhook's address and got no right answer: it must be reachable from the internet with a valid certificate.", code
		}
		if code == 100 {
			return verdicts[33].words(), code
		}
	}
	if status >= 500 {
		return fmt.Sprintf("Meta has trouble of its own (HTTP %d); try again in a few minutes.", status), code
	}
	return classify(status, header, body, time.Now()).Detail, code
}

// unfitStatus says why a number that exists can't send.
func unfitStatus(status string) string {
	switch status {
	case "BANNED", "RESTRICTED", "RATE_LIMITED", "FLAGGED":
		return "Meta lists the number as " + strings.ToLower(status) + ": look at the account quality in WhatsApp Manager."
	case "DELETED", "DISCONNECTED", "MIGRATED", "UNVERIFIED", "PENDING":
		return "Meta lists the number as " + strings.ToLower(status) + ": register it for the Cloud API in WhatsApp Manager."
	default:
		return ""
	}
}

// tierLimit reads a messaging limit such as TIER_250, TIER_2K or TIER_UNLIMITED: -1 for no limit, 0 for an unknown word.
func tierLimit(tier string) int {
	words, found := strings.CutPrefix(tier, "TIER_")
	if words == "UNLIMITED" {
		return -1
	}
	digits, thousands := strings.CutSuffix(words, "K")
	n, err := strconv.Atoi(digits)
	switch {
	case !found || err != nil || n < 0 || n > 1_000_000:
		return 0
	case thousands:
		return n * 1000
	default:
		return n
	}
}

// e164 strips the spaces and dashes of a displayed number.
func e164(display string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, display)
	if digits == "" {
		return ""
	}
	return "+" + digits
}
