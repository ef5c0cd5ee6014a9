// Package worker wires workflows and activities to Temporal's task queues.
package worker

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"

	"omnidesk/activities"
	"omnidesk/internal/account"
	"omnidesk/internal/channel"
	"omnidesk/internal/connection"
	"omnidesk/internal/contact"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/mail"
	"omnidesk/internal/media"
	"omnidesk/internal/postgres"
	"omnidesk/internal/send"
	"omnidesk/internal/wake"
	"omnidesk/workflows"
)

// Options of a worker process.
type Options struct {
	DB          *postgres.DB
	Temporal    client.Client
	Connections *connection.Store
	Adapters    map[channel.Kind]channel.Adapter
	Slots       int                               // sends at once on one connection; 0 means 64
	Pages       int                               // connections sending at once; 0 means 8
	UrgentSlots int                               // urgent sends at once on one connection, beside those; 0 means 16
	UrgentRuns  int                               // connections sending urgent messages at once; 0 means 64
	Changed     func(company, campaign id.ID)     // a campaign's page should refresh; may be nil
	Imported    func(company, imported id.ID)     // an import's page should refresh; may be nil
	Conversed   func(company, conversation id.ID) // the same of a conversation
	Media       *media.Store                      // nil: this worker moves no files
	Mailer      mail.Mailer                       // nil: mails stay in the outbox
	Lifetimes   account.Lifetimes                 // of links in mails; the zero value means account.DefaultLifetimes
}

// StopTimeout is how long a stopping worker waits for its pages to record what is on the wire.
const StopTimeout = 45 * time.Second

// feedsAtOnce is how many campaigns a process feeds at the same instant. A batch of 2,000 takes some 50 ms, so that one
// feeds several times what a process can send.
const feedsAtOnce = 1

// Run works until ctx ends, then ends its pages in order.
func Run(ctx context.Context, o Options) error {
	if o.Slots == 0 {
		o.Slots = 64
	}
	if o.Pages == 0 {
		o.Pages = 8
	}
	if o.UrgentSlots == 0 {
		o.UrgentSlots = 16
	}
	if o.UrgentRuns == 0 {
		o.UrgentRuns = 64
	}
	if o.Changed == nil {
		o.Changed = func(_, _ id.ID) {}
	}
	if o.Imported == nil {
		o.Imported = func(_, _ id.ID) {}
	}
	if o.Conversed == nil {
		o.Conversed = func(_, _ id.ID) {}
	}
	if o.Lifetimes == (account.Lifetimes{}) {
		o.Lifetimes = account.DefaultLifetimes
	}
	sdkworker.SetStickyWorkflowCacheSize(2000)
	relay := wake.NewRelay(o.DB, flow.NewClient(o.Temporal))
	campaigns := &activities.Campaigns{DB: o.DB, Hint: relay.Hint, Changed: o.Changed, Feeds: make(chan struct{}, feedsAtOnce)}
	sending := &activities.Sending{DB: o.DB, Connections: o.Connections, Adapters: o.Adapters, Slots: o.Slots, UrgentSlots: o.UrgentSlots, Hint: relay.Hint, Changed: o.Changed}
	imports := &activities.Imports{DB: o.DB, Changed: o.Imported}
	mails := &activities.Mails{DB: o.DB, Mailer: o.Mailer, Lives: o.Lifetimes}
	digests := &activities.Digests{DB: o.DB, Mailer: o.Mailer}
	conversations := &activities.Conversations{DB: o.DB, Changed: o.Conversed}
	files := &activities.Media{DB: o.DB, Store: o.Media, Connections: o.Connections, Adapters: o.Adapters, Hint: relay.Hint, Changed: o.Conversed}
	workers := []sdkworker.Worker{
		workflowWorker(o.Temporal, campaigns, sending, imports, digests, conversations, files),
		workWorker(o.Temporal, campaigns, imports, mails, digests, conversations),
		mediaWorker(o.Temporal, files),
		sendWorker(o.Temporal, flow.SendQueue, flow.SendPage, sending.SendPage, o.Pages),
		sendWorker(o.Temporal, flow.UrgentQueue, flow.SendUrgent, sending.SendUrgent, o.UrgentRuns),
	}
	var started int
	defer func() {
		for _, w := range workers[:started] {
			w.Stop()
		}
	}()
	for _, w := range workers {
		if err := w.Start(); err != nil {
			return fmt.Errorf("starting a worker: %w", err)
		}
		started++
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { relay.Run(ctx); return nil })
	group.Go(func() error { keepPartitions(ctx, o.DB); return nil })
	group.Go(func() error { forgetImports(ctx, o.DB); return nil })
	group.Go(func() error { send.KeepRolledUp(ctx, o.DB); return nil })
	group.Go(func() error { connection.KeepListening(ctx, o.DB); return nil })
	return group.Wait()
}

