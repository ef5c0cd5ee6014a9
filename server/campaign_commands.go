package server

import (
	"context"

	"omnidesk/internal/campaign"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
	"omnidesk/internal/send"
	"omnidesk/internal/wake"
)

// command runs one of start, pause, resume and cancel in one transaction with its wakes. Temporal is not asked: with
// Temporal down the command is accepted, and the relay delivers the wakes later.
func (s *Server) command(ctx context.Context, in *IDPath, do func(context.Context, postgres.Tx, id.ID, campaign.Campaign) error) (*Out[Campaign], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	var view Campaign
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		found, err := campaign.Get(ctx, tx, company, wanted)
		if err != nil {
			return err
		}
		if err := do(ctx, tx, company, found); err != nil {
			return err
		}
		s.rates.forgetOutlook(wanted)
		view, err = s.readCampaign(ctx, tx, company, wanted)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.hint()
	s.changed(company, realtime.Campaign, wanted)
	return out(view), nil
}

func (s *Server) start(ctx context.Context, tx postgres.Tx, company id.ID, c campaign.Campaign) error {
	if err := campaign.Start(ctx, tx, company, c.ID, s.now()); err != nil {
		return err
	}
	return wake.Append(ctx, tx, company, flow.Campaign(c.ID), false)
}

// pause takes the number's lock first: after its commit no claim of this campaign can follow.
func (s *Server) pause(ctx context.Context, tx postgres.Tx, company id.ID, c campaign.Campaign) error {
	if err := send.LockScope(ctx, tx, company, c.Connection); err != nil {
		return err
	}
	if err := campaign.Pause(ctx, tx, company, c.ID, s.now()); err != nil {
		return err
	}
	return wake.Append(ctx, tx, company, flow.Campaign(c.ID), false)
}

func (s *Server) resume(ctx context.Context, tx postgres.Tx, company id.ID, c campaign.Campaign) error {
	if err := campaign.Resume(ctx, tx, company, c.ID, s.now()); err != nil {
		return err
	}
	if err := wake.Append(ctx, tx, company, flow.Sender(c.Connection), false); err != nil {
		return err
	}
	return wake.Append(ctx, tx, company, flow.Campaign(c.ID), false)
}

func (s *Server) cancel(ctx context.Context, tx postgres.Tx, company id.ID, c campaign.Campaign) error {
	if err := send.LockScope(ctx, tx, company, c.Connection); err != nil {
		return err
	}
	if err := campaign.Cancel(ctx, tx, company, c.ID, s.now()); err != nil {
		return err
	}
	if err := send.CancelQueued(ctx, tx, company, c.Connection, c.ID, s.now()); err != nil {
		return err
	}
	return wake.Append(ctx, tx, company, flow.Campaign(c.ID), false)
}
