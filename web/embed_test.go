package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
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

func TestScriptsTravelSmall(t *testing.T) {
	script := strings.Repeat("const word = 1;\n", 500)
	h := handler(fstest.MapFS{"index.html": {Data: []byte("<app>")}, "assets/index-abc.js": {Data: []byte(script)}, "icon.svg": {Data: []byte("<svg/>")}})
	get := func(path, encoding string) *http.Response {
		request := httptest.NewRequest(http.MethodGet, path, http.NoBody)
		request.Header.Set("Accept-Encoding", encoding)
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, request)
		return answer.Result()
	}
	packed := get("/assets/index-abc.js", "gzip, deflate, br")
	require.Equal(t, "gzip", packed.Header.Get("Content-Encoding"))
	require.Equal(t, "text/javascript; charset=utf-8", packed.Header.Get("Content-Type"))
	require.Equal(t, "Accept-Encoding", packed.Header.Get("Vary"))
	require.Contains(t, packed.Header.Get("Cache-Control"), "immutable")
	require.Less(t, packed.ContentLength, int64(len(script)/10))
	unzip, err := gzip.NewReader(packed.Body)
	require.NoError(t, err)
	body, err := io.ReadAll(unzip)
	require.NoError(t, err)
	require.Equal(t, script, string(body))

	plain := get("/assets/index-abc.js", "identity")
	require.Empty(t, plain.Header.Get("Content-Encoding"))
	require.Equal(t, "Accept-Encoding", plain.Header.Get("Vary"), "a cache must not hand the small one to those who can't read it")
	body, err = io.ReadAll(plain.Body)
	require.NoError(t, err)
	require.Equal(t, script, string(body))
	require.Empty(t, get("/icon.svg", "gzip").Header.Get("Content-Encoding"))
}
