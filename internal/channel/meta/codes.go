package meta

import (
	"fmt"
	"time"

	"omnidesk/internal/channel"
)

// verdict is what one of Meta's error codes means: for a send that met it, and for whoever reads about it.
type verdict struct {
	class   channel.Class
	scope   channel.Scope
	suspect bool
	wait    time.Duration // for NotAccepted, when Meta names no time itself
	detail  string        // what happened
	remedy  string        // what to do; empty: wait, or mend what detail names
	again   bool          // the same message may arrive at another try by hand, as a new campaign
}

// later: Meta took nothing and will take it after a while.
func later(scope channel.Scope, wait time.Duration, detail, remedy string) verdict {
	return verdict{class: channel.NotAccepted, scope: scope, wait: wait, detail: detail, remedy: remedy, again: true}
}

// unclear: Meta failed while it worked on the message and does not say whether it took it.
func unclear(detail string) verdict {
	return verdict{class: channel.Unknown, detail: detail, again: true}
}

// stops: nothing within the scope can be sent until a person has mended it.
func stops(scope channel.Scope, detail, remedy string) verdict {
	return verdict{class: channel.Refused, scope: scope, detail: detail, remedy: remedy, again: true}
}

// refuses: this message failed for good.
func refuses(detail, remedy string) verdict {
	return verdict{class: channel.Refused, detail: detail, remedy: remedy}
}

// suspicious is a refusal that has more to do with the campaign than with the contact.
func (v verdict) suspicious() verdict {
	v.suspect = true
	return v
}

// mayWork is a refusal that another try by hand may escape.
func (v verdict) mayWork() verdict {
	v.again = true
	return v
}

const (
	pair       = channel.ScopePair
	template   = channel.ScopeTemplate
	campaigns  = channel.ScopeCampaigns
	connection = channel.ScopeConnection
)

