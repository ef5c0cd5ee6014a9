package meta

import "omnidesk/internal/channel"

// Explain puts a code of a failed message into words; 0 means that Meta gave none.
func (a *Adapter) Explain(code int) channel.Explanation {
	if code == 0 { // 0 is a code of Meta's, too, but one that holds the connection and fails no message
		return channel.Explanation{Meaning: "Meta refused the message and gave no code.", Remedy: "Open one of them and read its reason."}
	}
	found, ok := verdictOf(code, 0)
	switch {
	case !ok:
		return channel.Explanation{Meaning: describe(code), Remedy: "Look the code up in Meta's list of Cloud API errors."}
	case found.class == channel.Refused && found.scope == channel.ScopeMessage:
		return channel.Explanation{Meaning: found.detail, Remedy: found.remedy, Again: found.again}
	case found.remedy == "":
		return channel.Explanation{Meaning: found.detail, Remedy: "When that is over, send again.", Again: true}
	}
	return channel.Explanation{Meaning: found.detail, Remedy: found.remedy + " Then send again.", Again: true}
}

var _ channel.Explainer = (*Adapter)(nil)
