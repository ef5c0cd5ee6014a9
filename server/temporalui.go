package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"
)

// temporalPath is where the Temporal UI is shown. The UI server is configured with this public path, so its own
// addresses already begin with it.
const temporalPath = "/temporal"

// temporalPolicy is the UI's own page policy: its built pages start by inline scripts and style elements.
const temporalPolicy = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; " +
	"object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'" // it shows summaries in frames of its own

func (s *Server) temporalRoutes() error {
	show := func(c *gin.Context) {
		s.writeProblem(c, problemOf(http.StatusNotFound, "", "There is no Temporal UI: this server was started without its address."))
	}
	if s.TemporalUI != "" {
		target, err := url.Parse(s.TemporalUI)
		if err != nil || target.Host == "" {
			return fmt.Errorf("the address of the Temporal UI must be of the form http://127.0.0.1:8233")
		}
		proxy := s.temporalProxy(target)
		show = func(c *gin.Context) {
			c.Header("Content-Security-Policy", temporalPolicy)
			proxy.ServeHTTP(c.Writer, c.Request)
		}
	}
	methods := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	s.plain("temporalUI", temporalPath, show, methods...)
	s.plain("temporalUI", temporalPath+"/*path", show, methods...)
	return nil
}

func (s *Server) temporalProxy(target *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host
			r.Out.Host = target.Host
			// Our session is none of the UI's business; its own cookies (CSRF) pass.
			cookies := r.In.Cookies()
			r.Out.Header.Del("Cookie")
			for _, cookie := range cookies {
				if cookie.Name != cookieName {
					r.Out.AddCookie(cookie)
				}
			}
		},
		ModifyResponse: func(answer *http.Response) error {
			// These are set for every answer of ours; twice, the stricter of two policies would win.
			for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "X-Frame-Options"} {
				answer.Header.Del(name)
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			slog.Warn("the Temporal UI does not answer", "error", err, "request", requestID(r.Context()))
			p := problemOf(http.StatusBadGateway, "", "The Temporal UI does not answer. Check that it runs.")
			p.Instance = instance(r.Context())
			writeProblem(w, p)
		},
		Transport: &http.Transport{ResponseHeaderTimeout: 30 * time.Second, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute},
	}
}
