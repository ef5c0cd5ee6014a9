package llm

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	geminiModels     = []string{"gemini-2.0-flash", "gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-2.5-pro"}
	geminiEmbeddings = map[string]int{"gemini-embedding-001": 3072, "text-embedding-004": 768}
)

func (s *Server) gemini(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("X-Goog-Api-Key")
	if key == "" {
		key = r.URL.Query().Get("key")
	}
	if status, code := keyRefused(key); status != 0 {
		word := map[string]string{"invalid_api_key": "INVALID_ARGUMENT", "permission_denied": "PERMISSION_DENIED", "insufficient_quota": "RESOURCE_EXHAUSTED"}[code]
		if code == "invalid_api_key" {
			status = http.StatusBadRequest // which is what Google says
		}
		s.failGemini(w, status, word, code, 0)
		return
	}
	if wait := s.limited("gemini "+key, time.Now()); wait > 0 {
		s.failGemini(w, http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", "rate_limit", wait)
		return
	}
	name, known := strings.CutPrefix(r.URL.Path, "/v1beta/models")
	model, action, _ := strings.Cut(strings.TrimPrefix(name, "/"), ":")
	switch call := r.Method + " " + action; {
	case !known:
		s.failGemini(w, http.StatusNotFound, "NOT_FOUND", "", 0)
	case call == "GET " && model == "":
		s.listGemini(w)
	case call == "GET ":
		s.getGemini(w, model)
	case call == "POST generateContent", call == "POST streamGenerateContent":
		s.generate(w, r, model, action == "streamGenerateContent")
	case call == "POST embedContent", call == "POST batchEmbedContents":
		s.embedGemini(w, r, model, action == "batchEmbedContents")
	default:
		s.failGemini(w, http.StatusNotFound, "NOT_FOUND", "", 0)
	}
}

// failGemini answers with Google's envelope. The detail says what the word alone does not.
func (s *Server) failGemini(w http.ResponseWriter, status int, word, detail string, wait int) {
	s.refused()
	details := []any{}
	message := "The sandbox refused this call: " + word
	switch detail {
	case "invalid_api_key":
		message = "API key not valid. Please pass a valid API key."
		details = append(details, map[string]any{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"})
	case "insufficient_quota":
		message = "You exceeded your current quota, please check your plan and billing details."
		details = append(details, map[string]any{"@type": "type.googleapis.com/google.rpc.QuotaFailure",
			"violations": []any{map[string]any{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}}})
	case "rate_limit":
		details = append(details, map[string]any{"@type": "type.googleapis.com/google.rpc.QuotaFailure",
			"violations": []any{map[string]any{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"}}})
	}
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(wait))
		details = append(details, map[string]any{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": strconv.Itoa(wait) + "s"})
	}
	send(w, status, map[string]any{"error": map[string]any{"code": status, "message": message, "status": word, "details": details}})
}

type geminiContent struct {
	Role  string `json:"role"`
	Parts []struct {
		Text             string          `json:"text"`
		FunctionResponse json.RawMessage `json:"functionResponse"`
	} `json:"parts"`
}

func (c geminiContent) text() (text string) {
	for _, part := range c.Parts {
		text += part.Text
	}
	return text
}

type geminiCall struct {
	Contents          []geminiContent `json:"contents"`
	SystemInstruction geminiContent   `json:"systemInstruction"`
	Tools             []struct {
		FunctionDeclarations []struct {
			Name       string         `json:"name"`
			Parameters map[string]any `json:"parameters"`
		} `json:"functionDeclarations"`
	} `json:"tools"`
	ToolConfig struct {
		FunctionCallingConfig struct {
			Mode                 any      `json:"mode"` // by name or by number
			AllowedFunctionNames []string `json:"allowedFunctionNames"`
		} `json:"functionCallingConfig"`
	} `json:"toolConfig"`
	GenerationConfig struct {
		MaxOutputTokens  int            `json:"maxOutputTokens"`
		ResponseMimeType string         `json:"responseMimeType"`
		ResponseSchema   map[string]any `json:"responseSchema"`
	} `json:"generationConfig"`
}

func (c geminiCall) prompt(model string) prompt {
	p := prompt{model: model, most: c.GenerationConfig.MaxOutputTokens, json: c.GenerationConfig.ResponseMimeType == "application/json", schema: c.GenerationConfig.ResponseSchema}
	whole := []string{c.SystemInstruction.text()}
	for _, content := range c.Contents {
		text := content.text()
		if content.Role != "model" && text != "" {
			p.results = nil
		}
		for _, part := range content.Parts {
			if len(part.FunctionResponse) > 0 {
				text += string(part.FunctionResponse)
				p.results = append(p.results, string(part.FunctionResponse))
			}
		}
		whole = append(whole, text)
		p.last = text
	}
	p.whole = strings.Join(whole, "\n")
	for _, group := range c.Tools {
		for _, offered := range group.FunctionDeclarations {
			p.tools = append(p.tools, tool{offered.Name, offered.Parameters})
		}
	}
	switch config := c.ToolConfig.FunctionCallingConfig; config.Mode {
	case "ANY", 2.0:
		p.must = "*"
		if len(config.AllowedFunctionNames) > 0 {
			p.must = config.AllowedFunctionNames[0]
		}
	case "NONE", 3.0:
		p.must = "-"
	}
	return p
}

func (s *Server) generate(w http.ResponseWriter, r *http.Request, model string, stream bool) {
	var call geminiCall
	if err := decode(r, &call); err != nil || len(call.Contents) == 0 {
		s.failGemini(w, http.StatusBadRequest, "INVALID_ARGUMENT", "", 0)
		return
	}
	p := call.prompt(model)
	rule := s.rule(model, p.whole)
	switch {
	case !s.pause(r, rule):
		s.refused()
		return
	case rule.HTTPStatus != 0:
		s.failGemini(w, rule.HTTPStatus, rule.Code, rule.Code, rule.RetryAfterS)
		return
	case rule.Garbage:
		s.refused()
		w.Write([]byte("<html>502 Bad Gateway</html>")) //nolint:errcheck // the client is gone
		return
	case !slices.Contains(geminiModels, model):
		s.failGemini(w, http.StatusNotFound, "NOT_FOUND", "", 0)
		return
	case tokens(p.whole) > contextSize:
		s.failGemini(w, http.StatusBadRequest, "INVALID_ARGUMENT", "context_length", 0)
		return
	}
	said := respond(p, rule)
	s.answered(said.in, said.out)
	if stream {
		s.streamGemini(w, r, said, rule)
		return
	}
	send(w, http.StatusOK, geminiAnswer(said, said.text, true))
}

// geminiAnswer is one answer, or one piece of a stream.
func geminiAnswer(said answer, text string, last bool) map[string]any {
	usage := map[string]any{"promptTokenCount": said.in}
	if said.refused {
		usage["totalTokenCount"] = said.in
		return map[string]any{"promptFeedback": map[string]any{"blockReason": "SAFETY"}, "usageMetadata": usage}
	}
	parts := []any{}
	if text != "" {
		parts = append(parts, map[string]any{"text": text})
	}
	candidate := map[string]any{"index": 0, "content": map[string]any{"role": "model", "parts": parts}}
	if last {
		usage["candidatesTokenCount"], usage["totalTokenCount"] = said.out, said.in+said.out
		candidate["finishReason"] = "STOP"
		if said.cut {
			candidate["finishReason"] = "MAX_TOKENS"
		}
		if said.tool != "" {
			candidate["content"] = map[string]any{"role": "model", "parts": []any{map[string]any{"functionCall": map[string]any{"name": said.tool, "args": said.arguments}}}}
		}
	}
	return map[string]any{"candidates": []any{candidate}, "usageMetadata": usage}
}

// streamGemini sends an answer word by word: as events where they are asked for, else as one long JSON list.
func (s *Server) streamGemini(w http.ResponseWriter, r *http.Request, said answer, rule Rule) {
	events := r.URL.Query().Get("alt") == "sse"
	open, before, after, end := "[", ",\r\n", "", "]"
	if events {
		open, before, after, end = "", "data: ", "\r\n\r\n", ""
		w.Header().Set("Content-Type", "text/event-stream")
	} else {
		w.Header().Set("Content-Type", "application/json")
	}
	fmt.Fprint(w, open)
	chunks := pieces(said.text)
	if len(chunks) == 0 {
		chunks = []string{""}
	}
	for i, piece := range chunks {
		if !sleep(r, time.Duration(s.Settings().ChunkMS)*time.Millisecond) {
			return
		}
		if rule.CutStream && i >= len(chunks)/2 {
			panic(http.ErrAbortHandler)
		}
		body, _ := json.Marshal(geminiAnswer(said, piece, i == len(chunks)-1)) // plain values
		if i > 0 || events {
			fmt.Fprint(w, before)
		}
		fmt.Fprintf(w, "%s%s", body, after)
		http.NewResponseController(w).Flush() //nolint:errcheck // the client is gone
	}
	fmt.Fprint(w, end)
}

func (s *Server) embedGemini(w http.ResponseWriter, r *http.Request, model string, batch bool) {
	type embedCall struct {
		Content    geminiContent `json:"content"`
		Dimensions int           `json:"outputDimensionality"`
	}
	var call struct {
		embedCall
		Requests []embedCall `json:"requests"`
	}
	err := decode(r, &call)
	calls := call.Requests
	if !batch {
		calls = []embedCall{call.embedCall}
	}
	if err != nil || len(calls) == 0 || len(calls) > 100 {
		s.failGemini(w, http.StatusBadRequest, "INVALID_ARGUMENT", "", 0)
		return
	}
	whole := ""
	for _, one := range calls {
		whole += one.Content.text() + "\n"
	}
	rule := s.rule(model, whole)
	full, known := geminiEmbeddings[model]
	switch {
	case !s.pause(r, rule):
		s.refused()
		return
	case rule.HTTPStatus != 0:
		s.failGemini(w, rule.HTTPStatus, rule.Code, rule.Code, rule.RetryAfterS)
		return
	case !known:
		s.failGemini(w, http.StatusNotFound, "NOT_FOUND", "", 0)
		return
	}
	values := make([]any, len(calls))
	for i, one := range calls {
		dimensions := full
		if one.Dimensions > 0 {
			dimensions = min(one.Dimensions, full)
		}
		values[i] = map[string]any{"values": vector(one.Content.text(), dimensions)}
	}
	s.answered(tokens(whole), 0)
	if batch {
		send(w, http.StatusOK, map[string]any{"embeddings": values})
		return
	}
	send(w, http.StatusOK, map[string]any{"embedding": values[0]})
}

func (s *Server) listGemini(w http.ResponseWriter) {
	list := []any{}
	for _, name := range geminiModels {
		list = append(list, geminiModel(name, "generateContent"))
	}
	for _, name := range []string{"gemini-embedding-001", "text-embedding-004"} {
		list = append(list, geminiModel(name, "embedContent"))
	}
	send(w, http.StatusOK, map[string]any{"models": list})
}

func (s *Server) getGemini(w http.ResponseWriter, name string) {
	switch _, embeds := geminiEmbeddings[name]; {
	case embeds:
		send(w, http.StatusOK, geminiModel(name, "embedContent"))
	case slices.Contains(geminiModels, name):
		send(w, http.StatusOK, geminiModel(name, "generateContent"))
	default:
		s.failGemini(w, http.StatusNotFound, "NOT_FOUND", "", 0)
	}
}

func geminiModel(name, method string) map[string]any {
	return map[string]any{"name": "models/" + name, "version": "001", "displayName": name, "inputTokenLimit": contextSize, "outputTokenLimit": 8192,
		"supportedGenerationMethods": []string{method}}
}
