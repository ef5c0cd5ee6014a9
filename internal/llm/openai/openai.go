// Package openai speaks to OpenAI, and to whatever else takes its chat completions and embeddings.
package openai

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/sashabaranov/go-openai"

	"omnidesk/internal/llm"
)

// Adapter asks models over OpenAI's protocol. Make it with New.
type Adapter struct {
	wire      llm.Wire
	provider  *http.Client
	strangers *http.Client
}

var _ llm.Model = (*Adapter)(nil)

// New returns an adapter.
func New(wire llm.Wire) (*Adapter, error) {
	provider, err := wire.Client()
	if err != nil {
		return nil, err
	}
	strangers, err := wire.StrangerClient()
	if err != nil {
		return nil, err
	}
	return &Adapter{wire: wire, provider: provider, strangers: strangers}, nil
}

// client is cheap: what is costly, the connections, are the adapter's. The sandbox answers under OpenAI's name alone.
func (a *Adapter) client(access llm.Access) *openai.Client {
	config := openai.DefaultConfig(access.Key)
	config.HTTPClient = a.provider
	if access.BaseURL != "" && a.wire.SandboxURL == "" {
		config.BaseURL, config.HTTPClient = strings.TrimRight(access.BaseURL, "/"), a.strangers
	}
	return openai.NewClientWithConfig(config)
}

// Generate returns a whole answer.
func (a *Adapter) Generate(ctx context.Context, access llm.Access, request llm.Request) (llm.Answer, error) {
	call, err := encode(access, request)
	if err != nil {
		return llm.Answer{}, err
	}
	ctx, cancel := a.wire.Bound(ctx)
	defer cancel()
	response, err := a.client(access).CreateChatCompletion(ctx, call)
	if err != nil {
		return llm.Answer{}, llm.Failed(ctx, err, llm.Usage{In: llm.EstimatePrompt(request), Estimated: true})
	}
	answer := llm.Answer{Usage: llm.Usage{In: response.Usage.PromptTokens, Out: response.Usage.CompletionTokens}}
	if len(response.Choices) == 0 {
		return llm.Finish(request, answer, llm.Whole)
	}
	choice := response.Choices[0]
	answer.Text, answer.Calls = choice.Message.Content, calls(choice.Message.ToolCalls)
	return llm.Finish(request, answer, ending(choice.FinishReason, choice.Message.Refusal))
}

// Stream returns a whole answer and hands it over in pieces.
func (a *Adapter) Stream(ctx context.Context, access llm.Access, request llm.Request, piece func(string) error) (llm.Answer, error) {
	call, err := encode(access, request)
	if err != nil {
		return llm.Answer{}, err
	}
	call.StreamOptions = &openai.StreamOptions{IncludeUsage: true}
	ctx, cancel := a.wire.Bound(ctx)
	defer cancel()
	stream, err := a.client(access).CreateChatCompletionStream(ctx, call)
	if err != nil {
		return llm.Answer{}, llm.Failed(ctx, err, llm.Usage{In: llm.EstimatePrompt(request), Estimated: true})
	}
	defer stream.Close() //nolint:errcheck // it was read to its end, or is given up
	return (&reading{request: request, ended: llm.Cut}).read(ctx, stream, piece)
}

// reading gathers a stream. It is cut until the provider says how it ended.
type reading struct {
	request llm.Request
	text    strings.Builder
	calls   []openai.ToolCall
	usage   *openai.Usage
	ended   llm.Ending
	refusal strings.Builder
}

func (r *reading) read(ctx context.Context, stream *openai.ChatCompletionStream, piece func(string) error) (llm.Answer, error) {
	for {
		event, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return llm.Answer{}, llm.Failed(ctx, err, r.spent())
		}
		if event.Usage != nil {
			r.usage = event.Usage
		}
		for _, choice := range event.Choices {
			if err := r.take(choice, piece); err != nil {
				return llm.Answer{}, err
			}
		}
	}
	return llm.Finish(r.request, llm.Answer{Text: r.text.String(), Calls: calls(r.calls), Usage: r.spent()}, r.ended)
}

func (r *reading) take(choice openai.ChatCompletionStreamChoice, piece func(string) error) error {
	r.text.WriteString(choice.Delta.Content)
	r.refusal.WriteString(choice.Delta.Refusal)
	if r.text.Len() > llm.MostAnswer {
		return &llm.Error{Class: llm.Unfit, Code: llm.CodeTooLong, Status: http.StatusOK, Usage: r.spent()}
	}
	for _, part := range choice.Delta.ToolCalls {
		r.call(part)
	}
	if choice.FinishReason != "" {
		r.ended = ending(choice.FinishReason, r.refusal.String())
	}
	if choice.Delta.Content == "" {
		return nil
	}
	return piece(choice.Delta.Content)
}

// call joins the parts of a tool's call, which name it by its place.
func (r *reading) call(part openai.ToolCall) {
	place := len(r.calls)
	if part.Index != nil {
		place = *part.Index
	}
	if place < 0 || place > 64 {
		return
	}
	for len(r.calls) <= place {
		r.calls = append(r.calls, openai.ToolCall{})
	}
	whole := &r.calls[place]
	whole.ID += part.ID
	whole.Function.Name += part.Function.Name
	whole.Function.Arguments += part.Function.Arguments
}

