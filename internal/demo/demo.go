// Package demo makes the small company that a first start shows: people to sign in as, contacts to write to and
// a connection that leads to the sandbox.
package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"omnidesk/internal/account"
	"omnidesk/internal/connection"
	"omnidesk/internal/id"
	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/secret"
	"omnidesk/internal/send"
)

// Email of the demo company's admin.
const Email = "demo@omnidesk.example"

// What the sandbox is told about the demo's number. All of it is made up.
const (
	appID     = "100000000000001"
	accountID = "200000000000001"
	numberID  = "300000000000001"
	number    = "+15550001000"
)

// The second number is slow on purpose, so that a campaign can be watched: 120 contacts take about a quarter of an hour.
const (
	slowNumberID  = "300000000000002"
	slowNumber    = "+15550001001"
	slowPerMinute = 10
)

// Demo is the demo company as it stands.
type Demo struct {
	Created  bool   // now, by this call
	Password string // of the admin; only when Created
	Company  id.ID

	// The connection, to be registered at the sandbox on each start.
	Connection  id.ID
	AppID       string
	AppSecret   string
	AccountID   string
	NumberID    string
	Number      string
	Token       string
	VerifyToken string
	WebhookPath string // below the server's public URL
}

// Ensure makes the demo company when there is none, in one step as far as people can see: its admin comes last,
// so a start that broke off is made good by the next one. A company that exists is left as people changed it; once
// removed, it does not come back, and the answer is empty.
func Ensure(ctx context.Context, db *postgres.DB, store *connection.Store) (Demo, error) {
	company, err := find(ctx, db)
	if errors.Is(err, account.ErrNotFound) {
		err = db.InSystem(ctx, func(tx postgres.Tx) (err error) {
			if company, err = account.CreateDemo(ctx, tx, "Acme Demo", "America/Sao_Paulo"); err != nil {
				return err
			}
			return account.SetWindow(ctx, tx, company.ID, pace.WholeDay) // a demo shows something at any hour
		})
	}
	if errors.Is(err, account.ErrDemoRemoved) {
		return Demo{}, nil
	}
	if err != nil {
		return Demo{}, fmt.Errorf("making the demo company: %w", err)
	}
	demo := Demo{Company: company.ID}
	if err := fill(ctx, db, store, company, &demo); err != nil {
		return Demo{}, err
	}
	if err := ensureAdmin(ctx, db, &demo); err != nil {
		return Demo{}, err
	}
	return demo, nil
}

func find(ctx context.Context, db *postgres.DB) (company account.Company, err error) {
	err = db.InSystem(ctx, func(tx postgres.Tx) error {
		company, err = account.DemoCompany(ctx, tx)
		return err
	})
	return company, err
}

// fill adds connection and contacts to a demo company without connections, and reads what the sandbox needs.
func fill(ctx context.Context, db *postgres.DB, store *connection.Store, company account.Company, demo *Demo) error {
	err := db.InCompany(ctx, demo.Company, func(tx postgres.Tx) error {
		views, err := store.List(ctx, tx, demo.Company, nil)
		if err != nil {
			return err
		}
		for _, view := range views {
			if view.NumberID == numberID {
				return read(ctx, tx, store, view, demo)
			}
		}
		if len(views) > 0 {
			return nil // people have linked numbers of their own; there is nothing to tell the sandbox
		}
		now, appSecret := time.Now(), secret.Token()
		view, err := addConnection(ctx, tx, store, demo.Company, connection.Draft{Name: "Sandbox WhatsApp", NumberID: numberID, AppSecret: appSecret}, number)
		if err != nil {
			return err
		}
		slow, err := addConnection(ctx, tx, store, demo.Company, connection.Draft{Name: "Shop updates", NumberID: slowNumberID, AppSecret: appSecret}, slowNumber)
		if err != nil {
			return err
		}
		limits := pace.Limits{PerMinute: slowPerMinute, ContactGap: 6 * time.Second}
		if err := send.SetLimits(ctx, tx, company.ID, slow.ID, limits, now); err != nil {
			return err
		}
		contacts, err := addContacts(ctx, tx, company.ID, now)
		if err != nil {
			return err
		}
		zone, err := time.LoadLocation(company.Zone)
		if err != nil {
			return fmt.Errorf("loading the demo's zone: %w", err)
		}
		if err := addCampaigns(ctx, tx, company.ID, numbers{view.ID, slow.ID}, zone, contacts, now); err != nil {
			return err
		}
		if err := addSegments(ctx, tx, company.ID); err != nil {
			return err
		}
		return read(ctx, tx, store, view, demo)
	})
	if err != nil {
		return fmt.Errorf("filling the demo company: %w", err)
	}
	return nil
}

func read(ctx context.Context, tx postgres.Tx, store *connection.Store, view connection.View, demo *Demo) error {
	found, err := store.Account(ctx, tx, demo.Company, view.ID)
	if err != nil {
		return err
	}
	demo.Connection, demo.AppID, demo.AppSecret, demo.AccountID = view.ID, found.AppID, found.AppSecret, found.AccountID
	demo.NumberID, demo.Number, demo.Token = found.NumberID, view.Number, found.Token
	demo.VerifyToken, demo.WebhookPath = view.VerifyToken, "/api/webhooks/meta/"+view.Slug
	return nil
}

// addConnection links a number of the sandbox. It counts as connected, because the sandbox is told of it before
// anybody can send.
func addConnection(ctx context.Context, tx postgres.Tx, store *connection.Store, company id.ID, draft connection.Draft, number string) (connection.View, error) {
	draft.AppID, draft.AccountID, draft.Token, draft.Simulated = appID, accountID, "sandbox-"+secret.Token(), true
	view, err := store.Create(ctx, tx, company, draft)
	if err != nil {
		return connection.View{}, err
	}
	err = store.SetChecked(ctx, tx, company, view.ID, connection.Connected, "It leads to the sandbox on this machine.", number, time.Now())
	if err != nil {
		return connection.View{}, err
	}
	if err := send.SetLimits(ctx, tx, company, view.ID, pace.Defaults(string(view.Channel)), time.Now()); err != nil {
		return connection.View{}, err
	}
	return store.Get(ctx, tx, company, view.ID)
}

func ensureAdmin(ctx context.Context, db *postgres.DB, demo *Demo) error {
	password := account.OneTimePassword()
	hash, err := account.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	err = db.InSystem(ctx, func(tx postgres.Tx) error {
		_, err := account.CreateUser(ctx, tx, account.NewUser{Home: &demo.Company, Email: Email, Name: "Demo Admin", Role: account.Admin, Hash: hash})
		return err
	})
	if errors.Is(err, account.ErrEmailTaken) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("making the demo's admin: %w", err)
	}
	demo.Created, demo.Password = true, password
	return nil
}
