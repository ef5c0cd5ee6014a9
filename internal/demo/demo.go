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
	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/secret"
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
// so a start that broke off is made good by the next one. A company that exists is left as people changed it.
func Ensure(ctx context.Context, db *postgres.DB, store *connection.Store) (Demo, error) {
	company, err := find(ctx, db)
	if errors.Is(err, account.ErrNotFound) {
		err = db.InSystem(ctx, func(tx postgres.Tx) (err error) {
			company, err = account.CreateCompany(ctx, tx, "Acme Demo", "America/Sao_Paulo", true)
			return err
		})
	}
	if err != nil {
		return Demo{}, fmt.Errorf("making the demo company: %w", err)
	}
	demo := Demo{Company: company.ID}
	if err := fill(ctx, db, store, &demo); err != nil {
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
func fill(ctx context.Context, db *postgres.DB, store *connection.Store, demo *Demo) error {
	err := db.InCompany(ctx, demo.Company, func(tx postgres.Tx) error {
		views, err := store.List(ctx, tx, demo.Company)
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
		view, err := addConnection(ctx, tx, store, demo.Company)
		if err != nil {
			return err
		}
		if err := addContacts(ctx, tx, demo.Company); err != nil {
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

// addConnection links the sandbox's number. It counts as connected, because the sandbox is told of it before
// anybody can send.
func addConnection(ctx context.Context, tx postgres.Tx, store *connection.Store, company id.ID) (connection.View, error) {
	view, err := store.Create(ctx, tx, company, connection.Draft{Name: "Sandbox WhatsApp", AppID: appID, AppSecret: secret.Token(),
		AccountID: accountID, NumberID: numberID, Token: "sandbox-" + secret.Token(), Simulated: true})
	if err != nil {
		return connection.View{}, err
	}
	err = store.SetChecked(ctx, tx, company, view.ID, connection.Connected, "It leads to the sandbox on this machine.", number, time.Now())
	if err != nil {
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

var (
	firstNames = []string{"Ana", "Bruno", "Carla", "Diego", "Elisa", "Felipe", "Gabriela", "Hugo", "Isabela", "João", "Karina", "Lucas",
		"Mariana", "Nicolas", "Olívia", "Paulo", "Renata", "Sofia", "Tiago", "Vitória"}
	lastNames = []string{"Almeida", "Barbosa", "Costa", "Duarte", "Esteves", "Ferreira", "Gomes"}
	cities    = []struct{ city, zone, prefix string }{
		{"São Paulo", "", "+5511990000"}, {"Manaus", "America/Manaus", "+5592990000"}, {"Lisboa", "Europe/Lisbon", "+351912000"},
		{"Jakarta", "Asia/Jakarta", "+6281230000"}, {"Ciudad de México", "America/Mexico_City", "+525550000"},
	}
)

// addContacts adds sixty people. Every fourth is a vip, two of three get the newsletter, one has opted out.
func addContacts(ctx context.Context, tx postgres.Tx, company id.ID) error {
	for i := range 60 {
		place := cities[i%len(cities)]
		draft := contact.Draft{Name: firstNames[i%len(firstNames)] + " " + lastNames[i%len(lastNames)],
			Phone:      fmt.Sprintf("%s%d", place.prefix, 100+i),
			Attributes: map[string]string{"city": place.city}}
		if place.zone != "" {
			draft.Zone = &place.zone
		}
		if i%4 == 0 {
			draft.Tags = append(draft.Tags, "vip")
			draft.Attributes["coupon"] = fmt.Sprintf("VIP%02d", i)
		}
		if i%3 != 0 {
			draft.Tags = append(draft.Tags, "newsletter")
		}
		made, err := contact.Create(ctx, tx, company, draft)
		if err != nil {
			return fmt.Errorf("adding a demo contact: %w", err)
		}
		if i == 59 {
			optedOut := true
			if _, err := contact.Update(ctx, tx, company, made.ID, contact.Change{OptedOut: &optedOut}, time.Now()); err != nil {
				return fmt.Errorf("opting a demo contact out: %w", err)
			}
		}
	}
	return nil
}