// spent is what the provider counted, or our guess from what arrived.
func (r *reading) spent() llm.Usage {
	if r.usage != nil {
		return llm.Usage{In: r.usage.PromptTokens, Out: r.usage.CompletionTokens}
	}
	return llm.Usage{In: llm.EstimatePrompt(r.request), Out: llm.Estimate(r.text.String()), Estimated: true}
}

func ending(reason openai.FinishReason, refusal string) llm.Ending {
	switch {
	case refusal != "", reason == openai.FinishReasonContentFilter:
		return llm.Declined
	case reason == openai.FinishReasonLength:
		return llm.Cut
	}
	return llm.Whole
}

func calls(from []openai.ToolCall) []llm.Call {
	var to []llm.Call
	for _, call := range from {
		to = append(to, llm.Call{ID: call.ID, Name: call.Function.Name, Arguments: json.RawMessage(call.Function.Arguments)})
	}
	return to
}

func encode(access llm.Access, request llm.Request) (openai.ChatCompletionRequest, error) {
	if err := request.Check(); err != nil {
		return openai.ChatCompletionRequest{}, err
	}
	call := openai.ChatCompletionRequest{Model: request.Model, MaxCompletionTokens: request.MostTokens, ResponseFormat: format(request.JSON)}
	if access.BaseURL != "" { // other servers know the older word alone
		call.MaxTokens, call.MaxCompletionTokens = call.MaxCompletionTokens, 0 //nolint:staticcheck // old for OpenAI alone
	}
	if request.Temperature != nil {
		call.Temperature = max(*request.Temperature, 1e-6) // a zero would be left out
	}
	if request.System != "" {
		call.Messages = append(call.Messages, openai.ChatCompletionMessage{Role: openai.ChatMessageRoleSystem, Content: request.System})
	}
	for _, message := range request.Messages {
		call.Messages = append(call.Messages, encodeMessage(message))
	}
	for _, tool := range request.Tools {
		call.Tools = append(call.Tools, openai.Tool{Type: openai.ToolTypeFunction,
			Function: &openai.FunctionDefinition{Name: tool.Name, Description: tool.Description, Parameters: tool.Parameters}})
	}
	return call, nil
}

func encodeMessage(message llm.Message) openai.ChatCompletionMessage {
	encoded := openai.ChatCompletionMessage{Role: string(message.Role), Content: message.Text}
	if message.Role == llm.Result {
		encoded.ToolCallID = message.Call.ID
	}
	for _, call := range message.Calls {
		encoded.ToolCalls = append(encoded.ToolCalls, openai.ToolCall{ID: call.ID, Type: openai.ToolTypeFunction,
			Function: openai.FunctionCall{Name: call.Name, Arguments: string(call.Arguments)}})
	}
	return encoded
}

func format(shape *llm.Shape) *openai.ChatCompletionResponseFormat {
	switch {
	case shape == nil:
		return nil
	case len(shape.Schema) == 0:
		return &openai.ChatCompletionResponseFormat{Type: openai.ChatCompletionResponseFormatTypeJSONObject}
	}
	return &openai.ChatCompletionResponseFormat{Type: openai.ChatCompletionResponseFormatTypeJSONSchema,
		JSONSchema: &openai.ChatCompletionResponseFormatJSONSchema{Name: shape.Name, Schema: shape.Schema, Strict: true}}
}

// Embed returns vectors of texts.
func (a *Adapter) Embed(ctx context.Context, access llm.Access, model string, dimensions int, texts []string) (llm.Vectors, error) {
	if err := llm.CheckInputs(texts); err != nil {
		return llm.Vectors{}, err
	}
	ctx, cancel := a.wire.Bound(ctx)
	defer cancel()
	response, err := a.client(access).CreateEmbeddings(ctx, openai.EmbeddingRequestStrings{Input: texts, Model: openai.EmbeddingModel(model), Dimensions: dimensions})
	if err != nil {
		return llm.Vectors{}, llm.Failed(ctx, err, llm.Usage{})
	}
	slices.SortFunc(response.Data, func(a, b openai.Embedding) int { return a.Index - b.Index })
	vectors := llm.Vectors{Usage: llm.Usage{In: response.Usage.PromptTokens}}
	for _, one := range response.Data {
		vectors.Values = append(vectors.Values, one.Embedding)
	}
	return llm.FinishVectors(vectors, len(texts), dimensions)
}

// Models lists what a key may ask. The protocol does not say what a model is for: its name must tell.
func (a *Adapter) Models(ctx context.Context, access llm.Access) ([]llm.Offer, error) {
	ctx, cancel := a.wire.Bound(ctx)
	defer cancel()
	list, err := a.client(access).ListModels(ctx)
	if err != nil {
		return nil, llm.Failed(ctx, err, llm.Usage{})
	}
	var offers []llm.Offer
	for _, model := range list.Models {
		embeds := strings.Contains(model.ID, "embed")
		offers = append(offers, llm.Offer{Name: model.ID, Embeds: embeds, Writes: !embeds && !isOther(model.ID)})
	}
	return llm.SortOffers(offers), nil
}

// others are words in the names of models that neither write nor embed.
var others = []string{"whisper", "tts", "dall-e", "image", "audio", "realtime", "moderation", "transcribe", "sora", "rerank"}

func isOther(name string) bool {
	return slices.ContainsFunc(others, func(word string) bool { return strings.Contains(name, word) })
}
