package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/client"

	"omnidesk/internal/contact"
	"omnidesk/internal/flow"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/rig"
	"omnidesk/internal/wake"
)

// importFile takes a file of 200,000 people through upload, check, run and undo, with a real worker and Temporal.
func importFile(ctx context.Context) error {
	const rows = 200_000
	b, err := newImportBench(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	began := time.Now()
	if b.of, err = contact.Upload(ctx, b.rig.DB, b.company, nil, "people.csv", people(rows)); err != nil {
		return err
	}
	figure("import", "upload_s", time.Since(began).Seconds(), "s", 1)
	for _, step := range []struct {
		name string
		do   func(postgres.Tx) error
		then contact.ImportState
	}{
		{"check_s", func(postgres.Tx) error { return nil }, contact.ImportReady},
		{"run_s", func(tx postgres.Tx) error { return contact.StartImport(ctx, tx, b.company, b.of, 1, time.Now()) }, contact.ImportFinished},
		{"undo_s", func(tx postgres.Tx) error { return contact.StartUndo(ctx, tx, b.company, b.of, time.Now()) }, contact.ImportUndone},
	} {
		took, err := b.step(ctx, step.do, step.then)
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		figure("import", step.name, took.Seconds(), "s", 1)
		if step.then == contact.ImportFinished {
			figure("import", "rows_per_s", rows/took.Seconds(), "1/s", 1)
		}
	}
	figure("import", "worker_peak_mib", peakMiB(b.rig.Pid(rig.Work)), "MiB", 1)
	return nil
}

// people is a file with a tag, two attributes, and one row in a hundred that can't be used.
func people(rows int) io.Reader {
	read, write := io.Pipe()
	go func() {
		_, err := fmt.Fprintln(write, "phone,name,city,last_order,tags")
		for i := 0; i < rows && err == nil; i++ {
			number := fmt.Sprintf("+55119%08d", i)
			if i%100 == 99 {
				number = "12"
			}
			_, err = fmt.Fprintf(write, "%s,Person Number %d,Recife,2026-10-%02d,customer\n", number, i, i%28+1)
		}
		_ = write.CloseWithError(err)
	}()
	return read
}

type importBench struct {
	rig       *rig.Rig
	temporal  client.Client
	relay     *wake.Relay
	stopRelay context.CancelFunc
	company   id.ID
	of        id.ID
}

func newImportBench(ctx context.Context) (*importBench, error) {
	dir, err := os.MkdirTemp("", "omnidesk-bench-")
	if err != nil {
		return nil, err
	}
	note("starting PostgreSQL, Temporal and a worker in %s", dir)
	r, err := rig.New(ctx, rig.Options{Dir: dir, Durable: true, Binary: os.Getenv("OMNIDESK_BINARY"), TemporalBinary: os.Getenv("OMNIDESK_TEMPORAL_BINARY"),
		TemporalConfig: "temporal-dev.yaml"})
	if err != nil {
		return nil, err
	}
	b := &importBench{rig: r, company: id.New()}
	for _, part := range []string{rig.Temporal, rig.Work} {
		if err := r.Start(ctx, part); err != nil {
			return nil, err
		}
	}
	if b.temporal, err = client.DialContext(ctx, client.Options{HostPort: r.TemporalAddress(), Logger: quiet{}}); err != nil {
		return nil, err
	}
	b.relay = wake.NewRelay(r.DB, flow.NewClient(b.temporal))
	relaying, stop := context.WithCancel(ctx)
	b.stopRelay = stop
	go b.relay.Run(relaying)
	owner, err := pgx.Connect(ctx, r.DatabaseURL)
	if err != nil {
		return nil, err
	}
	defer owner.Close(ctx)
	_, err = owner.Exec(ctx, `INSERT INTO omnidesk.companies (company_id, name, zone) VALUES ($1, 'Bench', 'America/Sao_Paulo')`, b.company)
	return b, err
}

func (b *importBench) close() {
	b.stopRelay()
	b.temporal.Close()
	if err := b.rig.Close(); err != nil {
		note("closing: %v", err)
	}
	_ = os.RemoveAll(b.rig.Dir)
}

// step changes the import, wakes its workflow, and tells how long it took until the state that follows.
func (b *importBench) step(ctx context.Context, do func(postgres.Tx) error, then contact.ImportState) (time.Duration, error) {
	began := time.Now()
	err := b.rig.DB.InCompany(ctx, b.company, func(tx postgres.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		return wake.Append(ctx, tx, b.company, flow.Import(b.of), false)
	})
	if err != nil {
		return 0, err
	}
	b.relay.Hint()
	for deadline := began.Add(10 * time.Minute); ; {
		var i contact.Import
		err := b.rig.DB.InCompany(ctx, b.company, func(tx postgres.Tx) (err error) {
			i, err = contact.GetImport(ctx, tx, b.company, b.of)
			return err
		})
		if err != nil || i.State == then {
			return time.Since(began), err
		}
		if time.Now().After(deadline) {
			return 0, fmt.Errorf("the import is still %s; worker log:\n%s", i.State, b.rig.Tail(rig.Work))
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
