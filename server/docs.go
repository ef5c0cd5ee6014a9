package server

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
)

//go:embed docs.html.tmpl
var docsSource string

var docsTemplate = template.Must(template.New("docs").Parse(docsSource))

// OpenAPI returns the OpenAPI 3.1 document of the JSON API. It needs no database.
func OpenAPI() ([]byte, error) {
	s, err := New(Options{PublicURL: "http://localhost"})
	if err != nil {
		return nil, err
	}
	return s.document()
}

func (s *Server) document() ([]byte, error) {
	raw, err := json.MarshalIndent(s.api.OpenAPI(), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the OpenAPI document: %w", err)
	}
	return append(raw, '\n'), nil
}

func (s *Server) docsRoutes() {
	// Made at the first request, when all operations are declared.
	document := sync.OnceValues(s.document)
	page := sync.OnceValues(func() ([]byte, error) { return renderDocs(s.api.OpenAPI()) })
	s.plain("openapi", "/openapi.json", func(c *gin.Context) {
		document, err := document()
		if err != nil {
			s.writeProblem(c, s.problem(c.Request.Context(), "openapi", err))
			return
		}
		c.Data(http.StatusOK, "application/json", document)
	}, http.MethodGet, http.MethodHead)
	s.plain("docs", "/docs", func(c *gin.Context) {
		page, err := page()
		if err != nil {
			s.writeProblem(c, s.problem(c.Request.Context(), "docs", err))
			return
		}
		c.Data(http.StatusOK, "text/html; charset=utf-8", page)
	}, http.MethodGet, http.MethodHead)
}

// The page is made from the document: what a reader needs of each operation, in one place.
type docsPage struct {
	Title, Version, Description string
	Tags                        []docsTag
	Schemas                     []docsSchema
}

type docsTag struct {
	Name       string
	Operations []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary, Description, Body, Answer, Access string
	Parameters                                                   []docsField
}

type docsSchema struct {
	Name, Description string
	Fields            []docsField
}

type docsField struct {
	Name, Type, Doc string
	Required        bool
}

func renderDocs(api *huma.OpenAPI) ([]byte, error) {
	page := docsPage{Title: api.Info.Title, Version: api.Info.Version, Description: api.Info.Description}
	tags := map[string]*docsTag{}
	paths := make([]string, 0, len(api.Paths))
	for path := range api.Paths {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	var order []string
	for _, path := range paths {
		item := api.Paths[path]
		for _, o := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if o == nil {
				continue
			}
			name := "other"
			if len(o.Tags) > 0 {
				name = o.Tags[0]
			}
			if tags[name] == nil {
				tags[name] = &docsTag{Name: name}
				order = append(order, name)
			}
			tags[name].Operations = append(tags[name].Operations, describeOperation(o, path))
		}
	}
	for _, name := range order {
		page.Tags = append(page.Tags, *tags[name])
	}
	for name, schema := range api.Components.Schemas.Map() {
		page.Schemas = append(page.Schemas, describeSchema(name, schema))
	}
	slices.SortFunc(page.Schemas, func(a, b docsSchema) int { return strings.Compare(a.Name, b.Name) })
	var out bytes.Buffer
	if err := docsTemplate.Execute(&out, page); err != nil {
		return nil, fmt.Errorf("rendering the API's page: %w", err)
	}
	return out.Bytes(), nil
}

func describeOperation(o *huma.Operation, path string) docsOperation {
	described := docsOperation{ID: o.OperationID, Method: o.Method, Path: path, Summary: o.Summary, Description: o.Description, Access: access(table[o.OperationID])}
	for _, p := range o.Parameters {
		described.Parameters = append(described.Parameters, docsField{Name: p.Name + " (" + p.In + ")", Type: typeName(p.Schema), Doc: p.Description, Required: p.Required})
	}
	if o.RequestBody != nil {
		for kind, media := range o.RequestBody.Content {
			described.Body = kind + ": " + typeName(media.Schema)
		}
	}
	for code, response := range o.Responses {
		if strings.HasPrefix(code, "2") {
			described.Answer = code
			for _, media := range response.Content {
				described.Answer += " " + typeName(media.Schema)
			}
		}
	}
	return described
}

func access(r rule) string {
	switch r.least {
	case anyone:
		return "everyone"
	case signedIn:
		return "signed in"
	case user:
		return "user"
	case admin:
		return "admin"
	case superadmin:
		return "superadmin"
	}
	return "nobody"
}

func describeSchema(name string, schema *huma.Schema) docsSchema {
	described := docsSchema{Name: name, Description: schema.Description}
	names := make([]string, 0, len(schema.Properties))
	for field := range schema.Properties {
		names = append(names, field)
	}
	slices.Sort(names)
	for _, field := range names {
		p := schema.Properties[field]
		described.Fields = append(described.Fields, docsField{Name: field, Type: typeName(p), Doc: docOf(p), Required: slices.Contains(schema.Required, field)})
	}
	return described
}

func docOf(s *huma.Schema) string {
	doc := s.Description
	if len(s.Enum) > 0 {
		words := make([]string, len(s.Enum))
		for i, word := range s.Enum {
			words[i] = fmt.Sprint(word)
		}
		doc = strings.TrimSpace(doc + " One of: " + strings.Join(words, ", ") + ".")
	}
	return doc
}

func typeName(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
	case s.Type == huma.TypeArray:
		return "list of " + typeName(s.Items)
	case s.Format != "":
		return s.Type + " (" + s.Format + ")"
	}
	return s.Type
}
