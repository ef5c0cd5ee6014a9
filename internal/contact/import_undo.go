package contact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// ForecastUndo tells what an undo would do now.
func ForecastUndo(ctx context.Context, tx postgres.Tx, company, wanted id.ID) (UndoCounts, error) {
	i, err := GetImport(ctx, tx, company, wanted)
	if err != nil {
		return UndoCounts{}, err
	}
	if err := i.undoable(); err != nil {
		return UndoCounts{}, err
	}
	fate, err := New(tx).undoForecast(ctx, company, id.Floor(*i.StartedAt), *i.StartedAt, wanted)
	if err != nil {
		return UndoCounts{}, fmt.Errorf("counting what an undo would do: %w", err)
	}
	return UndoCounts{Deleted: int(fate.Deleted), Restored: int(fate.Restored), Used: int(fate.Used), Edited: int(fate.Edited), Gone: int(fate.Gone)}, nil
}

// UndoImport takes an import back, batch by batch, from where it stands: contacts it added are deleted, contacts it changed
// get back what they were. It keeps new contacts that got or wrote a message or are in a campaign that has not ended, and
// those that somebody has edited since. after is called after each batch; when it returns false, UndoImport ends and a
// later call goes on.
func UndoImport(ctx context.Context, db *postgres.DB, company, wanted id.ID, after func() bool) error {
	for {
		var more bool
		var err error
		for range batchTries {
			err = db.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
				more, err = undoBatch(ctx, tx, company, wanted)
				return err
			})
			if err == nil || !postgres.IsRetryable(err) {
				break
			}
		}
		if errors.Is(err, errMoved) {
			return nil
		}
		if err != nil {
			return err
		}
		if goOn := after(); !more || !goOn {
			return nil
		}
	}
}

func undoBatch(ctx context.Context, tx postgres.Tx, company, wanted id.ID) (more bool, err error) {
	i, err := lockImport(ctx, tx, company, wanted)
	if err != nil {
		return false, err
	}
	if i.State != ImportUndoing {
		return false, errMoved
	}
	u := undo{q: New(tx), company: company, of: i}
	if i.Counts.Undo == nil {
		i.Counts.Undo = &UndoCounts{}
		if err := u.q.markUsed(ctx, company, wanted, id.Floor(*i.StartedAt), *i.StartedAt); err != nil {
			return false, fmt.Errorf("looking for contacts in use: %w", err)
		}
	}
	u.counts = i.Counts.Undo
	rows, err := u.q.rowsToUndo(ctx, company, wanted, i.cursor, batchRows)
	if err != nil {
		return false, fmt.Errorf("reading what an import did: %w", err)
	}
	if len(rows) == 0 {
		return false, moveImport(ctx, tx, company, wanted, ImportUndone, "", time.Now())
	}
	if err := u.write(ctx, rows); err != nil {
		return false, err
	}
	if err := u.q.advanceImport(ctx, rows[len(rows)-1].Row, asJSON(i.Counts), company, wanted); err != nil {
		return false, fmt.Errorf("keeping how far an undo is: %w", err)
	}
	return true, nil
}

// undo is one transaction's rows on their way back.
type undo struct {
	q       *Queries
	company id.ID
	of      Import
	counts  *UndoCounts
	drop    []id.ID
	back    updateContactsBatchParams
	tags    []id.ID // to take off tagged, one each
	tagged  []id.ID
	rows    []int32
	fates   []string
}

func (u *undo) write(ctx context.Context, rows []rowsToUndoRow) error {
	ids := make([]id.ID, len(rows))
	for i, row := range rows {
		ids[i] = row.ContactID
	}
	locked, err := u.q.lockContacts(ctx, u.company, ids)
	if err != nil {
		return fmt.Errorf("locking contacts: %w", err)
	}
	found := make(map[id.ID]lockContactsRow, len(locked))
	for _, contact := range locked {
		found[contact.ID] = contact
	}
	fresh, err := u.q.usedSince(ctx, u.company, id.Floor(*u.of.UndoAt), ids, *u.of.UndoAt)
	if err != nil {
		return fmt.Errorf("looking for contacts in use: %w", err)
	}
	used := make(map[id.ID]bool, len(fresh))
	for _, contact := range fresh {
		used[contact] = true
	}
	for _, row := range rows {
		if row.Outcome == "unchanged" {
			continue
		}
		contact, there := found[row.ContactID]
		if err := u.decide(row, contact, there, used[row.ContactID]); err != nil {
			return err
		}
	}
	return u.apply(ctx)
}

func (u *undo) decide(row rowsToUndoRow, contact lockContactsRow, there, used bool) error {
	added := row.Outcome == "added"
	fate := ""
	switch {
	case !there:
		fate = "gone"
		u.counts.Gone++
	case added && (used || row.Undone != nil && *row.Undone == "used"):
		fate = "used"
		u.counts.Used++
	case !contact.UpdatedAt.Equal(row.ChangedAt), added && contact.OptedOutAt != nil:
		fate = "edited"
		u.counts.Edited++
	case added:
		fate = "deleted"
		u.counts.Deleted++
		u.drop = append(u.drop, row.ContactID)
	default:
		fate = "restored"
		u.counts.Restored++
		var image before
		if err := json.Unmarshal(row.Before, &image); err != nil {
			return fmt.Errorf("reading what a contact was before: %w", err)
		}
		u.restore(row.ContactID, image)
	}
	u.rows, u.fates = append(u.rows, row.Row), append(u.fates, fate)
	return nil
}

func (u *undo) restore(contact id.ID, image before) {
	u.back.Ids = append(u.back.Ids, contact)
	u.back.Names = append(u.back.Names, image.Name)
	u.back.Zones = append(u.back.Zones, image.Zone)
	u.back.Attributes = append(u.back.Attributes, string(marshal(image.Attributes)))
	for _, tag := range image.Tags {
		u.tags, u.tagged = append(u.tags, tag), append(u.tagged, contact)
	}
}

func (u *undo) apply(ctx context.Context) error {
	u.back.CompanyID = u.company
	if err := u.q.updateContactsBatch(ctx, u.back); err != nil {
		return fmt.Errorf("restoring contacts: %w", err)
	}
	if err := u.q.removeContactTags(ctx, u.tags, u.tagged, u.company); err != nil {
		return fmt.Errorf("taking tags off: %w", err)
	}
	if err := u.q.deleteContacts(ctx, u.company, u.drop); err != nil {
		return fmt.Errorf("deleting contacts: %w", err)
	}
	if err := u.q.markUndone(ctx, u.company, u.of.ID, u.rows, u.fates); err != nil {
		return fmt.Errorf("noting what an undo did: %w", err)
	}
	return nil
}
