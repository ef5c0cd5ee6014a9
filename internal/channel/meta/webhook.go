package meta

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/url"
	"regexp"
)

var challengePattern = regexp.MustCompile(`^[0-9]{1,20}$`)

// VerifySignature tells whether header, the value of X-Hub-Signature-256, signs the raw body. It takes the
// same time for every wrong signature. An empty secret verifies nothing.
func VerifySignature(secret string, body []byte, header string) bool {
	if secret == "" {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	want := "sha256=" + hex.EncodeToString(mac.Sum(nil))
	return subtle.ConstantTimeCompare([]byte(want), []byte(header)) == 1
}

// Challenge answers the GET by which Meta proves a webhook address. It returns what to answer as plain text,
// and false when the request does not carry verifyToken or a challenge of digits, and must be refused.
func Challenge(query url.Values, verifyToken string) (string, bool) {
	mode, token, challenge := query["hub.mode"], query["hub.verify_token"], query["hub.challenge"]
	if len(mode) != 1 || len(token) != 1 || len(challenge) != 1 || verifyToken == "" {
		return "", false
	}
	if mode[0] != "subscribe" || subtle.ConstantTimeCompare([]byte(token[0]), []byte(verifyToken)) != 1 {
		return "", false
	}
	if !challengePattern.MatchString(challenge[0]) {
		return "", false
	}
	return challenge[0], true
}
