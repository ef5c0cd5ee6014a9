package mail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Sandbox delivers to the mailbox of the sandbox.
type Sandbox struct {
	url    string
	from   string
	client *http.Client
}

// NewSandbox takes the sandbox's address.
func NewSandbox(url, from string) *Sandbox {
	return &Sandbox{url: url, from: from, client: &http.Client{Timeout: 10 * time.Second}}
}

// Send posts once.
func (s *Sandbox) Send(ctx context.Context, message Message) error {
	body, err := json.Marshal(map[string]string{"from": s.from, "to": message.To, "subject": message.Subject, "text": message.Text})
	if err != nil {
		return fmt.Errorf("writing a mail: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/sandbox/mails", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("writing a mail: %w", err)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return errors.New("the sandbox's mailbox did not answer")
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusUnprocessableEntity:
		return RefusedError{"sandbox"}
	case response.StatusCode >= http.StatusBadRequest:
		return fmt.Errorf("the sandbox's mailbox answered %s", response.Status)
	}
	return nil
}
