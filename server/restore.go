package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"omnidesk/internal/audit"
	"omnidesk/internal/campaign"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
	"omnidesk/internal/restore"
	"omnidesk/internal/send"
)

// What a release of the hold does with what was open.
const (
	releaseDoubt = "doubt"
	releaseSend  = "send"
)

type releaseIn struct {
	Body struct {
		Open string `json:"open" enum:"doubt,send" doc:"doubt: campaigns that would go on are paused and other queued messages become uncertain, for a person to judge · send: everything goes on; what was sent after the backup is sent a second time"`
	}
}

func (s *Server) restoreRoutes() {
	register(s, op("releaseRestore", http.MethodPost, "/health/release", "health", "Release what a restore of the database has put on hold", body(1<<10), status(http.StatusNoContent),
		describe("Answers 409 when nothing of the company is on hold. The decision is kept with the name of who took it.")), s.releaseRestore)
}

func (s *Server) releaseRestore(ctx context.Context, in *releaseIn) (*struct{}, error) {
	company, user := companyOf(ctx), who(ctx).User.ID
	stopped, err := ReleaseRestore(ctx, s.DB, company, user, in.Body.Open == releaseDoubt, s.now())
	if errors.Is(err, restore.ErrNothingHeld) {
		return nil, problemOf(http.StatusConflict, "nothing-held", "Nothing of this company is on hold: somebody has released it already.")
	}
	if err != nil {
		return nil, err
	}
	s.hint()
	for _, of := range stopped {
		s.changed(company, realtime.Campaign, of)
	}
	slog.Info("the hold after a restore was released", "user", user, "open", in.Body.Open, "request", requestID(ctx))
	return nil, nil
}

// ReleaseRestore ends a company's hold in one transaction with what becomes of its open work, and returns the campaigns
// it has stopped. user is id.Nil for an operator at the command line. With doubt, nothing that was open is sent before a
// person has judged it. The error is restore.ErrNothingHeld when there is no hold.
func ReleaseRestore(ctx context.Context, db *postgres.DB, company, user id.ID, doubt bool, now time.Time) (stopped []id.ID, err error) {
	err = db.InCompany(ctx, company, func(tx postgres.Tx) error {
		action := audit.RestoreReleased
		if doubt {
			action = audit.RestoreDoubted
			stopped, err = campaign.StopAll(ctx, tx, company, "Stopped after a restore of the database: whom it has reached since the backup is not known. Compare before you go on.", now)
			if err != nil {
				return err
			}
			if err := send.DoubtQueued(ctx, tx, company, now); err != nil {
				return err
			}
		}
		if err := restore.Release(ctx, tx, company, user, now); err != nil {
			return err
		}
		return audit.Note(ctx, tx, company, user, action, now, company)
	})
	return stopped, err
}

// restorePart is the red line of a company that is on hold; nil when it is not.
func (s *Server) restorePart(ctx context.Context, company id.ID) (part *HealthPart, err error) {
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		hold, err := restore.HoldOf(ctx, tx, company)
		if err != nil || hold == nil {
			return err
		}
		part = &HealthPart{Name: "restore", State: bad, Detail: fmt.Sprintf("Nothing has been sent since %s. %s", hold.FoundAt.UTC().Format("2 January 15:04 UTC"), hold.Reason),
			Remedy: "Find out what was sent after the backup, pause or cancel what must not go on, then release it."}
		return nil
	})
	return part, err
}
