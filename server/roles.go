package server

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// Permission is one thing that people can do, and which roles may.
type Permission struct {
	Operation  string `json:"operation" doc:"as the API's document names it"`
	Words      string `json:"words"`
	Changes    bool   `json:"changes" doc:"it is more than reading"`
	User       string `json:"user" enum:"no,departments,yes" doc:"departments: only what belongs to their departments, or to none"`
	Admin      string `json:"admin" enum:"no,yes"`
	Superadmin string `json:"superadmin" enum:"inside,yes" doc:"inside: after entering a company"`
}

// PermissionGroup holds what is about one kind of things.
type PermissionGroup struct {
	About string       `json:"about" doc:"the tag of the API's document"`
	Items []Permission `json:"items"`
}

// PermissionTable says what each role may do.
type PermissionTable struct {
	Groups []PermissionGroup `json:"groups"`
}

func (s *Server) roleRoutes() {
	permissions := sync.OnceValue(s.permissions)
	register(s, op("listPermissions", http.MethodGet, "/permissions", "people", "What each role may do",
		describe("Made of the same table that decides about each call.")), func(context.Context, *struct{}) (*Out[PermissionTable], error) {
		return out(permissions()), nil
	})
}

// permissions puts the table of authz.go into the words of the API's document. What needs no session needs no role.
func (s *Server) permissions() (view PermissionTable) {
	groups := map[string][]Permission{}
	for _, o := range operations(s.api.OpenAPI()) {
		if r := table[o.OperationID]; r.least > anyone {
			groups[o.Tags[0]] = append(groups[o.Tags[0]], r.permission(o))
		}
	}
	for about, items := range groups {
		slices.SortFunc(items, func(a, b Permission) int { return strings.Compare(a.Words, b.Words) })
		view.Groups = append(view.Groups, PermissionGroup{about, items})
	}
	slices.SortFunc(view.Groups, func(a, b PermissionGroup) int { return strings.Compare(a.About, b.About) })
	return view
}

func (r rule) permission(o *huma.Operation) Permission {
	p := Permission{Operation: o.OperationID, Words: o.Summary, Changes: o.Method != http.MethodGet, User: "no", Admin: "no", Superadmin: "yes"}
	if r.least <= user {
		p.User = "yes"
	}
	if r.department {
		p.User = "departments"
	}
	if r.least <= admin {
		p.Admin = "yes"
	}
	if r.company {
		p.Superadmin = "inside"
	}
	return p
}

// operations are all of a document, in no order.
func operations(of *huma.OpenAPI) (all []*huma.Operation) {
	for _, item := range of.Paths {
		for _, o := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Patch, item.Head, item.Options, item.Trace} {
			if o != nil {
				all = append(all, o)
			}
		}
	}
	return all
}
