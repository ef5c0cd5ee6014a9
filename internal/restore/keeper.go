package restore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

const (
	stampEvery = 10 * time.Second
	// vouchWithin is how long a process without a memory waits for another one that sees the database alive.
	vouchWithin = 25 * time.Second
	vouchPoll   = 500 * time.Millisecond
)

// Keeper remembers outside the database how far it has come.
type Keeper struct {
	DB   *postgres.DB
	File string // made when missing; of this process, though several of one machine may share it
	// Lossless says that a failover loses no commit, because the standby is synchronous: another timeline is no
	// restore then.
	Lossless bool

	last *memory
}

// Check compares the database with the file and puts every company on hold when it has gone back, or when nobody can
// tell. It returns when claims may be tried, and an error when the file can't be written. A process without a file asks
// for another one that sees the database alive, which takes up to 25 s.
func (k *Keeper) Check(ctx context.Context) error {
	remembered, damage := readMemory(k.File)
	if damage == nil {
		k.last = remembered
	}
	if k.last != nil {
		return k.look(ctx)
	}
	known, err := k.vouched(ctx)
	if err != nil {
		return err
	}
	witness := id.New()
	if !known {
		reason := "No worker here remembers this database (the file of OMNIDESK_POSITION_FILE is missing), and none that does is at work: it may have been restored."
		if damage != nil {
			slog.Warn("the memory of the database can't be read and counts as missing", "error", damage)
		}
		if err := k.holdAll(ctx, reason, time.Now()); err != nil {
			return err
		}
	}
	return k.stamp(ctx, witness)
}

// Adopt takes a database over that no process has ever seen, as a program that could not remember has left it.
func (k *Keeper) Adopt(ctx context.Context) error {
	var unseen bool
	err := k.DB.InSystem(ctx, func(tx postgres.Tx) (err error) {
		unseen, err = New(tx).IsUnseen(ctx)
		return err
	})
	if err != nil || !unseen {
		return err
	}
	return k.stamp(ctx, id.New())
}

// Keep looks every 10 s until ctx ends. While the database is away or a write fails it tries again: claims fail by
// themselves then.
func (k *Keeper) Keep(ctx context.Context) {
	ticker := time.NewTicker(stampEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := k.look(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("the database's position could not be noted; trying again", "error", err)
		}
	}
}

// look compares and stamps.
func (k *Keeper) look(ctx context.Context) error {
	now, mark, err := k.now(ctx, k.last.Witness)
	if err != nil {
		return err
	}
	if why := k.last.differs(now, mark, k.Lossless); why != "" {
		if err := k.holdAll(ctx, why, k.last.At); err != nil {
			return err
		}
		slog.Error("the database has gone back; what was open waits until it is released", "why", why)
	}
	return k.stamp(ctx, k.last.Witness)
}

func (k *Keeper) now(ctx context.Context, witness id.ID) (now NowRow, mark int64, err error) {
	err = k.DB.InSystem(ctx, func(tx postgres.Tx) error {
		if now, err = New(tx).Now(ctx); err != nil {
			return err
		}
		mark, err = New(tx).MarkOf(ctx, witness)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return now, 0, fmt.Errorf("asking for the database's position: %w", err)
	}
	return now, mark, nil
}

// stamp raises the mark and then remembers it: the file never says more than the database has on disk.
func (k *Keeper) stamp(ctx context.Context, witness id.ID) error {
	var mark int64
	err := k.DB.InSystem(ctx, func(tx postgres.Tx) (err error) {
		if err := New(tx).KeepCommit(ctx); err != nil {
			return err
		}
		mark, err = New(tx).Stamp(ctx, witness)
		return err
	})
	if err != nil {
		return fmt.Errorf("marking the database: %w", err)
	}
	now, _, err := k.now(ctx, witness)
	if err != nil {
		return err
	}
	k.last = &memory{Witness: witness, Mark: mark, System: now.System, Timeline: now.Timeline, LSN: now.Lsn, At: now.At}
	seen := postgres.Seen{Witness: witness, Mark: mark, Timeline: now.Timeline, LSN: now.Lsn}
	if k.Lossless {
		seen.Timeline = ""
	}
	k.DB.SetSeen(seen)
	return k.last.write(k.File)
}

// vouched tells whether a process without a memory may trust the database: because nothing was ever sent from it, or
// because another process that does remember sees it alive now. A restored one has that one's mark, but it stands still.
func (k *Keeper) vouched(ctx context.Context) (known bool, err error) {
	first := map[id.ID]int64{}
	deadline := time.Now().Add(vouchWithin)
	for {
		var isNew bool
		var recent []RecentRow
		err := k.DB.InSystem(ctx, func(tx postgres.Tx) (err error) {
			if isNew, err = New(tx).IsNew(ctx); err != nil {
				return err
			}
			recent, err = New(tx).Recent(ctx)
			return err
		})
		if err != nil {
			return false, fmt.Errorf("asking who has seen the database: %w", err)
		}
		for _, r := range recent {
			mark, known := first[r.Witness]
			if known && r.Mark > mark {
				return true, nil
			}
			if !known {
				first[r.Witness] = r.Mark
			}
		}
		if isNew || (len(recent) == 0) || time.Now().After(deadline) {
			return isNew, nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(vouchPoll):
		}
	}
}

// holdAll may be repeated: a company that is on hold for this restore stays as it is.
func (k *Keeper) holdAll(ctx context.Context, reason string, seen time.Time) error {
	var companies []id.ID
	err := k.DB.InSystem(ctx, func(tx postgres.Tx) (err error) {
		companies, err = New(tx).Companies(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("listing companies: %w", err)
	}
	for _, company := range companies {
		err := k.DB.InCompany(ctx, company, func(tx postgres.Tx) error { return place(ctx, tx, company, reason, seen, time.Now()) })
		if err != nil {
			return err
		}
	}
	return nil
}
