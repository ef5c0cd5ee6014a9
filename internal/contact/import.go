package contact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// ImportState is where an import stands: uploading → uploaded (is being read) → ready (waits for a person) → running →
// finished or stopped → undoing → undone. A new mapping takes it back to uploaded.
type ImportState string

// The states.
const (
	ImportUploading ImportState = "uploading"
	ImportUploaded  ImportState = "uploaded"
	ImportReady     ImportState = "ready"
	ImportRunning   ImportState = "running"
	ImportFinished  ImportState = "finished"
	ImportStopped   ImportState = "stopped"
	ImportUndoing   ImportState = "undoing"
	ImportUndone    ImportState = "undone"
)

// Import is one file of contacts on its way into a company, or what has become of it.
type Import struct {
	ID       id.ID
	State    ImportState
	Detail   string // why it is in this state, in words
	FileName string
	Bytes    int64
	Columns  []Column
	Mapping  []Target // one per column
	Options  ImportOptions
	Preview  *Preview // nil until the file has been read with this mapping
	Counts   ImportCounts
	Version  int // of mapping and options; a change names the one it has seen

	CreatedAt                               time.Time
	StartedAt, FinishedAt, UndoAt, UndoneAt *time.Time
	ForgottenAt                             *time.Time // what it did is not known since: it can't be undone

	cursor int32 // the last line that is done, of a run or of an undo
}

// Column is one column of the file.
type Column struct {
	Title   string   `json:"title"`
	Samples []string `json:"samples,omitempty"` // its first cells, until the import has ended
}

// ImportOptions are what the person decides beside the mapping.
type ImportOptions struct {
	NoHeader     bool     `json:"no_header,omitempty"` // the first line is a contact
	Region       string   `json:"region,omitempty"`    // of numbers without a country code, such as BR
	Tags         []string `json:"tags,omitempty"`      // added to every contact of the file
	KeepExisting bool     `json:"keep_existing,omitempty"`
}

// ImportCounts is what a run has done with the rows it has read, and an undo with the contacts.
type ImportCounts struct {
	Read       int `json:"read"`
	Added      int `json:"added"`
	Updated    int `json:"updated"`
	Unchanged  int `json:"unchanged"`
	Duplicates int `json:"duplicates"` // rows whose number came before in the file
	Refused    int `json:"refused"`

	Undo *UndoCounts `json:"undo,omitempty"`
}

// UndoCounts is what an undo has done or would do with contacts. Those used or edited since the import stay.
type UndoCounts struct {
	Deleted  int `json:"deleted"`
	Restored int `json:"restored"`
	Used     int `json:"used"`   // new ones that got or wrote a message, or are in a campaign that has not ended
	Edited   int `json:"edited"` // changed by somebody or something else, or opted out
	Gone     int `json:"gone"`   // deleted meanwhile
}

// Errors a caller tells apart.
var (
	ErrNoImport    = errors.New("no such import")
	ErrImportStale = errors.New("somebody else has changed the import meanwhile; load it again")
)

// ImportStateError refuses what the state of an import does not allow.
type ImportStateError struct {
	State ImportState
	Wants string // what would be allowed to do it, in words
}

func (e *ImportStateError) Error() string {
	return fmt.Sprintf("the import is %s; %s", e.State, e.Wants)
}

// FileError is about the whole file; Reason is a sentence for the person who chose it.
type FileError struct{ Reason string }

func (e FileError) Error() string { return e.Reason }

// GetImport returns one import.
func GetImport(ctx context.Context, tx postgres.Tx, company, wanted id.ID) (Import, error) {
	row, err := New(tx).getImport(ctx, company, wanted)
	if err != nil {
		return Import{}, importError("reading an import", err)
	}
	return importOf(row)
}

// ListImports returns a page of the company's imports, newest first, without those that are still being uploaded.
func ListImports(ctx context.Context, tx postgres.Tx, company, before id.ID, limit int) (imports []Import, more bool, err error) {
	rows, err := New(tx).listImports(ctx, company, before, int32(limit+1))
	if err != nil {
		return nil, false, fmt.Errorf("listing imports: %w", err)
	}
	if more = len(rows) > limit; more {
		rows = rows[:limit]
	}
	for _, row := range rows {
		i, err := importOf(row)
		if err != nil {
			return nil, false, err
		}
		imports = append(imports, i)
	}
	return imports, more, nil
}

// Remap changes how the file is read; it will be read anew.
func Remap(ctx context.Context, tx postgres.Tx, company, wanted id.ID, version int, mapping []Target, options ImportOptions) error {
	i, err := lockImport(ctx, tx, company, wanted)
	switch {
	case err != nil:
		return err
	case i.State != ImportUploaded && i.State != ImportReady:
		return &ImportStateError{i.State, "its columns can be chosen only before it starts"}
	case i.Version != version:
		return ErrImportStale
	}
	if err := checkMapping(i.Columns, mapping); err != nil {
		return err
	}
	if options, err = checkOptions(options); err != nil {
		return err
	}
	if err := New(tx).remapImport(ctx, asJSON(mapping), asJSON(options), company, wanted); err != nil {
		return fmt.Errorf("keeping an import's columns: %w", err)
	}
	return nil
}

