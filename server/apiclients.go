package server

import (
	"context"
	"net/http"
	"time"

	"omnidesk/internal/apiclient"
	"omnidesk/internal/audit"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// APIClient is another system that may send through the company's connections.
type APIClient struct {
	ID    string `json:"id"`
	KeyID string `json:"key_id" doc:"names the client in its calls; no secret"`
	APIClientInput
	Version       int        `json:"version" doc:"send it with a change"`
	State         string     `json:"state" enum:"live,expired,revoked"`
	RevokedAt     *time.Time `json:"revoked_at,omitempty"`
	PreviousUntil *time.Time `json:"previous_until,omitempty" doc:"the secret before the last rotation signs until then; absent: there is none"`
	LastAt        *time.Time `json:"last_at,omitempty" doc:"of its last call that was let in"`
	UsedToday     int        `json:"used_today" doc:"messages accepted on the company's present day"`
}

// APIClientInput is what a person sets of a client.
type APIClientInput struct {
	Name          string     `json:"name" minLength:"1" maxLength:"100" doc:"which system it is; no other client of the company has it"`
	Scopes        []string   `json:"scopes" enum:"send,read" minItems:"1" maxItems:"2" nullable:"false" doc:"send: messages; read: what became of its own"`
	ConnectionIDs []string   `json:"connection_ids" minItems:"1" maxItems:"100" nullable:"false" doc:"that it may send on"`
	Networks      []string   `json:"networks,omitempty" maxItems:"50" nullable:"false" doc:"addresses, or networks in CIDR, that it may call from; none: anywhere"`
	Lane          string     `json:"lane,omitempty" enum:"queue,urgent" default:"queue" doc:"queue: 07:00 to 21:00 in the company's zone; urgent: codes, at any hour and before campaigns"`
	PerMinute     int        `json:"per_minute,omitempty" minimum:"1" maximum:"100000" default:"60" doc:"calls within any 60 seconds"`
	PerDay        int        `json:"per_day,omitempty" minimum:"1" maximum:"10000000" default:"1000" doc:"messages of the company's calendar day"`
	ExpiresAt     *time.Time `json:"expires_at,omitempty" doc:"it can't call from then on; absent: never"`
}

// APIClientList is one page.
type APIClientList struct {
	Items      []APIClient `json:"items"`
	NextCursor string      `json:"next_cursor" doc:"empty on the last page"`
}

// APIClientSecret is a client with a secret that is shown this once.
type APIClientSecret struct {
	Client APIClient `json:"client"`
	Secret string    `json:"secret" doc:"nobody can read it again; the client signs its calls with it"`
}

type apiClientIn struct{ Body APIClientInput }

type apiClientChangeIn struct {
	IDPath
	Body struct {
		Version int `json:"version" minimum:"1" doc:"of the client as it was read"`
		APIClientInput
	}
}

type apiRotateIn struct {
	IDPath
	Body struct {
		KeepHours *int `json:"keep_hours,omitempty" minimum:"0" maximum:"168" default:"24" doc:"how long the present secret signs, too"`
	}
}

func (s *Server) apiClientRoutes() {
	register(s, op("listAPIClients", http.MethodGet, "/api-clients", "api clients", "The company's API clients, the oldest first"), s.listAPIClients)
	register(s, op("createAPIClient", http.MethodPost, "/api-clients", "api clients", "Add an API client", status(http.StatusCreated),
		describe("Its secret is in this answer and nowhere else.")), s.createAPIClient)
	register(s, op("getAPIClient", http.MethodGet, "/api-clients/{id}", "api clients", "One API client"), s.getAPIClient)
	register(s, op("updateAPIClient", http.MethodPut, "/api-clients/{id}", "api clients", "Change an API client",
		describe("It holds from the client's next call on. Messages that it has queued stay as they are.")), s.updateAPIClient)
	register(s, op("rotateAPIClient", http.MethodPost, "/api-clients/{id}/rotate", "api clients", "Give an API client a new secret",
		describe("The new secret is in this answer and nowhere else. The present one signs for `keep_hours` more; one older than that ends at once.")), s.rotateAPIClient)
	register(s, op("revokeAPIClient", http.MethodPost, "/api-clients/{id}/revoke", "api clients", "Revoke an API client for good",
		describe("None of its calls is let in any more. Messages that it has queued still go.")), s.revokeAPIClient)
}

var lanesOfClients = map[string]int16{"queue": apiclient.LaneQueue, "urgent": apiclient.LaneUrgent}

func (in APIClientInput) draft() (apiclient.Draft, error) {
	draft := apiclient.Draft{Name: in.Name, Networks: in.Networks, Lane: lanesOfClients[in.Lane], PerMinute: in.PerMinute, PerDay: in.PerDay, ExpiresAt: in.ExpiresAt}
	for _, scope := range in.Scopes {
		draft.Scopes = append(draft.Scopes, apiclient.Scope(scope))
	}
	for _, text := range in.ConnectionIDs {
		connection, err := idIn("connection_ids", text)
		if err != nil {
			return draft, err
		}
		draft.Connections = append(draft.Connections, connection)
	}
	return draft, nil
}

func (s *Server) apiClientView(c apiclient.Client) APIClient {
	view := APIClient{ID: c.ID.String(), KeyID: c.KeyID(), Version: c.Version, State: "live", RevokedAt: utc(c.RevokedAt), LastAt: utc(c.LastAt), UsedToday: c.UsedToday,
		APIClientInput: APIClientInput{Name: c.Name, Scopes: []string{}, ConnectionIDs: idTexts(c.Connections), Networks: c.Networks, Lane: "queue",
			PerMinute: c.PerMinute, PerDay: c.PerDay, ExpiresAt: utc(c.ExpiresAt)}}
	for _, scope := range c.Scopes {
		view.Scopes = append(view.Scopes, string(scope))
	}
	if c.Lane == apiclient.LaneUrgent {
		view.Lane = "urgent"
	}
	now := s.now()
	if c.PreviousUntil != nil && c.PreviousUntil.After(now) {
		view.PreviousUntil = utc(c.PreviousUntil)
	}
	switch {
	case c.RevokedAt != nil:
		view.State = "revoked"
	case c.ExpiresAt != nil && !c.ExpiresAt.After(now):
		view.State = "expired"
	}
	return view
}

func (s *Server) listAPIClients(ctx context.Context, in *PageQuery) (*Out[APIClientList], error) {
	after, err := in.after(id.Nil)
	if err != nil {
		return nil, err
	}
	list := APIClientList{Items: []APIClient{}}
	err = s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		clients, err := apiclient.List(ctx, tx, companyOf(ctx), after, in.Limit+1, s.now())
		if len(clients) > in.Limit {
			clients = clients[:in.Limit]
			list.NextCursor = cursorOf(clients[in.Limit-1].ID)
		}
		for _, c := range clients {
			list.Items = append(list.Items, s.apiClientView(c))
		}
		return err
	})
	return out(list), err
}

