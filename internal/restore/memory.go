package restore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"omnidesk/internal/id"
)

// memory is what the file holds: how far one process has seen the database come.
type memory struct {
	Witness  id.ID     `json:"witness"` // whose mark it is
	Mark     int64     `json:"mark"`
	System   string    `json:"system_id"`
	Timeline string    `json:"timeline"` // in hexadecimal, as in names of WAL files
	LSN      int64     `json:"lsn"`      // flushed, in bytes
	At       time.Time `json:"at"`       // by the database's clock
}

// differs says why the database is not the one remembered, or that one at an earlier time; empty when it is.
func (m *memory) differs(now NowRow, mark int64, lossless bool) string {
	at := m.At.UTC().Format("15:04:05 on 2 January 2006 UTC")
	switch {
	case now.System != m.System:
		return "This is another database than the one seen at " + at + ": it was restored or replaced, and what was sent since its backup is not known in it."
	case now.Timeline != m.Timeline && !lossless:
		return "The database was restored, or a standby has taken over, since " + at + ": what was sent shortly before may not be known in it."
	case mark < m.Mark || now.Lsn < m.LSN:
		return "The database has gone back to an earlier state than at " + at + ": what was sent since its backup is not known in it."
	}
	return ""
}

// readMemory returns nil when there is no file.
func readMemory(path string) (*memory, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the file of OMNIDESK_POSITION_FILE: %w", err)
	}
	var m memory
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if m.Witness == id.Nil || m.Mark < 1 || m.System == "" {
		return nil, fmt.Errorf("reading %s: it is no position of a database", path)
	}
	return &m, nil
}

// write replaces the file whole: a reader finds the old one or the new one.
func (m *memory) write(path string) error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing the database's position: %w", err)
	}
	if err := replace(path, append(text, '\n')); err != nil {
		return fmt.Errorf("writing the database's position (OMNIDESK_POSITION_FILE names a file in a folder that this process may write to and that outlives it): %w", err)
	}
	return nil
}

func replace(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	draft, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(draft.Name()) }() // after the rename there is none
	_, err = draft.Write(text)
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	return os.Rename(draft.Name(), path)
}
