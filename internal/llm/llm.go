// Package llm is the vocabulary of asking a language model: what is asked, what is answered, and what went wrong.
// Adapters in its folders speak to the providers. They keep nothing, repeat nothing and log nothing: whoever asks
// decides whether to ask again and pays for it.
package llm

import (
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Provider names who runs a model.
type Provider string

// The providers.
const (
	OpenAI Provider = "openai" // and whatever speaks its protocol: Ollama, vLLM and others, by address
	Gemini Provider = "gemini"
)

// Bounds of one call.
const (
	MostAnswer = 100_000 // bytes of text in an answer; a longer one is unfit
	MostInputs = 100     // texts that one Embed takes
)

// Access is how a provider is reached.
type Access struct {
	Key     string
	BaseURL string // of another server that speaks the same protocol, such as https://llm.example.com/v1; empty: the provider's own
}

// Role says who speaks.
type Role string

// The roles. What the system says goes before all messages, in Request.System.
const (
	User      Role = "user"
	Assistant Role = "assistant"
	Result    Role = "tool" // what a called tool returned
)

// Message is one turn.
type Message struct {
	Role  Role
	Text  string
	Calls []Call // of an assistant's turn
	Call  Call   // of a result's turn: the call it answers, by ID and Name
}

// Tool is what the model may ask the caller to do.
type Tool struct {
	Name, Description string
	Parameters        json.RawMessage // a JSON schema of an object
}

// Call is the model's wish that a tool be run. Its arguments are a JSON object and otherwise unchecked.
type Call struct {
	ID, Name  string
	Arguments json.RawMessage
}

// Shape asks for an answer in JSON. Without a schema any object will do.
type Shape struct {
	Name   string
	Schema json.RawMessage
}

// Request is what is asked.
type Request struct {
	Model       string
	System      string
	Messages    []Message
	Tools       []Tool
	JSON        *Shape
	MostTokens  int // of the answer; 0 leaves it to the provider
	Temperature *float32
}

// Usage counts tokens, which is what is paid for.
type Usage struct {
	In, Out   int
	Estimated bool // the provider did not count, or the answer never came whole
}

// Answer is a whole and fit answer: text, or calls of tools.
type Answer struct {
	Text  string
	Calls []Call
	Usage Usage
}

// Vectors are embeddings, one for each text in its order, all of one length.
type Vectors struct {
	Values [][]float32
	Usage  Usage
}

// Offer is a model that an Access may use.
type Offer struct {
	Name           string
	Writes, Embeds bool
}

// Model is an adapter. Its errors are *Error, or the context's own when the caller has ended it. Safe for
// concurrent use.
type Model interface {
	// Generate returns a whole answer.
	Generate(ctx context.Context, access Access, request Request) (Answer, error)
	// Stream is Generate, and hands over each piece of the text as it arrives. What was handed over counts for nothing
	// when an error comes after it. An error of piece ends the stream and is returned.
	Stream(ctx context.Context, access Access, request Request, piece func(string) error) (Answer, error)
	// Embed returns vectors of up to MostInputs texts. Dimensions of 0 are the model's own.
	Embed(ctx context.Context, access Access, model string, dimensions int, texts []string) (Vectors, error)
	// Models lists what may be asked, by name.
	Models(ctx context.Context, access Access) ([]Offer, error)
}

// Ending says how a provider ended an answer.
type Ending int

// The endings.
const (
	Whole    Ending = iota
	Cut             // the tokens ran out, or the stream broke off
	Declined        // the model, or a filter before it, would not answer
)

// Finish makes an answer of what a provider said, or says why it is unfit: nobody must mistake half a text for a
// whole one. Adapters call it last.
func Finish(request Request, answer Answer, ending Ending) (Answer, error) {
	unfit := func(class Class, code string) (Answer, error) {
		return Answer{}, &Error{Class: class, Code: code, Usage: answer.Usage}
	}
	switch {
	case ending == Declined:
		return unfit(Refused, CodeDeclined)
	case len(answer.Text) > MostAnswer:
		return unfit(Unfit, CodeTooLong)
	case ending == Cut:
		return unfit(Unfit, CodeCut)
	case answer.Text == "" && len(answer.Calls) == 0:
		return unfit(Unfit, CodeEmpty)
	case !utf8.ValidString(answer.Text):
		return unfit(Unfit, CodeGarbled)
	case request.JSON != nil && len(answer.Calls) == 0 && !isObject([]byte(answer.Text)):
		return unfit(Unfit, CodeNotJSON)
	}
	for _, call := range answer.Calls {
		if !isObject(call.Arguments) || !offered(request.Tools, call.Name) {
			return unfit(Unfit, CodeBadCall)
		}
	}
	return answer, nil
}

func isObject(raw []byte) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal(raw, &object) == nil && object != nil
}

func offered(tools []Tool, name string) bool {
	for _, tool := range tools {
		if tool.Name == name {
			return true
		}
	}
	return false
}

// Check refuses a request that no provider would understand. Its error is a mistake of ours and no *Error.
func (r Request) Check() error {
	if r.Model == "" || len(r.Messages) == 0 {
		return fmt.Errorf("asking a model: a request needs a model and a message")
	}
	if last := r.Messages[len(r.Messages)-1]; last.Role == Assistant {
		return fmt.Errorf("asking a model: the last message is its own")
	}
	for _, tool := range r.Tools {
		if tool.Name == "" || !isObject(tool.Parameters) {
			return fmt.Errorf("asking a model: tool %q needs a name and a schema of its parameters", tool.Name)
		}
	}
	return nil
}
