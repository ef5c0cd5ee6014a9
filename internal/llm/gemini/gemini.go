// Package gemini speaks to Google's Gemini. The library under it is no longer kept by Google: everything that knows it is
// in this file.
package gemini

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/generative-ai-go/genai"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"

	"omnidesk/internal/llm"
)

// Adapter asks Gemini. Make it with New, one for a process: the library never gives back all that it takes.
type Adapter struct {
	wire   llm.Wire
	client *genai.Client
	plain  *http.Client // the same connections without the library
}

var _ llm.Model = (*Adapter)(nil)

// New returns an adapter. It has no key of its own: each call brings one.
func New(wire llm.Wire) (*Adapter, error) {
	provider, err := wire.Client()
	if err != nil {
		return nil, err
	}
	provider.Transport = keyHeader{provider.Transport}
	// The key option is for a part of the library that is never used and would look for other credentials.
	client, err := genai.NewClient(context.Background(), option.WithAPIKey("unused"), option.WithHTTPClient(provider))
	if err != nil {
		return nil, fmt.Errorf("setting up Gemini: %w", err)
	}
	return &Adapter{wire: wire, client: client, plain: provider}, nil
}

type keyOf struct{}

// keyHeader sends the key of the call's context in a header. In the URL, where the library would put it, it would end in
// logs and in errors.
type keyHeader struct{ next http.RoundTripper }

// RoundTrip sends one call.
func (t keyHeader) RoundTrip(r *http.Request) (*http.Response, error) {
	key, _ := r.Context().Value(keyOf{}).(string)
	r = r.Clone(r.Context())
	query := r.URL.Query()
	query.Del("key")
	r.URL.RawQuery = query.Encode()
	r.Header.Set("X-Goog-Api-Key", key)
	return t.next.RoundTrip(r)
}

// begin returns the context of one call.
func (a *Adapter) begin(ctx context.Context, access llm.Access) (context.Context, context.CancelFunc) {
	return a.wire.Bound(context.WithValue(ctx, keyOf{}, access.Key))
}

// Generate returns a whole answer.
func (a *Adapter) Generate(ctx context.Context, access llm.Access, request llm.Request) (llm.Answer, error) {
	return a.Stream(ctx, access, request, func(string) error { return nil })
}

// Stream returns a whole answer and hands it over in pieces.
func (a *Adapter) Stream(ctx context.Context, access llm.Access, request llm.Request, piece func(string) error) (llm.Answer, error) {
	if err := request.Check(); err != nil {
		return llm.Answer{}, err
	}
	model, err := a.model(request)
	if err != nil {
		return llm.Answer{}, err
	}
	turns, err := contents(request.Messages)
	if err != nil {
		return llm.Answer{}, err
	}
	ctx, cancel := a.begin(ctx, access)
	defer cancel()
	chat := model.StartChat()
	last := len(turns) - 1
	chat.History = turns[:last]
	r := reading{request: request, ended: llm.Cut}
	stream := chat.SendMessageStream(ctx, turns[last].Parts...)
	for {
		response, err := stream.Next()
		if errors.Is(err, iterator.Done) {
			return llm.Finish(request, llm.Answer{Text: r.text.String(), Calls: r.calls, Usage: r.spent()}, r.ended)
		}
		var blocked *genai.BlockedError
		if errors.As(err, &blocked) {
			return llm.Finish(request, llm.Answer{Usage: r.spent()}, llm.Declined)
		}
		if err != nil {
			return llm.Answer{}, llm.Failed(ctx, err, r.spent())
		}
		if err := r.take(response, piece); err != nil {
			return llm.Answer{}, err
		}
	}
}

// reading gathers a stream. It is cut until the provider says how it ended.
type reading struct {
	request llm.Request
	text    strings.Builder
	calls   []llm.Call
	usage   *genai.UsageMetadata
	ended   llm.Ending
}

