package main

import (
	"context"
	"time"

	"omnidesk/internal/pace"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
)

// contactGap is short, and each campaign begins when nobody's messages to its contacts matter any more: a campaign alone
// on its connection, as nearly all are.
const contactGap = time.Second

// roomy are limits of every kind that a claim evaluates, none of which a campaign on this machine reaches.
func roomy() pace.Limits {
	const plenty = 100_000_000
	return pace.Limits{PerSecond: plenty, PerMinute: plenty, PerHour: plenty, PerDay: plenty, ContactGap: contactGap,
		WarmUp: &pace.WarmUp{From: time.Now().AddDate(0, 0, -2).Format(time.DateOnly), Caps: []int{plenty, plenty, plenty, plenty, plenty}}}
}

// pacePairs measures a campaign with limits that never bind against the same one without any.
func pacePairs(ctx context.Context, recipients, pairs int) error {
	b, err := newCampaignBench(ctx, recipients)
	if err != nil {
		return err
	}
	defer b.close()
	var ratios []float64
	for n := range pairs {
		var rates [2]float64
		for i := range rates {
			on := (i + n) % 2 // the other first, each time
			limits := []pace.Limits{{}, roomy()}[on]
			if rates[on], err = b.limitedTo(ctx, limits); err != nil {
				return err
			}
		}
		note("without limits %.0f/s · with limits %.0f/s · ratio %.3f", rates[0], rates[1], rates[1]/rates[0])
		ratios = append(ratios, rates[1]/rates[0])
	}
	figure("pace", "ratio_on_off", median(ratios), "x", len(ratios))
	return nil
}

// limitedTo runs one campaign under limits, once the last one's messages lie as far back as a claim asks.
func (b *campaignBench) limitedTo(ctx context.Context, limits pace.Limits) (float64, error) {
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(13 * contactGap):
	}
	err := b.rig.DB.InCompany(ctx, b.company, func(tx postgres.Tx) error {
		return send.SetLimits(ctx, tx, b.company, b.connection, limits, time.Now().Add(-time.Hour))
	})
	if err != nil {
		return 0, err
	}
	return b.campaign(ctx)
}