// The verdicts act by code alone; Meta's titles and messages change and may carry numbers. A code is NotAccepted only
// when Meta documents that it took nothing: such a message is sent again by itself.
var verdicts = map[int]verdict{
	// Come later.
	4:      later(connection, time.Minute, "The app has reached Meta's call limit; sending goes on when Meta allows it.", ""),
	17:     later(connection, time.Minute, "The user has reached Meta's call limit; sending goes on when Meta allows it.", ""),
	613:    later(connection, time.Minute, "Meta's call limit is reached; sending goes on when Meta allows it.", ""),
	80007:  later(connection, time.Minute, "The WhatsApp Business Account has reached Meta's call limit; sending goes on when Meta allows it.", ""),
	130429: later(connection, 2*time.Second, "The number sends faster than Meta allows; it slows down.", ""),
	131056: later(pair, 6*time.Second, "Too many messages to this contact in a short time; this one waits.", ""),
	131057: later(connection, 10*time.Minute, "The WhatsApp Business Account is in maintenance at Meta; sending goes on afterwards.", ""),
	133016: later(connection, 72*time.Hour, "The number was registered and deregistered too often; Meta blocks it for up to 72 hours.", ""),

	// The outcome is not said.
	1:      unclear("Meta reported an unknown error."),
	2:      unclear("Meta's service failed for a moment."),
	131000: unclear("Meta reported that something went wrong on its side."),
	131016: unclear("Meta's service is overloaded."),
	135000: unclear("Meta reported a generic error."),

	// The number can't send until somebody mends it.
	0:      stops(connection, "Meta does not accept the access token.", "Put a valid one into the connection."),
	190:    stops(connection, "The access token is no longer valid.", "Put a new one into the connection."),
	3:      stops(connection, "The app may not use this part of Meta's API.", "Give it the permission whatsapp_business_messaging."),
	10:     stops(connection, "The access token lacks a permission.", "Give it whatsapp_business_messaging and whatsapp_business_management."),
	33:     stops(connection, "Meta does not know this phone number id, or the token may not see it.", "Check the id and the token."),
	368:    stops(connection, "Meta blocks the account for breaking its policies.", "Look at the account quality in WhatsApp Manager."),
	803:    stops(connection, "Meta does not know this id, or the token may not see it.", "Check the ids and the token."),
	131005: stops(connection, "The access token may not use this number.", "Give it whatsapp_business_messaging for this account."),
	131031: stops(connection, "Meta has locked the account.", "Look at the account quality in WhatsApp Manager."),
	131037: stops(connection, "The number needs an approved display name.", "Set one in WhatsApp Manager."),
	131042: stops(connection, "Meta found a payment problem.", "Check the payment method of the WhatsApp Business Account."),
	131044: stops(connection, "Meta found a payment problem.", "Check the payment method of the WhatsApp Business Account."),
	131045: stops(connection, "The number is not registered for the Cloud API.", "Register it in WhatsApp Manager."),
	133010: stops(connection, "The number is not registered for the Cloud API.", "Register it in WhatsApp Manager."),

	// The number's campaigns are stopped: its quality or its limits are at stake.
	131048: later(campaigns, 4*time.Hour, "Meta limits this number because too many people blocked or reported it.", "Look at its quality rating and at whom you write to before you go on."),
	131064: stops(campaigns, "Meta cut the messaging limit because templates were put into the wrong category.", "Correct their categories in WhatsApp Manager."),

	// The template's campaigns are stopped: each of their messages would be refused.
	131063: stops(template, "Marketing messages are switched off for this account on the Cloud API.", "Switch them on at Meta."),
	132000: stops(template, "The number of parameters does not fit the template.", "Give the template at Meta as many parameters as the campaign fills, or make a new campaign."),
	132001: stops(template, "The template does not exist in this language or is not approved.", "Wait until it is approved, or make a new campaign with another one."),
	132007: stops(template, "The template's text breaks a WhatsApp policy.", "Change its text and have it approved again."),
	132015: later(template, 3*time.Hour, "Meta paused the template because of its quality, mostly for 3 or 6 hours.", "Improve it, or make a new campaign with another one."),
	132016: stops(template, "Meta disabled the template for good because of its quality.", "Make a new campaign with another template."),

	// This message alone, but the campaign's others look alike.
	100:    refuses("Meta found a parameter of the message invalid.", "Correct the template's parameters or the text, then send again.").suspicious(),
	131008: refuses("Meta misses a parameter in the message.", "Compare the template's parameters with those of the campaign, then send again.").suspicious(),
	131009: refuses("Meta found a value in the message invalid.", "Correct the values of the parameters, then send again.").suspicious(),
	131030: refuses("The contact is not on the list of test recipients.", "Add these contacts to the test recipients in Meta's app dashboard, or leave test mode, then send again.").suspicious().mayWork(),
	131049: refuses("Meta held the message back because the contact gets much marketing.", "Wait at least a day, then send again; a message that is no marketing is not held back.").suspicious().mayWork(),
	131051: refuses("Meta does not support this type of message.", "Send text or a template instead.").suspicious(),
	131053: refuses("Meta could not take the media.", "Use media of a format and size that WhatsApp takes, then send again.").suspicious(),
	132005: refuses("The template's text is too long once its parameters are filled in.", "Shorten the parameters, then send again.").suspicious(),
	132008: refuses("A template parameter has the wrong format.", "Correct the format of the parameters, then send again.").suspicious(),
	132012: refuses("A template parameter has the wrong format.", "Correct the format of the parameters, then send again.").suspicious(),

	// This message alone.
	130472: refuses("Meta did not deliver because the contact is part of one of its experiments.", "Nothing can be done; Meta leaves these contacts out on purpose. Reach them in another way."),
	130497: refuses("Meta does not let this account write to the contact's country.", "Write from a business account that may send to that country."),
	131021: refuses("The contact is the sending number itself.", "Remove the sending number from your contacts."),
	131026: refuses("WhatsApp can't deliver to this contact: not on WhatsApp, an old version, or it blocks the number.", "Check the number with the contact, or ask them to update WhatsApp. Another try seldom helps."),
	131047: refuses("The contact's 24-hour window is closed: use an approved template.", "Make a campaign with an approved template; free text reaches only contacts who wrote in the last 24 hours."),
	131050: refuses("The contact stopped marketing messages from this business.", "Respect it: send them no more marketing. They may start it again in WhatsApp."),
	131052: refuses("Meta could not download the media the contact sent.", "Ask the contact to send the media again."),
	131062: refuses("This kind of message needs the contact's phone number.", "Add the contact's phone number."),
	137000: refuses("The contact's identity changed and must be confirmed before sending.", "Ask the contact to confirm the new identity, then send again.").mayWork(),
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
		return verdicts[10], true
	}
	return verdict{}, false
}

// words tell what happened and, where more than one message waits for it, what to do.
func (v verdict) words() string {
	if v.scope == channel.ScopeMessage || v.remedy == "" {
		return v.detail
	}
	return v.detail + " " + v.remedy
}

// describe puts a code that a status reported into our words.
func describe(code int) string {
	if found, ok := verdictOf(code, 0); ok {
		return found.words()
	}
	return fmt.Sprintf("Meta reported error %d.", code)
}