func (r *reading) take(response *genai.GenerateContentResponse, piece func(string) error) error {
	if response.UsageMetadata != nil {
		r.usage = response.UsageMetadata
	}
	if len(response.Candidates) == 0 {
		return nil
	}
	candidate := response.Candidates[0]
	switch candidate.FinishReason {
	case genai.FinishReasonUnspecified:
	case genai.FinishReasonStop:
		r.ended = llm.Whole
	case genai.FinishReasonMaxTokens:
		r.ended = llm.Cut
	default: // language, block list, prohibited content and what may come
		r.ended = llm.Declined
	}
	if candidate.Content == nil {
		return nil
	}
	for _, part := range candidate.Content.Parts {
		if err := r.part(part, piece); err != nil {
			return err
		}
	}
	return nil
}

func (r *reading) part(part genai.Part, piece func(string) error) error {
	switch said := part.(type) {
	case genai.Text:
		r.text.WriteString(string(said))
		if r.text.Len() > llm.MostAnswer {
			return &llm.Error{Class: llm.Unfit, Code: llm.CodeTooLong, Status: http.StatusOK, Usage: r.spent()}
		}
		if said == "" {
			return nil
		}
		return piece(string(said))
	case genai.FunctionCall:
		arguments, err := json.Marshal(said.Args)
		if err != nil {
			return &llm.Error{Class: llm.Unfit, Code: llm.CodeBadCall, Status: http.StatusOK, Usage: r.spent()}
		}
		r.calls = append(r.calls, llm.Call{ID: fmt.Sprintf("call-%d", len(r.calls)+1), Name: said.Name, Arguments: arguments})
	}
	return nil
}

// spent is what the provider counted, or our guess from what arrived. What a model thought is in the total alone.
func (r *reading) spent() llm.Usage {
	if r.usage != nil && r.usage.TotalTokenCount > 0 {
		return llm.Usage{In: int(r.usage.PromptTokenCount), Out: int(r.usage.TotalTokenCount - r.usage.PromptTokenCount)}
	}
	return llm.Usage{In: llm.EstimatePrompt(r.request), Out: llm.Estimate(r.text.String()), Estimated: true}
}

func (a *Adapter) model(request llm.Request) (*genai.GenerativeModel, error) {
	model := a.client.GenerativeModel(request.Model)
	model.Temperature = request.Temperature
	if request.MostTokens > 0 {
		model.SetMaxOutputTokens(int32(request.MostTokens))
	}
	if request.System != "" {
		model.SystemInstruction = genai.NewUserContent(genai.Text(request.System))
	}
	if request.JSON != nil {
		model.ResponseMIMEType = "application/json"
		if len(request.JSON.Schema) > 0 {
			schema, err := schemaOf(request.JSON.Schema)
			if err != nil {
				return nil, err
			}
			model.ResponseSchema = schema
		}
	}
	if len(request.Tools) == 0 {
		return model, nil
	}
	offered := &genai.Tool{}
	for _, tool := range request.Tools {
		parameters, err := schemaOf(tool.Parameters)
		if err != nil {
			return nil, err
		}
		if len(parameters.Properties) == 0 {
			parameters = nil // Google refuses an object without fields
		}
		offered.FunctionDeclarations = append(offered.FunctionDeclarations, &genai.FunctionDeclaration{Name: tool.Name, Description: tool.Description, Parameters: parameters})
	}
	model.Tools = []*genai.Tool{offered}
	return model, nil
}

func contents(messages []llm.Message) ([]*genai.Content, error) {
	var turns []*genai.Content
	for _, message := range messages {
		turn := &genai.Content{Role: "user"}
		if message.Role == llm.Assistant {
			turn.Role = "model"
		}
		if message.Role == llm.Result {
			turn.Parts = append(turn.Parts, genai.FunctionResponse{Name: message.Call.Name, Response: map[string]any{"result": message.Text}})
		} else if message.Text != "" {
			turn.Parts = append(turn.Parts, genai.Text(message.Text))
		}
		for _, call := range message.Calls {
			arguments := map[string]any{}
			if err := json.Unmarshal(call.Arguments, &arguments); err != nil {
				return nil, fmt.Errorf("asking a model: reading the arguments of %s: %w", call.Name, err)
			}
			turn.Parts = append(turn.Parts, genai.FunctionCall{Name: call.Name, Args: arguments})
		}
		turns = append(turns, turn)
	}
	return turns, nil
}

