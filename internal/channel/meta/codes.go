package meta

import (
	"fmt"
	"time"

	"omnidesk/internal/channel"
)

// verdict is what one of Meta's error codes means for a send.
type verdict struct {
	class  channel.Class
	scope  channel.Scope
	wait   time.Duration // for NotAccepted, when Meta names no time itself
	detail string
}

// The verdicts act by code alone; Meta's titles and messages change and may carry numbers. A code is
// NotAccepted only when Meta documents that it took nothing: such a message is sent again by itself.
var verdicts = map[int]verdict{
	// Come later.
	4:      {channel.NotAccepted, channel.ScopeConnection, time.Minute, "The app has reached Meta's call limit; sending goes on when Meta allows it."},
	17:     {channel.NotAccepted, channel.ScopeConnection, time.Minute, "The user has reached Meta's call limit; sending goes on when Meta allows it."},
	613:    {channel.NotAccepted, channel.ScopeConnection, time.Minute, "Meta's call limit is reached; sending goes on when Meta allows it."},
	80007:  {channel.NotAccepted, channel.ScopeConnection, time.Minute, "The WhatsApp Business Account has reached Meta's call limit; sending goes on when Meta allows it."},
	130429: {channel.NotAccepted, channel.ScopeConnection, 2 * time.Second, "The number sends faster than Meta allows; it slows down."},
	131048: {channel.NotAccepted, channel.ScopeConnection, 4 * time.Hour, "Meta limits this number because of its quality: too many people blocked or reported it. Look at the quality rating before going on."},
	131056: {channel.NotAccepted, channel.ScopeMessage, 6 * time.Second, "Too many messages to this contact in a short time; this one waits."},
	131057: {channel.NotAccepted, channel.ScopeConnection, 10 * time.Minute, "The WhatsApp Business Account is in maintenance at Meta; sending goes on afterwards."},
	133016: {channel.NotAccepted, channel.ScopeConnection, 72 * time.Hour, "The number was registered and deregistered too often; Meta blocks it for up to 72 hours."},

	// The outcome is not said: Meta failed while it worked on the message.
	1:      {channel.Unknown, channel.ScopeMessage, 0, "Meta reported an unknown error."},
	2:      {channel.Unknown, channel.ScopeMessage, 0, "Meta's service failed for a moment."},
	131000: {channel.Unknown, channel.ScopeMessage, 0, "Meta reported that something went wrong on its side."},
	131016: {channel.Unknown, channel.ScopeMessage, 0, "Meta's service is overloaded."},
	135000: {channel.Unknown, channel.ScopeMessage, 0, "Meta reported a generic error."},

	// The connection can't send until somebody mends it.
	0:      {channel.Refused, channel.ScopeConnection, 0, "Meta does not accept the access token: put a valid one into the connection."},
	190:    {channel.Refused, channel.ScopeConnection, 0, "The access token is no longer valid: put a new one into the connection."},
	3:      {channel.Refused, channel.ScopeConnection, 0, "The app may not use this part of Meta's API: give it the permission whatsapp_business_messaging."},
	10:     {channel.Refused, channel.ScopeConnection, 0, "The access token lacks a permission: give it whatsapp_business_messaging and whatsapp_business_management."},
	33:     {channel.Refused, channel.ScopeConnection, 0, "Meta does not know this phone number id, or the token may not see it: check the id and the token."},
	368:    {channel.Refused, channel.ScopeConnection, 0, "Meta blocks the account for breaking its policies: look at the account quality in WhatsApp Manager."},
	803:    {channel.Refused, channel.ScopeConnection, 0, "Meta does not know this id, or the token may not see it: check the ids and the token."},
	131005: {channel.Refused, channel.ScopeConnection, 0, "The access token may not use this number: give it whatsapp_business_messaging for this account."},
	131031: {channel.Refused, channel.ScopeConnection, 0, "Meta has locked the account: look at the account quality in WhatsApp Manager."},
	131037: {channel.Refused, channel.ScopeConnection, 0, "The number needs an approved display name: set one in WhatsApp Manager."},
	131042: {channel.Refused, channel.ScopeConnection, 0, "Meta found a payment problem: check the payment method of the WhatsApp Business Account."},
	131044: {channel.Refused, channel.ScopeConnection, 0, "Meta found a payment problem: check the payment method of the WhatsApp Business Account."},
	131045: {channel.Refused, channel.ScopeConnection, 0, "The number is not registered for the Cloud API: register it in WhatsApp Manager."},
	131064: {channel.Refused, channel.ScopeConnection, 0, "Meta cut the messaging limit because templates were put into the wrong category: correct their categories."},
	133010: {channel.Refused, channel.ScopeConnection, 0, "The number is not registered for the Cloud API: register it in WhatsApp Manager."},

	// This message alone.
	100:    {channel.Refused, channel.ScopeMessage, 0, "Meta found a parameter of the message invalid."},
	130472: {channel.Refused, channel.ScopeMessage, 0, "Meta did not deliver because the contact is part of one of its experiments."},
	130497: {channel.Refused, channel.ScopeMessage, 0, "Meta does not let this account write to the contact's country."},
	131008: {channel.Refused, channel.ScopeMessage, 0, "Meta misses a parameter in the message."},
	131009: {channel.Refused, channel.ScopeMessage, 0, "Meta found a value in the message invalid."},
	131021: {channel.Refused, channel.ScopeMessage, 0, "The contact is the sending number itself."},
	131026: {channel.Refused, channel.ScopeMessage, 0, "WhatsApp can't deliver to this contact: not on WhatsApp, an old version, or it blocks the number."},
	131030: {channel.Refused, channel.ScopeMessage, 0, "The contact is not on the list of test recipients: add it in the app's dashboard or leave test mode."},
	131047: {channel.Refused, channel.ScopeMessage, 0, "The contact's 24-hour window is closed: use an approved template."},
	131049: {channel.Refused, channel.ScopeMessage, 0, "Meta held the message back because the contact gets much marketing; wait at least 24 hours."},
	131050: {channel.Refused, channel.ScopeMessage, 0, "The contact stopped marketing messages from this business."},
	131051: {channel.Refused, channel.ScopeMessage, 0, "Meta does not support this type of message."},
	131052: {channel.Refused, channel.ScopeMessage, 0, "Meta could not download the media the contact sent."},
	131053: {channel.Refused, channel.ScopeMessage, 0, "Meta could not take the media: check its format and size."},
	131062: {channel.Refused, channel.ScopeMessage, 0, "This kind of message needs the contact's phone number."},
	131063: {channel.Refused, channel.ScopeMessage, 0, "Marketing messages are switched off for this account on the Cloud API."},
	132000: {channel.Refused, channel.ScopeMessage, 0, "The number of parameters does not fit the template."},
	132001: {channel.Refused, channel.ScopeMessage, 0, "The template does not exist in this language or is not approved."},
	132005: {channel.Refused, channel.ScopeMessage, 0, "The template's text is too long once its parameters are filled in."},
	132007: {channel.Refused, channel.ScopeMessage, 0, "The template's text breaks a WhatsApp policy."},
	132008: {channel.Refused, channel.ScopeMessage, 0, "A template parameter has the wrong format."},
	132012: {channel.Refused, channel.ScopeMessage, 0, "A template parameter has the wrong format."},
	132015: {channel.Refused, channel.ScopeMessage, 0, "Meta paused the template because of its quality."},
	132016: {channel.Refused, channel.ScopeMessage, 0, "Meta disabled the template for good because of its quality."},
	137000: {channel.Refused, channel.ScopeMessage, 0, "The contact's identity changed and must be confirmed before sending."},
}

// verdictOf returns the verdict of a code and whether the list has one.
func verdictOf(code, subcode int) (verdict, bool) {
	if code == 100 && subcode == 33 { // "object does not exist": the id in the path, not the message
		code = 33
	}
	if found, ok := verdicts[code]; ok {
		return found, true
	}
	if code >= 200 && code <= 299 {
		return verdict{channel.Refused, channel.ScopeConnection, 0, verdicts[10].detail}, true
	}
	return verdict{}, false
}

// describe puts a code that a status reported into our words.
func describe(code int) string {
	if found, ok := verdictOf(code, 0); ok {
		return found.detail
	}
	return fmt.Sprintf("Meta reported error %d.", code)
}
