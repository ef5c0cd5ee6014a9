package graph

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"omnidesk/internal/sandbox/world"
)

// MediaHost is the name under which files are downloaded.
const MediaHost = "lookaside.fbsbx.com"

// linkLives is how long Meta's link to a file works.
const linkLives = 5 * time.Minute

// postMedia answers POST /<number>/media, a form with a file.
func (s *Server) postMedia(w http.ResponseWriter, r *http.Request, numberID, token string) {
	if s.registry.use(numberID, token, s.options.Strict) == nil {
		fail(w, unknownObject(r.Method, numberID))
		return
	}
	if fault := s.world.Faults.Pick(numberID, "media"); fault != nil && !before(w, r, fault) {
		return
	}
	form, err := r.MultipartReader()
	if err != nil {
		fail(w, invalid(100, "Invalid parameter", "The body is not a form."))
		return
	}
	fields := map[string]string{}
	var media world.Media
	for {
		part, err := form.NextPart()
		if err != nil {
			break
		}
		content, err := io.ReadAll(io.LimitReader(part, world.MostMedia+1))
		if err != nil {
			fail(w, invalid(100, "Invalid parameter", "The form can't be read."))
			return
		}
		if part.FormName() != "file" {
			fields[part.FormName()] = string(content)
			continue
		}
		if media, err = s.world.Store.PutMedia(part.Header.Get("Content-Type"), part.FileName(), content); err != nil {
			fail(w, invalid(131053, "Media upload error", err.Error()))
			return
		}
	}
	if fields["messaging_product"] != "whatsapp" || media.ID == "" {
		fail(w, invalid(100, "Invalid parameter", "messaging_product or file is missing."))
		return
	}
	answer(w, http.StatusOK, map[string]string{"id": media.ID})
}

// getMedia answers GET /<media id>: what it is, and a link that works for five minutes. False: it is no file.
func (s *Server) getMedia(w http.ResponseWriter, id string) bool {
	media, err := s.world.Store.Media(id)
	if err != nil {
		return false
	}
	ends := strconv.FormatInt(time.Now().Add(linkLives).Unix(), 10)
	query := url.Values{"mid": {id}, "ext": {ends}, "hash": {s.linkHash(id, ends)}}
	answer(w, http.StatusOK, map[string]any{
		"messaging_product": "whatsapp", "id": id, "mime_type": media.MIME, "sha256": media.SHA256, "file_size": media.Size,
		"url": "https://" + MediaHost + "/whatsapp_business/attachments/?" + query.Encode(),
	})
	return true
}

func (s *Server) linkHash(id, ends string) string {
	mac := hmac.New(sha256.New, s.boot[:])
	mac.Write([]byte(id + " " + ends))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// deleteMedia answers DELETE /<media id>.
func (s *Server) deleteMedia(w http.ResponseWriter, r *http.Request, id string) {
	if s.world.Store.DeleteMedia(id) != nil {
		fail(w, unknownObject(r.Method, id))
		return
	}
	answer(w, http.StatusOK, map[string]bool{"success": true})
}

// download answers as MediaHost: the file of a link, for who has a token. A link that ended is 404, as Meta's is.
func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	if _, refused := authorize(r); refused != nil {
		fail(w, refused)
		return
	}
	query := r.URL.Query()
	id, ends := query.Get("mid"), query.Get("ext")
	until, _ := strconv.ParseInt(ends, 10, 64) // what is no number ended in 1970
	if query.Get("hash") != s.linkHash(id, ends) || time.Now().Unix() > until {
		http.Error(w, "URL signature expired", http.StatusNotFound)
		return
	}
	if fault := s.world.Faults.Pick("", "media"); fault != nil && !before(w, r, fault) {
		return
	}
	media, err := s.world.Store.Media(id)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	file, err := s.world.Store.OpenMedia(id)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer file.Close()
	w.Header().Set("Content-Type", media.MIME)
	w.Header().Set("Content-Length", strconv.FormatInt(media.Size, 10))
	io.Copy(w, file) //nolint:errcheck // the client is gone
}

// ServesHost tells whether a host's name is one of Meta's that the sandbox answers for.
func ServesHost(name string) bool { return name == Host || name == MediaHost }
