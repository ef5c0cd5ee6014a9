package server

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// fallback serves the web app for every path that is not the API's. Under the API's paths and those of other
// parts, an unknown address is a problem and never a page.
func (s *Server) fallback(c *gin.Context) {
	path := c.Request.URL.Path
	reading := c.Request.Method == http.MethodGet || c.Request.Method == http.MethodHead
	if s.Web == nil || !reading || path == "/api" || strings.HasPrefix(path, "/api/") || path == temporalPath || strings.HasPrefix(path, temporalPath+"/") {
		s.writeProblem(c, problemOf(http.StatusNotFound, "", "There is nothing at this address."))
		return
	}
	c.Status(http.StatusOK) // gin has set 404 before this handler; the app's own answer counts
	s.Web.ServeHTTP(c.Writer, c.Request)
}
