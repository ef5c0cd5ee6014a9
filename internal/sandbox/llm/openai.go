package llm

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	openAIModels     = []string{"gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "gpt-4o", "gpt-4o-mini", "gpt-5", "gpt-5-mini", "gpt-5-nano"}
	openAIEmbeddings = map[string]int{"text-embedding-3-small": 1536, "text-embedding-3-large": 3072}
)

const created = 1_735_689_600 // 2025-01-01, the birthday of all that is simulated

func (s *Server) openAI(w http.ResponseWriter, r *http.Request) {
	key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if status, code := keyRefused(key); status != 0 {
		s.failOpenAI(w, status, code, 0)
		return
	}
	if wait := s.limited("openai "+key, time.Now()); wait > 0 {
		s.failOpenAI(w, http.StatusTooManyRequests, "rate_limit_exceeded", wait)
		return
	}
	switch call := r.Method + " " + r.URL.Path; call {
	case "POST /v1/chat/completions":
		s.chat(w, r)
	case "POST /v1/embeddings":
		s.embedOpenAI(w, r)
	case "GET /v1/models":
		s.listOpenAI(w)
	default:
		s.failOpenAI(w, http.StatusNotFound, "unknown_url", 0)
	}
}

// keyRefused lets all keys in but those that begin with a word that says otherwise, so that each refusal can be shown.
func keyRefused(key string) (status int, code string) {
	switch word := strings.TrimPrefix(key, "sk-"); {
	case word == "" || strings.HasPrefix(word, "invalid"):
		return http.StatusUnauthorized, "invalid_api_key"
	case strings.HasPrefix(word, "denied"):
		return http.StatusForbidden, "permission_denied"
	case strings.HasPrefix(word, "broke"):
		return http.StatusTooManyRequests, "insufficient_quota"
	}
	return 0, ""
}

func (s *Server) failOpenAI(w http.ResponseWriter, status int, code string, wait int) {
	s.refused()
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(wait))
	}
	kind := "invalid_request_error"
	switch {
	case status >= 500:
		kind = "server_error"
	case status == http.StatusTooManyRequests && code == "insufficient_quota":
		kind = "insufficient_quota"
	case status == http.StatusTooManyRequests:
		kind = "requests"
	}
	send(w, status, map[string]any{"error": map[string]any{"message": explain(code), "type": kind, "param": nil, "code": code}})
}

func explain(code string) string {
	switch code {
	case "invalid_api_key":
		return "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys."
	case "insufficient_quota":
		return "You exceeded your current quota, please check your plan and billing details."
	case "rate_limit_exceeded":
		return "Rate limit reached. Please try again later."
	case "model_not_found":
		return "The model does not exist or you do not have access to it."
	case "context_length_exceeded":
		return fmt.Sprintf("This model's maximum context length is %d tokens.", contextSize)
	}
	return "The sandbox refused this call: " + code
}