// plainSchema is the part of JSON schema that Gemini takes.
type plainSchema struct {
	Type        any                        `json:"type"`
	Format      string                     `json:"format"`
	Description string                     `json:"description"`
	Enum        []string                   `json:"enum"`
	Items       json.RawMessage            `json:"items"`
	Properties  map[string]json.RawMessage `json:"properties"`
	Required    []string                   `json:"required"`
}

var types = map[string]genai.Type{"string": genai.TypeString, "number": genai.TypeNumber, "integer": genai.TypeInteger,
	"boolean": genai.TypeBoolean, "array": genai.TypeArray, "object": genai.TypeObject}

// schemaOf translates a JSON schema. What Gemini has no word for, such as $ref, is an error of ours.
func schemaOf(raw json.RawMessage) (*genai.Schema, error) {
	var plain plainSchema
	if err := json.Unmarshal(raw, &plain); err != nil {
		return nil, fmt.Errorf("asking a model: reading a schema: %w", err)
	}
	schema := &genai.Schema{Description: plain.Description, Enum: plain.Enum, Required: plain.Required, Format: plain.Format}
	if len(plain.Enum) > 0 {
		schema.Format = "enum"
	}
	names, several := plain.Type.([]any)
	if !several {
		names = []any{plain.Type}
	}
	for _, name := range names {
		if name == "null" {
			schema.Nullable = true
		} else if word, _ := name.(string); schema.Type == genai.TypeUnspecified {
			schema.Type = types[word]
		}
	}
	if schema.Type == genai.TypeUnspecified {
		return nil, fmt.Errorf("asking a model: Gemini needs a plain type in each part of a schema")
	}
	if len(plain.Items) > 0 {
		items, err := schemaOf(plain.Items)
		if err != nil {
			return nil, err
		}
		schema.Items = items
	}
	for name, inner := range plain.Properties {
		property, err := schemaOf(inner)
		if err != nil {
			return nil, err
		}
		if schema.Properties == nil {
			schema.Properties = map[string]*genai.Schema{}
		}
		schema.Properties[name] = property
	}
	return schema, nil
}

// Embed returns vectors of texts. Google does not say how many tokens it counted.
func (a *Adapter) Embed(ctx context.Context, access llm.Access, model string, dimensions int, texts []string) (llm.Vectors, error) {
	if err := llm.CheckInputs(texts); err != nil {
		return llm.Vectors{}, err
	}
	ctx, cancel := a.begin(ctx, access)
	defer cancel()
	embedder := a.client.EmbeddingModel(model)
	batch := embedder.NewBatch()
	vectors := llm.Vectors{Usage: llm.Usage{Estimated: true}}
	for _, text := range texts {
		batch.AddContent(genai.Text(text))
		vectors.Usage.In += llm.Estimate(text)
	}
	response, err := embedder.BatchEmbedContents(ctx, batch)
	if err != nil {
		return llm.Vectors{}, llm.Failed(ctx, err, llm.Usage{})
	}
	for _, one := range response.Embeddings {
		if one == nil {
			one = &genai.ContentEmbedding{}
		}
		vectors.Values = append(vectors.Values, one.Values)
	}
	return llm.FinishVectors(vectors, len(texts), dimensions)
}

// Models lists what a key may ask. The library's own list takes neither a context nor, with it, a key.
func (a *Adapter) Models(ctx context.Context, access llm.Access) ([]llm.Offer, error) {
	ctx, cancel := a.begin(ctx, access)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://generativelanguage.googleapis.com/v1beta/models?pageSize=1000", nil)
	if err != nil {
		return nil, fmt.Errorf("asking for models: %w", err)
	}
	response, err := a.plain.Do(request)
	if err != nil {
		return nil, llm.Failed(ctx, err, llm.Usage{})
	}
	defer response.Body.Close()
	var list struct {
		Models []struct {
			Name    string   `json:"name"`
			Methods []string `json:"supportedGenerationMethods"`
		} `json:"models"`
	}
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		return nil, llm.Failed(ctx, err, llm.Usage{})
	}
	var offers []llm.Offer
	for _, model := range list.Models {
		offers = append(offers, llm.Offer{Name: strings.TrimPrefix(model.Name, "models/"),
			Writes: slices.Contains(model.Methods, "generateContent"), Embeds: slices.Contains(model.Methods, "embedContent")})
	}
	return llm.SortOffers(offers), nil
}