// workflowWorker runs workflows and their looks.
func workflowWorker(temporal client.Client, campaigns *activities.Campaigns, sending *activities.Sending, imports *activities.Imports, digests *activities.Digests, conversations *activities.Conversations, files *activities.Media) sdkworker.Worker {
	w := sdkworker.New(temporal, flow.WorkflowQueue, sdkworker.Options{
		MaxConcurrentWorkflowTaskExecutionSize:  64,
		MaxConcurrentLocalActivityExecutionSize: 64,
		LocalActivityWorkerOnly:                 true,
		WorkerStopTimeout:                       10 * time.Second,
	})
	Register(w)
	w.RegisterActivityWithOptions(campaigns.LookAtCampaign, activity.RegisterOptions{Name: flow.LookAtCampaign})
	w.RegisterActivityWithOptions(sending.LookAtSender, activity.RegisterOptions{Name: flow.LookAtSender})
	w.RegisterActivityWithOptions(imports.LookAtImport, activity.RegisterOptions{Name: flow.LookAtImport})
	w.RegisterActivityWithOptions(digests.LookAtDigest, activity.RegisterOptions{Name: flow.LookAtDigest})
	w.RegisterActivityWithOptions(conversations.LookAtConversation, activity.RegisterOptions{Name: flow.LookAtConversation})
	w.RegisterActivityWithOptions(files.LookAtMedia, activity.RegisterOptions{Name: flow.LookAtMedia})
	return w
}

// Register adds every workflow under its name; replay tests use it, too.
func Register(w sdkworker.WorkflowRegistry) {
	w.RegisterWorkflowWithOptions(workflows.Campaign, workflow.RegisterOptions{Name: string(flow.CampaignWorkflow)})
	w.RegisterWorkflowWithOptions(workflows.Sender, workflow.RegisterOptions{Name: string(flow.SenderWorkflow)})
	w.RegisterWorkflowWithOptions(workflows.Import, workflow.RegisterOptions{Name: string(flow.ImportWorkflow)})
	w.RegisterWorkflowWithOptions(workflows.Mail, workflow.RegisterOptions{Name: string(flow.MailWorkflow)})
	w.RegisterWorkflowWithOptions(workflows.Media, workflow.RegisterOptions{Name: string(flow.MediaWorkflow)})
	w.RegisterWorkflowWithOptions(workflows.Digest, workflow.RegisterOptions{Name: string(flow.DigestWorkflow)})
	w.RegisterWorkflowWithOptions(workflows.Conversation, workflow.RegisterOptions{Name: string(flow.ConversationWorkflow)})
}

func workWorker(temporal client.Client, campaigns *activities.Campaigns, imports *activities.Imports, mails *activities.Mails, digests *activities.Digests, conversations *activities.Conversations) sdkworker.Worker {
	w := sdkworker.New(temporal, flow.WorkQueue, sdkworker.Options{
		DisableWorkflowWorker:              true,
		MaxConcurrentActivityExecutionSize: 32,
		WorkerStopTimeout:                  10 * time.Second,
	})
	for name, do := range map[string]any{flow.FreezeAudience: campaigns.FreezeAudience, flow.BeginCampaign: campaigns.BeginCampaign,
		flow.FeedCampaign: campaigns.FeedCampaign, flow.FinishCampaign: campaigns.FinishCampaign, flow.CancelQueued: campaigns.CancelQueued,
		flow.CheckImport: imports.CheckImport, flow.RunImport: imports.RunImport, flow.UndoImport: imports.UndoImport, flow.DiscardImport: imports.DiscardImport, flow.SendMail: mails.SendMail, flow.SendDigest: digests.SendDigest,
		flow.RouseConversation: conversations.RouseConversation} {
		w.RegisterActivityWithOptions(do, activity.RegisterOptions{Name: name})
	}
	return w
}

// mediaWorker moves files, on a queue of its own: one of 100 MB must not hold up a campaign's step.
func mediaWorker(temporal client.Client, files *activities.Media) sdkworker.Worker {
	w := sdkworker.New(temporal, flow.MediaQueue, sdkworker.Options{
		DisableWorkflowWorker:              true,
		MaxConcurrentActivityExecutionSize: 8,
		WorkerStopTimeout:                  10 * time.Second,
	})
	w.RegisterActivityWithOptions(files.MoveMedia, activity.RegisterOptions{Name: flow.MoveMedia})
	return w
}

// sendWorker runs one kind of sending activity, with slots of its own: pages never take those of urgent runs.
func sendWorker(temporal client.Client, queue, name string, do any, atOnce int) sdkworker.Worker {
	w := sdkworker.New(temporal, queue, sdkworker.Options{
		DisableWorkflowWorker:              true,
		MaxConcurrentActivityExecutionSize: atOnce,
		WorkerStopTimeout:                  StopTimeout,
		// A cancel must reach a page within a second, not within 80 % of its heartbeat time-out.
		MaxHeartbeatThrottleInterval: time.Second,
	})
	w.RegisterActivityWithOptions(do, activity.RegisterOptions{Name: name})
	return w
}

// keepPartitions makes the ledger's partitions ahead of time and alarms when a row found none.
func keepPartitions(ctx context.Context, db *postgres.DB) {
	ticker := time.NewTicker(6 * time.Hour)
	defer ticker.Stop()
	for {
		stray, err := db.EnsurePartitions(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			slog.Error("the ledger's partitions could not be made ahead", "error", err)
		case stray > 0:
			slog.Error("messages lie in the default partition; move them before the next month begins", "rows", stray)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// forgetImports deletes every few hours what imports did that ended long ago. It may run in many processes at a time.
func forgetImports(ctx context.Context, db *postgres.DB) {
	ticker := time.NewTicker(6 * time.Hour)
	defer ticker.Stop()
	for {
		if err := contact.ForgetImports(ctx, db, time.Now()); err != nil && ctx.Err() == nil {
			slog.Error("old imports could not be forgotten", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
