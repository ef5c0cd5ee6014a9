package meta

import "omnidesk/internal/channel"

// remedy is what to do about messages that failed with a code, and whether the same message may arrive at another try.
type remedy struct {
	again bool
	todo  string
}

// The remedies of codes with which messages fail for good. "Another try" is one by hand, as a new campaign.
var remedies = map[int]remedy{
	100:    {false, "Correct the template's parameters or the text, then send again."},
	130472: {false, "Nothing can be done; Meta leaves these contacts out on purpose. Reach them in another way."},
	130497: {false, "Write from a business account that may send to that country."},
	131008: {false, "Compare the template's parameters with those of the campaign, then send again."},
	131009: {false, "Correct the values of the parameters, then send again."},
	131021: {false, "Remove the sending number from your contacts."},
	131026: {false, "Check the number with the contact, or ask them to update WhatsApp. Another try seldom helps."},
	131030: {true, "Add these contacts to the test recipients in Meta's app dashboard, then send again."},
	131047: {false, "Make a campaign with an approved template; free text reaches only contacts who wrote in the last 24 hours."},
	131049: {true, "Wait at least a day, then send again; a message that is no marketing is not held back."},
	131050: {false, "Respect it: send them no more marketing. They may start it again in WhatsApp."},
	131051: {false, "Send text or a template instead."},
	131052: {false, "Ask the contact to send the media again."},
	131053: {false, "Use media of a format and size that WhatsApp takes, then send again."},
	131062: {false, "Add the contact's phone number."},
	131063: {true, "Switch marketing messages on for this account at Meta, then send again."},
	132000: {false, "Give the campaign as many parameters as the approved template has, then send again."},
	132001: {true, "Wait until the template is approved in this language, or choose another, then send again."},
	132005: {false, "Shorten the parameters, then send again."},
	132007: {false, "Change the template's text and have it approved again."},
	132008: {false, "Correct the format of the parameters, then send again."},
	132012: {false, "Correct the format of the parameters, then send again."},
	132015: {true, "Improve the template; when Meta lets it go on, send again."},
	132016: {false, "Make another template; Meta has disabled this one for good."},
	137000: {true, "Ask the contact to confirm the new identity, then send again."},
}

// Explain puts a code of a failed message into words; 0 means that Meta gave none.
func (a *Adapter) Explain(code int) channel.Explanation {
	if code == 0 { // 0 is a code of Meta's, too, but one that holds the connection and fails no message
		return channel.Explanation{Meaning: "Meta refused the message and gave no code.", Remedy: "Open one of them and read its reason."}
	}
	e := channel.Explanation{Meaning: describe(code)}
	if found, ok := remedies[code]; ok {
		e.Remedy, e.Again = found.todo, found.again
		return e
	}
	if found, ok := verdictOf(code, 0); ok && (found.class == channel.NotAccepted || found.class == channel.Unknown || found.scope == channel.ScopeConnection) {
		e.Remedy, e.Again = "When that is over or mended, send again.", true
		return e
	}
	e.Remedy = "Look the code up in Meta's list of Cloud API errors."
	return e
}

var _ channel.Explainer = (*Adapter)(nil)
