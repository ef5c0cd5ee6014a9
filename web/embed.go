// Package web holds the built web app and serves it.
package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed all:dist
var dist embed.FS

// ContentSecurityPolicy is the header the server sets on every page of the app. Styles need 'unsafe-inline' because
// the component library and the virtual lists write style attributes; scripts never do.
const ContentSecurityPolicy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; " +
	"form-action 'self'; frame-ancestors 'none'"

const notBuilt = `<!doctype html><meta charset="utf-8"><title>OmniDesk</title>
<p style="font:16px sans-serif;margin:3rem">The web app is not in this program: it was built without it.
Run <code>make build</code> (or <code>npm --prefix web run build</code>, then build again) and start the program anew.</p>
`

// Handler serves the app: files under /assets for a year (their names carry a hash), everything else revalidated, and
// index.html for any other path, so that a reload of a deep link works. A request for an unknown path that does not
// accept HTML gets 404 instead of a page. Without a built app each page says how to build it, with status 503.
func Handler() http.Handler {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the folder is embedded, so its name cannot be invalid
	}
	return handler(files)
}

func handler(files fs.FS) http.Handler {
	page, status := []byte(notBuilt), http.StatusServiceUnavailable
	if index, err := fs.ReadFile(files, "index.html"); err == nil {
		page, status = index, http.StatusOK
	}
	serve := http.FileServerFS(files)
	packed := pack(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		if isFile(files, name) {
			w.Header().Set("Cache-Control", cacheFor(name))
			if !packed.serve(w, r, name) {
				serve.ServeHTTP(w, r)
			}
			return
		}
		if strings.HasPrefix(name, "assets/") || name != "" && !acceptsHTML(r) {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		w.WriteHeader(status)
		if r.Method == http.MethodGet {
			_, _ = w.Write(page) // a browser that has gone away needs no answer
		}
	})
}

// packs are the scripts and styles as they travel, by name.
type packs map[string][]byte

var packedKinds = map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}

// pack compresses once what is asked for at every first visit.
func pack(files fs.FS) packs {
	packed := packs{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || packedKinds[path.Ext(name)] == "" {
			return err
		}
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		var small bytes.Buffer
		to := gzip.NewWriter(&small)
		_, _ = to.Write(raw) // a buffer takes everything
		_ = to.Close()
		packed[name] = small.Bytes()
		return nil
	})
	if err != nil {
		panic(err) // the files are embedded, so they can be read
	}
	return packed
}

// serve answers with the compressed file, if there is one and the client reads it.
func (p packs) serve(w http.ResponseWriter, r *http.Request, name string) bool {
	small, there := p[name]
	if !there {
		return false
	}
	w.Header().Add("Vary", "Accept-Encoding")
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") || r.Header.Get("Range") != "" {
		return false
	}
	w.Header().Set("Content-Type", packedKinds[path.Ext(name)])
	w.Header().Set("Content-Encoding", "gzip")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(small))
	return true
}

// isFile reports whether name is a public file of the app; index.html is served only as a page.
func isFile(files fs.FS, name string) bool {
	if name == "" || name == "index.html" || strings.HasPrefix(path.Base(name), ".") {
		return false
	}
	info, err := fs.Stat(files, name)
	return err == nil && !info.IsDir()
}

func cacheFor(name string) string {
	if strings.HasPrefix(name, "assets/") {
		return "public, max-age=31536000, immutable"
	}
	return "no-cache"
}

func acceptsHTML(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "text/html") || strings.Contains(accept, "*/*") && r.Header.Get("Sec-Fetch-Mode") == "navigate"
}