type openAICall struct {
	Model    string `json:"model"`
	Stream   bool   `json:"stream"`
	Messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	} `json:"messages"`
	Tools []struct {
		Function struct {
			Name       string         `json:"name"`
			Parameters map[string]any `json:"parameters"`
		} `json:"function"`
	} `json:"tools"`
	ToolChoice     json.RawMessage `json:"tool_choice"`
	ResponseFormat struct {
		Type       string `json:"type"`
		JSONSchema struct {
			Schema map[string]any `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
	MaxTokens           int `json:"max_tokens"`
	MaxCompletionTokens int `json:"max_completion_tokens"`
	StreamOptions       struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

func (c openAICall) prompt() prompt {
	p := prompt{model: c.Model, most: max(c.MaxTokens, c.MaxCompletionTokens), json: strings.HasPrefix(c.ResponseFormat.Type, "json"), schema: c.ResponseFormat.JSONSchema.Schema}
	var whole []string
	for _, message := range c.Messages {
		text := contentText(message.Content)
		whole = append(whole, text)
		p.last = text
		switch message.Role {
		case "tool":
			p.results = append(p.results, text)
		case "user":
			p.results = nil // the question before was answered
		}
	}
	p.whole = strings.Join(whole, "\n")
	for _, offered := range c.Tools {
		p.tools = append(p.tools, tool{offered.Function.Name, offered.Function.Parameters})
	}
	switch choice := string(c.ToolChoice); {
	case choice == `"none"`:
		p.must = "-"
	case choice == `"required"`:
		p.must = "*"
	case strings.HasPrefix(choice, "{"):
		var named struct {
			Function struct {
				Name string `json:"name"`
			} `json:"function"`
		}
		if json.Unmarshal(c.ToolChoice, &named) == nil {
			p.must = named.Function.Name
		}
	}
	return p
}

// contentText reads a message's content, which is a text or a list of parts.
func contentText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(raw, &parts) != nil {
		return ""
	}
	for _, part := range parts {
		text += part.Text
	}
	return text
}

func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	var call openAICall
	if err := decode(r, &call); err != nil || len(call.Messages) == 0 {
		s.failOpenAI(w, http.StatusBadRequest, "invalid_request", 0)
		return
	}
	p := call.prompt()
	rule := s.rule(call.Model, p.whole)
	switch {
	case !s.pause(r, rule):
		s.refused()
		return
	case rule.HTTPStatus != 0:
		s.failOpenAI(w, rule.HTTPStatus, rule.Code, rule.RetryAfterS)
		return
	case rule.Garbage:
		s.refused()
		w.Write([]byte("<html>502 Bad Gateway</html>")) //nolint:errcheck // the client is gone
		return
	case !slices.Contains(openAIModels, call.Model):
		s.failOpenAI(w, http.StatusNotFound, "model_not_found", 0)
		return
	case tokens(p.whole) > contextSize:
		s.failOpenAI(w, http.StatusBadRequest, "context_length_exceeded", 0)
		return
	}
	said := respond(p, rule)
	s.answered(said.in, said.out)
	if call.Stream {
		s.streamOpenAI(w, r, call, said, rule)
		return
	}
	send(w, http.StatusOK, map[string]any{
		"id": answerID(p), "object": "chat.completion", "created": created, "model": call.Model,
		"choices": []any{map[string]any{"index": 0, "message": openAIMessage(said, p), "finish_reason": finish(said)}},
		"usage":   openAIUsage(said),
	})
}

func answerID(p prompt) string { return fmt.Sprintf("chatcmpl-%016x", hash(p.model+p.whole)) }

func openAIMessage(said answer, p prompt) map[string]any {
	message := map[string]any{"role": "assistant", "content": said.text, "refusal": nil}
	if said.refused {
		message["content"], message["refusal"] = nil, "I'm sorry, I can't help with that."
	}
	if said.tool != "" {
		message["content"], message["tool_calls"] = nil, []any{openAIToolCall(said, p)}
	}
	return message
}

func openAIToolCall(said answer, p prompt) map[string]any {
	return map[string]any{"index": 0, "id": fmt.Sprintf("call_%016x", hash(p.whole+said.tool)), "type": "function",
		"function": map[string]any{"name": said.tool, "arguments": string(said.arguments)}}
}

func openAIUsage(said answer) map[string]any {
	return map[string]any{"prompt_tokens": said.in, "completion_tokens": said.out, "total_tokens": said.in + said.out}
}

func finish(said answer) string {
	switch {
	case said.cut:
		return "length"
	case said.tool != "":
		return "tool_calls"
	}
	return "stop"
}

// streamOpenAI sends an answer word by word.
func (s *Server) streamOpenAI(w http.ResponseWriter, r *http.Request, call openAICall, said answer, rule Rule) {
	w.Header().Set("Content-Type", "text/event-stream")
	p := call.prompt()
	event := func(delta map[string]any, reason any) {
		body, _ := json.Marshal(map[string]any{"id": answerID(p), "object": "chat.completion.chunk", "created": created, "model": call.Model,
			"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": reason}}}) // plain values
		fmt.Fprintf(w, "data: %s\n\n", body)
		http.NewResponseController(w).Flush() //nolint:errcheck // the client is gone
	}
	event(map[string]any{"role": "assistant", "content": ""}, nil)
	chunks := pieces(said.text)
	for i, piece := range chunks {
		if !sleep(r, time.Duration(s.Settings().ChunkMS)*time.Millisecond) {
			return
		}
		if rule.CutStream && i >= len(chunks)/2 {
			panic(http.ErrAbortHandler)
		}
		event(map[string]any{"content": piece}, nil)
	}
	if said.refused {
		event(map[string]any{"refusal": "I'm sorry, I can't help with that."}, nil)
	}
	if said.tool != "" {
		event(map[string]any{"tool_calls": []any{openAIToolCall(said, p)}}, nil)
	}
	event(map[string]any{}, finish(said))
	if call.StreamOptions.IncludeUsage {
		body, _ := json.Marshal(map[string]any{"id": answerID(p), "object": "chat.completion.chunk", "created": created, "model": call.Model,
			"choices": []any{}, "usage": openAIUsage(said)}) // plain values
		fmt.Fprintf(w, "data: %s\n\n", body)
	}
	fmt.Fprint(w, "data: [DONE]\n\n")
}

// pieces cuts a text after its spaces; long texts in larger pieces.
func pieces(text string) []string {
	words := strings.SplitAfter(text, " ")
	size := max(1, len(words)/200)
	var cut []string
	for part := range slices.Chunk(words, size) {
		if piece := strings.Join(part, ""); piece != "" {
			cut = append(cut, piece)
		}
	}
	return cut
}

func (s *Server) embedOpenAI(w http.ResponseWriter, r *http.Request) {
	var call struct {
		Model      string          `json:"model"`
		Input      json.RawMessage `json:"input"`
		Dimensions int             `json:"dimensions"`
		Encoding   string          `json:"encoding_format"`
	}
	var texts []string
	err := decode(r, &call)
	if err == nil && json.Unmarshal(call.Input, &texts) != nil {
		texts = []string{contentText(call.Input)}
	}
	if err != nil || len(texts) == 0 || len(texts) > mostInputs || slices.Contains(texts, "") {
		s.failOpenAI(w, http.StatusBadRequest, "invalid_input", 0)
		return
	}
	whole := strings.Join(texts, "\n")
	rule := s.rule(call.Model, whole)
	full, known := openAIEmbeddings[call.Model]
	switch {
	case !s.pause(r, rule):
		s.refused()
		return
	case rule.HTTPStatus != 0:
		s.failOpenAI(w, rule.HTTPStatus, rule.Code, rule.RetryAfterS)
		return
	case !known:
		s.failOpenAI(w, http.StatusNotFound, "model_not_found", 0)
		return
	case call.Dimensions < 0 || call.Dimensions > full:
		s.failOpenAI(w, http.StatusBadRequest, "invalid_dimensions", 0)
		return
	case call.Dimensions == 0:
		call.Dimensions = full
	}
	data := make([]any, len(texts))
	for i, text := range texts {
		var values any = vector(text, call.Dimensions)
		if call.Encoding == "base64" {
			values = packed(values.([]float32))
		}
		data[i] = map[string]any{"object": "embedding", "index": i, "embedding": values}
	}
	s.answered(tokens(whole), 0)
	send(w, http.StatusOK, map[string]any{"object": "list", "model": call.Model, "data": data,
		"usage": map[string]any{"prompt_tokens": tokens(whole), "total_tokens": tokens(whole)}})
}

// packed is a vector as base64 of little-endian floats.
func packed(values []float32) string {
	raw := make([]byte, 0, 4*len(values))
	for _, value := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(value))
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func (s *Server) listOpenAI(w http.ResponseWriter) {
	names := slices.Clone(openAIModels)
	for name := range openAIEmbeddings {
		names = append(names, name)
	}
	slices.Sort(names)
	data := make([]any, len(names))
	for i, name := range names {
		data[i] = map[string]any{"id": name, "object": "model", "created": created, "owned_by": "sandbox"}
	}
	send(w, http.StatusOK, map[string]any{"object": "list", "data": data})
}
