package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestHandler(t *testing.T) {
	built := fstest.MapFS{
		"index.html":          {Data: []byte("<app>")},
		"icon.svg":            {Data: []byte("<svg/>")},
		".gitkeep":            {Data: []byte("")},
		"assets/index-abc.js": {Data: []byte("js")},
	}
	const page, year = "text/html", "public, max-age=31536000, immutable"
	tests := []struct {
		name, method, path, accept string
		files                      fstest.MapFS
		status                     int
		cache, body                string
	}{
		{"root", "GET", "/", page, built, 200, "no-cache", "<app>"},
		{"deep link", "GET", "/campaigns/1?state=failed", page, built, 200, "no-cache", "<app>"},
		{"root for curl", "GET", "/", "*/*", built, 200, "no-cache", "<app>"},
		{"head", "HEAD", "/campaigns", page, built, 200, "no-cache", ""},
		{"hashed asset", "GET", "/assets/index-abc.js", "*/*", built, 200, year, "js"},
		{"plain file", "GET", "/icon.svg", "*/*", built, 200, "no-cache", "<svg/>"},
		{"an old build's asset is never a page", "GET", "/assets/index-old.js", page, built, 404, "", "404 page not found\n"},
		{"not a page for machines", "GET", "/api/v2/x", "application/json", built, 404, "", "404 page not found\n"},
		{"a star from a script", "GET", "/x", "*/*", built, 404, "", "404 page not found\n"},
		{"dot files stay hidden", "GET", "/.gitkeep", "*/*", built, 404, "", "404 page not found\n"},
		{"climbing out", "GET", "/../../etc/passwd", "*/*", built, 404, "", "404 page not found\n"},
		{"post", "POST", "/", page, built, 405, "", "method not allowed\n"},
		{"not built", "GET", "/", page, fstest.MapFS{".gitkeep": {}}, 503, "no-cache", notBuilt},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request := httptest.NewRequest(test.method, test.path, http.NoBody)
			request.Header.Set("Accept", test.accept)
			answer := httptest.NewRecorder()
			handler(test.files).ServeHTTP(answer, request)
			body, err := io.ReadAll(answer.Result().Body)
			require.NoError(t, err)
			require.Equal(t, test.status, answer.Code)
			require.Equal(t, test.cache, answer.Header().Get("Cache-Control"))
			require.Equal(t, test.body, string(body))
		})
	}
}
