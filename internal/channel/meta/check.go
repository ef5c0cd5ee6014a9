package meta

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"omnidesk/internal/channel"
)

const numberFields = "fields=id,display_phone_number,verified_name,quality_rating,status,whatsapp_business_manager_messaging_limit"

// maxList bounds what is read of an answer to a question about an account, in bytes: a page of templates is the longest.
const maxList = 4 << 20

// Check asks Meta for the number and for the apps that hear the account's webhooks. A number that can send
// but whose webhooks nobody hears is OK with a Detail that says so.
func (a *Adapter) Check(ctx context.Context, account channel.Account) channel.Check {
	for _, one := range []struct{ name, value string }{
		{"phone number id", account.NumberID}, {"WhatsApp Business Account id", account.AccountID},
	} {
		if one.value == "" || strings.Trim(one.value, "0123456789") != "" {
			return channel.Check{Detail: "The " + one.name + " must be digits only: copy it from the app's WhatsApp page at Meta."}
		}
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	var number struct {
		Display string `json:"display_phone_number"`
		Name    string `json:"verified_name"`
		Status  string `json:"status"`
		Quality string `json:"quality_rating"`
		Tier    string `json:"whatsapp_business_manager_messaging_limit"`
	}
	request := a.newRequest(http.MethodGet, account, "/"+account.NumberID, numberFields)
	if problem := a.call(request.WithContext(ctx), &number); problem != "" {
		return channel.Check{Detail: problem}
	}
	result := channel.Check{OK: true, Number: e164(number.Display), Name: number.Name, Quality: number.Quality, Limit: tierLimit(number.Tier)}
	if wrong := unfitStatus(number.Status); wrong != "" {
		result.OK, result.Detail = false, wrong
		return result
	}
	var apps struct {
		Data []struct {
			App struct {
				ID string `json:"id"`
			} `json:"whatsapp_business_api_data"`
		} `json:"data"`
	}
	request = a.newRequest(http.MethodGet, account, "/"+account.AccountID+"/subscribed_apps", "")
	if problem := a.call(request.WithContext(ctx), &apps); problem != "" {
		result.OK, result.Detail = false, "The number answers, but its WhatsApp Business Account does not: "+problem
		return result
	}
	for _, subscribed := range apps.Data {
		if account.AppID == "" || subscribed.App.ID == account.AppID {
			result.Detail = "The number answers and its webhooks are subscribed."
			return result
		}
	}
	result.Detail = "The number can send, but the app is not subscribed to the account's webhooks, so no delivered or read " +
		"ticks and no replies will arrive: subscribe the app to the WhatsApp Business Account at Meta."
	return result
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
	var track track
	response, err := a.transport.RoundTrip(request.WithContext(track.follow(request.Context())))
	if err != nil {
		return failedTrip(err, track.touchedWire()).Detail
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxList))
	if err != nil {
		return "The connection to Meta broke while its answer was being read; try again."
	}
	if response.StatusCode != http.StatusOK {
		return refusal(response.StatusCode, response.Header, body)
	}
	if json.Unmarshal(body, into) != nil {
		return "What answered was not Meta: check the address and any proxy between."
	}
	return ""
}

// refusal puts a failed check into words. Code 100 here means the id in the path, not a message.
func refusal(status int, header http.Header, body []byte) string {
	if failure := readError(body); failure != nil && failure.Code == 100 {
		return verdicts[33].detail
	}
	if status >= 500 {
		return fmt.Sprintf("Meta has trouble of its own (HTTP %d); try again in a few minutes.", status)
	}
	return classify(status, header, body, time.Now()).Detail
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
