package meta

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"omnidesk/internal/channel"
)

var _ channel.Courier = (*Adapter)(nil)

// fileHosts are where Meta's links to files lead. A link to anywhere else is not followed: the token goes with it.
var fileHosts = []string{".fbsbx.com", ".fbcdn.net", ".facebook.com", ".whatsapp.net"}

// Upload posts a file as a form. The form is not made in memory: a document may have 100 MB.
func (a *Adapter) Upload(ctx context.Context, account channel.Account, file channel.Upload) (string, error) {
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	header := textproto.MIMEHeader{}
	header.Set("Content-Disposition", mime.FormatMediaType("form-data", map[string]string{"name": "file", "filename": fileName(file)}))
	header.Set("Content-Type", file.Type)
	err := writer.WriteField("messaging_product", "whatsapp")
	if err == nil {
		err = writer.WriteField("type", file.Type)
	}
	if err == nil {
		_, err = writer.CreatePart(header)
	}
	if err != nil {
		return "", fmt.Errorf("writing a form: %w", err)
	}
	end := "\r\n--" + writer.Boundary() + "--\r\n"
	request := a.newRequest(http.MethodPost, account, "/"+account.NumberID+"/media", "").WithContext(ctx)
	request.Header = request.Header.Clone()
	request.Header.Set("Content-Type", writer.FormDataContentType())
	request.ContentLength = int64(form.Len()) + file.Size + int64(len(end))
	request.Body = io.NopCloser(io.MultiReader(&form, io.LimitReader(file.Content, file.Size), strings.NewReader(end)))
	var answer struct {
		ID string `json:"id"`
	}
	if err := a.askMedia(request, &answer); err != nil {
		return "", err
	}
	if !usable(answer.ID) {
		return "", &channel.MediaError{Detail: "Meta took the file without naming it."}
	}
	return answer.ID, nil
}

// fileName is what Meta is told: it goes by the type, and people's names of files are none of its business.
func fileName(file channel.Upload) string {
	if file.Name == "" {
		return "file"
	}
	return file.Name
}

// Fetch asks for the link of a file and follows it at once: it works for five minutes, and needs the token.
func (a *Adapter) Fetch(ctx context.Context, account channel.Account, providerID string) (io.ReadCloser, channel.Fetched, error) {
	var found struct {
		URL    string      `json:"url"`
		Type   string      `json:"mime_type"`
		SHA256 string      `json:"sha256"`
		Size   json.Number `json:"file_size"`
	}
	if providerID == "" || strings.Trim(providerID, "0123456789") != "" {
		return nil, channel.Fetched{}, &channel.MediaError{Final: true, Detail: "The file's id is none of Meta's."}
	}
	request := a.newRequest(http.MethodGet, account, "/"+providerID, url.Values{"phone_number_id": {account.NumberID}}.Encode())
	if err := a.askMedia(request.WithContext(ctx), &found); err != nil {
		return nil, channel.Fetched{}, err
	}
	link, err := url.Parse(found.URL)
	if err != nil || !a.leadsToMeta(link) {
		return nil, channel.Fetched{}, &channel.MediaError{Final: true, Detail: "The file's link does not lead to Meta, so it was not followed."}
	}
	size, _ := found.Size.Int64() // what is no number says nothing
	content, err := a.follow(ctx, account, link)
	return content, channel.Fetched{Type: clean(found.Type, mostName), SHA256: found.SHA256, Size: size}, err
}

func (a *Adapter) leadsToMeta(link *url.URL) bool {
	host := strings.ToLower(link.Hostname())
	if link.Scheme != "https" || link.User != nil || link.Port() != "" && link.Port() != "443" {
		return false
	}
	for _, suffix := range fileHosts {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

// follow opens a link. No redirect is followed. In front of a sandbox the link's host goes into the Host header alone.
func (a *Adapter) follow(ctx context.Context, account channel.Account, link *url.URL) (io.ReadCloser, error) {
	request := a.newRequest(http.MethodGet, account, "", "").WithContext(ctx)
	target := *link
	request.Host = link.Hostname()
	if a.base.Host != graphHost {
		target.Scheme, target.Host = a.base.Scheme, a.base.Host
	}
	request.URL = &target
	var track track
	response, err := a.transport.RoundTrip(request.WithContext(track.follow(ctx)))
	if err != nil {
		return nil, &channel.MediaError{Detail: failedTrip(err, track.touchedWire()).Detail}
	}
	if response.StatusCode == http.StatusOK {
		return response.Body, nil
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusNotFound, http.StatusGone:
		return nil, &channel.MediaError{Detail: "Meta's link to the file had ended."}
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, &channel.MediaError{Detail: "Meta refused access to the file: check the connection's token."}
	}
	return nil, &channel.MediaError{Detail: fmt.Sprintf("Meta did not give the file (HTTP %d).", response.StatusCode)}
}

// askMedia is ask for calls about files: it tells what another try may mend from what it can't.
func (a *Adapter) askMedia(request *http.Request, into any) error {
	problem, code := a.ask(request, into)
	switch {
	case problem == "":
		return nil
	case request.Method == http.MethodGet && code == 100:
		return &channel.MediaError{Final: true, Gone: true, Detail: "Meta has the file no longer: ask the contact to send it again."}
	case code == 131053 || code == 131052 || code == 131009 || code == 131051:
		return &channel.MediaError{Final: true, Detail: describe(code)}
	}
	return &channel.MediaError{Detail: problem}
}