// StartImport lets an import run that a person has seen the preview of.
func StartImport(ctx context.Context, tx postgres.Tx, company, wanted id.ID, version int, now time.Time) error {
	i, err := lockImport(ctx, tx, company, wanted)
	switch {
	case err != nil:
		return err
	case i.State != ImportReady:
		return &ImportStateError{i.State, "it can start once, when its file has been read"}
	case i.Version != version:
		return ErrImportStale
	case !mapped(i.Mapping, FieldPhone):
		return InvalidError{"mapping", "choose the column that holds the phone number"}
	case i.Preview.New+i.Preview.Known == 0:
		return InvalidError{"mapping", "no row has a usable phone number: choose another column, or the country of numbers without one"}
	}
	return moveImport(ctx, tx, company, wanted, ImportRunning, "", now)
}

// StopImport ends a running import where it is. What it has done stays until somebody undoes it.
func StopImport(ctx context.Context, tx postgres.Tx, company, wanted id.ID, now time.Time) error {
	i, err := lockImport(ctx, tx, company, wanted)
	if err != nil {
		return err
	}
	if i.State != ImportRunning {
		return &ImportStateError{i.State, "only a running import can be stopped"}
	}
	return endImport(ctx, tx, company, wanted, ImportStopped, fmt.Sprintf("stopped after line %d of the file", i.cursor), now)
}

// StartUndo lets an import be taken back.
func StartUndo(ctx context.Context, tx postgres.Tx, company, wanted id.ID, now time.Time) error {
	i, err := lockImport(ctx, tx, company, wanted)
	if err != nil {
		return err
	}
	if err := i.undoable(); err != nil {
		return err
	}
	return moveImport(ctx, tx, company, wanted, ImportUndoing, "", now)
}

func (i Import) undoable() error {
	switch {
	case i.State != ImportFinished && i.State != ImportStopped:
		return &ImportStateError{i.State, "only an import that has ended can be undone, once"}
	case i.ForgottenAt != nil:
		return &ImportStateError{i.State, "what it did is kept for 30 days, and it can't be undone any more"}
	}
	return nil
}

// DiscardImport deletes an import that has changed no contact, with its file.
func DiscardImport(ctx context.Context, tx postgres.Tx, company, wanted id.ID) error {
	i, err := lockImport(ctx, tx, company, wanted)
	if err != nil {
		return err
	}
	switch i.State {
	case ImportUploading, ImportUploaded, ImportReady:
	default:
		return &ImportStateError{i.State, "it has changed contacts; stop or undo it instead"}
	}
	if err := New(tx).deleteImport(ctx, company, wanted); err != nil {
		return fmt.Errorf("discarding an import: %w", err)
	}
	return nil
}

func lockImport(ctx context.Context, tx postgres.Tx, company, wanted id.ID) (Import, error) {
	row, err := New(tx).lockImportRow(ctx, company, wanted)
	if err != nil {
		return Import{}, importError("locking an import", err)
	}
	return importOf(row)
}

func moveImport(ctx context.Context, tx postgres.Tx, company, wanted id.ID, to ImportState, detail string, now time.Time) error {
	err := New(tx).setImportState(ctx, setImportStateParams{CompanyID: company, ID: wanted, State: string(to), StateDetail: detail, Now: now})
	if err != nil {
		return fmt.Errorf("moving an import to %s: %w", to, err)
	}
	return nil
}

// endImport moves to a state in which the file is not needed any more.
func endImport(ctx context.Context, tx postgres.Tx, company, wanted id.ID, to ImportState, detail string, now time.Time) error {
	if err := New(tx).deleteChunks(ctx, company, wanted); err != nil {
		return fmt.Errorf("deleting an import's file: %w", err)
	}
	return moveImport(ctx, tx, company, wanted, to, detail, now)
}

func importError(doing string, err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNoImport
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func importOf(row ImportRecord) (Import, error) {
	i := Import{ID: row.ID, State: ImportState(row.State), Detail: row.StateDetail, FileName: row.FileName, Bytes: row.Bytes, Version: int(row.Version),
		CreatedAt: row.CreatedAt, StartedAt: row.StartedAt, FinishedAt: row.FinishedAt, UndoAt: row.UndoAt, UndoneAt: row.UndoneAt, ForgottenAt: row.ForgottenAt, cursor: row.Cursor}
	for name, part := range map[string]struct {
		raw  []byte
		into any
	}{"columns": {row.Columns, &i.Columns}, "mapping": {row.Mapping, &i.Mapping}, "options": {row.Options, &i.Options}, "counts": {row.Counts, &i.Counts}} {
		if err := json.Unmarshal(part.raw, part.into); err != nil {
			return Import{}, fmt.Errorf("reading the %s of an import: %w", name, err)
		}
	}
	if row.Preview != nil {
		if err := json.Unmarshal(row.Preview, &i.Preview); err != nil {
			return Import{}, fmt.Errorf("reading the preview of an import: %w", err)
		}
	}
	return i, nil
}

func asJSON(value any) json.RawMessage {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err) // structs of strings, numbers and lists always marshal
	}
	return raw
}

// Progress tells how many rows are done of how many, of a run or of an undo, and whether there is one.
func (i Import) Progress() (done, total int, moving bool) {
	switch i.State {
	case ImportRunning:
		return i.Counts.Read, i.Preview.Rows, true
	case ImportUndoing:
		if u := i.Counts.Undo; u != nil {
			done = u.Deleted + u.Restored + u.Used + u.Edited + u.Gone
		}
		return done, i.Counts.Added + i.Counts.Updated, true
	}
	return 0, 0, false
}

// cleanFileName keeps a name fit for lists and headers.
func cleanFileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == '/' || r == '\\' || r == '"' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	if runes := []rune(name); len(runes) > longestName {
		name = string(runes[:longestName])
	}
	if strings.TrimSpace(name) == "" {
		return "contacts.csv"
	}
	return name
}