func (s *Server) createAPIClient(ctx context.Context, in *apiClientIn) (*Out[APIClientSecret], error) {
	draft, err := in.Body.draft()
	if err != nil {
		return nil, err
	}
	var made APIClientSecret
	err = s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		client, secret, err := s.clients.Create(ctx, tx, companyOf(ctx), draft, s.now())
		made = APIClientSecret{s.apiClientView(client), secret.Shown()}
		audit.About(ctx, client.ID)
		return err
	})
	return out(made), err
}

func (s *Server) getAPIClient(ctx context.Context, in *IDPath) (*Out[APIClient], error) {
	return s.withAPIClient(ctx, in, func(postgres.Tx, id.ID) error { return nil })
}

func (s *Server) updateAPIClient(ctx context.Context, in *apiClientChangeIn) (*Out[APIClient], error) {
	draft, err := in.Body.draft()
	if err != nil {
		return nil, err
	}
	return s.withAPIClient(ctx, &in.IDPath, func(tx postgres.Tx, client id.ID) error {
		return apiclient.Change(ctx, tx, companyOf(ctx), client, in.Body.Version, draft, s.now())
	})
}

func (s *Server) rotateAPIClient(ctx context.Context, in *apiRotateIn) (*Out[APIClientSecret], error) {
	var secret apiclient.Secret
	client, err := s.withAPIClient(ctx, &in.IDPath, func(tx postgres.Tx, client id.ID) (err error) {
		secret, err = s.clients.Rotate(ctx, tx, companyOf(ctx), client, time.Duration(*in.Body.KeepHours)*time.Hour, s.now())
		return err
	})
	if err != nil {
		return nil, err
	}
	return out(APIClientSecret{client.Body, secret.Shown()}), nil
}

func (s *Server) revokeAPIClient(ctx context.Context, in *IDPath) (*Out[APIClient], error) {
	return s.withAPIClient(ctx, in, func(tx postgres.Tx, client id.ID) error {
		return apiclient.Revoke(ctx, tx, companyOf(ctx), client, s.now())
	})
}

// withAPIClient runs do on a client and returns what it is then.
func (s *Server) withAPIClient(ctx context.Context, in *IDPath, do func(tx postgres.Tx, client id.ID) error) (*Out[APIClient], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	var view APIClient
	err = s.DB.InCompany(ctx, companyOf(ctx), func(tx postgres.Tx) error {
		if err := do(tx, wanted); err != nil {
			return err
		}
		client, err := apiclient.Get(ctx, tx, companyOf(ctx), wanted, s.now())
		view = s.apiClientView(client)
		return err
	})
	return out(view), err
}
