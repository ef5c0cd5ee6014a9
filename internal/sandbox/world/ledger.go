package world

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// indexEvery is how many lines lie between two known offsets of the ledger.
const indexEvery = 4096

// Entry is one accepted send.
type Entry struct {
	ID         string    `json:"id"` // our id, as the client sent it along
	ProviderID string    `json:"provider_id"`
	From       string    `json:"from"`
	To         string    `json:"to"`
	BodyHash   string    `json:"body_hash"`   // SHA-256 of the request's body, in hex
	ReceivedAt time.Time `json:"received_at"` // before any delay that the sandbox was told to make
	At         time.Time `json:"at"`          // accepted
}

// Ledger is the append-only list of accepted sends, JSON lines in a file. It is the truth that the platform's
// own ledger is compared with.
type Ledger struct {
	mode LedgerMode

	mu      sync.Mutex
	file    *os.File
	buffer  []byte // only LedgerBuffered keeps lines here
	size    int64  // bytes written and buffered
	count   int64
	index   []int64 // offset of line 0, indexEvery, 2*indexEvery…
	failure error

	syncMu sync.Mutex // held by the one that syncs for all who wrote before it
	synced int64
}

// LedgerMode says what Append waits for.
type LedgerMode int

const (
	// LedgerWritten: a line is with the system, and survives the death of the process.
	LedgerWritten LedgerMode = iota
	// LedgerSynced: a line is on the disk. Lines written at the same time share one sync.
	LedgerSynced
	// LedgerBuffered: a line may be lost with the process. For benchmarks.
	LedgerBuffered
)

const bufferSize = 256 << 10

// OpenLedger opens or makes the ledger at path. A last line that a crash cut off is dropped: its send was
// never answered.
func OpenLedger(path string, mode LedgerMode) (*Ledger, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	l := &Ledger{mode: mode, file: file}
	if err := l.scan(); err != nil {
		return nil, errors.Join(fmt.Errorf("reading the ledger: %w", err), file.Close())
	}
	return l, nil
}

// scan counts the lines, fills the index and cuts a torn tail.
func (l *Ledger) scan() error {
	reader := bufio.NewReaderSize(l.file, 1<<20)
	for {
		line, err := reader.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		l.note(len(line))
	}
	if err := l.file.Truncate(l.size); err != nil {
		return err
	}
	_, err := l.file.Seek(l.size, io.SeekStart)
	return err
}

func (l *Ledger) note(length int) {
	if l.count%indexEvery == 0 {
		l.index = append(l.index, l.size)
	}
	l.count++
	l.size += int64(length)
}

// Append adds an entry and returns when the ledger's mode is met. After an error nothing is added any more.
func (l *Ledger) Append(entry *Entry) error {
	line := make([]byte, 0, 320)
	line = append(line, `{"id":`...)
	line = AppendJSON(line, entry.ID)
	line = append(line, `,"provider_id":`...)
	line = AppendJSON(line, entry.ProviderID)
	line = append(line, `,"from":`...)
	line = AppendJSON(line, entry.From)
	line = append(line, `,"to":`...)
	line = AppendJSON(line, entry.To)
	line = append(line, `,"body_hash":`...)
	line = AppendJSON(line, entry.BodyHash)
	if !entry.ReceivedAt.IsZero() {
		line = append(line, `,"received_at":"`...)
		line = entry.ReceivedAt.UTC().AppendFormat(line, time.RFC3339Nano)
		line = append(line, '"')
	}
	line = append(line, `,"at":"`...)
	line = entry.At.UTC().AppendFormat(line, time.RFC3339Nano)
	line = append(line, "\"}\n"...)

	end, err := l.write(line)
	if err == nil && l.mode == LedgerSynced {
		err = l.sync(end)
	}
	return err
}

func (l *Ledger) write(line []byte) (end int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failure != nil {
		return 0, l.failure
	}
	l.note(len(line))
	if l.mode == LedgerBuffered {
		l.buffer = append(l.buffer, line...)
		if len(l.buffer) >= bufferSize {
			l.flush()
		}
	} else if _, err := l.file.Write(line); err != nil {
		l.failure = fmt.Errorf("writing the ledger: %w", err)
	}
	return l.size, l.failure
}

// flush writes the buffer; the caller holds mu.
func (l *Ledger) flush() {
	if _, err := l.file.Write(l.buffer); err != nil && l.failure == nil {
		l.failure = fmt.Errorf("writing the ledger: %w", err)
	}
	l.buffer = l.buffer[:0]
}

// sync returns once everything up to end is on the disk. Whoever waited while another synced finds its line
// synced already, or syncs for all who came meanwhile.
func (l *Ledger) sync(end int64) error {
	l.syncMu.Lock()
	defer l.syncMu.Unlock()
	if l.synced >= end {
		return nil
	}
	l.mu.Lock()
	size := l.size
	l.mu.Unlock()
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("syncing the ledger: %w", err)
	}
	l.synced = size
	return nil
}

// Count returns the number of entries.
func (l *Ledger) Count() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

// WriteTo copies the lines from number since on, counted from 0, and returns the number of the next line.
func (l *Ledger) WriteTo(w io.Writer, since int64) (next int64, err error) {
	l.mu.Lock()
	if l.mode == LedgerBuffered {
		l.flush()
	}
	size, count := l.size, l.count
	since = min(max(since, 0), count)
	start := size
	if since < count {
		start = l.index[since/indexEvery]
	}
	l.mu.Unlock()

	lines := bufio.NewReaderSize(io.NewSectionReader(l.file, start, size-start), 256<<10)
	for skip := since % indexEvery; since < count && skip > 0; skip-- {
		if _, err := lines.ReadSlice('\n'); err != nil {
			return since, fmt.Errorf("reading the ledger: %w", err)
		}
	}
	if _, err := io.Copy(w, lines); err != nil {
		return since, fmt.Errorf("copying the ledger: %w", err)
	}
	return count, nil
}

// Since calls each with the entries accepted at cutoff or later.
func (l *Ledger) Since(cutoff time.Time, each func(Entry)) error {
	l.mu.Lock()
	blocks := len(l.index)
	l.mu.Unlock()
	for blocks > 0 {
		blocks--
		var first Entry
		line, err := bufio.NewReader(io.NewSectionReader(l.file, l.index[blocks], 64<<10)).ReadBytes('\n')
		if err != nil {
			return fmt.Errorf("reading the ledger: %w", err)
		}
		if json.Unmarshal(line, &first) == nil && first.At.Before(cutoff) {
			break
		}
	}
	reader, writer := io.Pipe()
	go func() {
		_, err := l.WriteTo(writer, int64(blocks)*indexEvery)
		writer.CloseWithError(err)
	}()
	defer reader.Close() //nolint:errcheck // it never fails
	lines := bufio.NewScanner(reader)
	for lines.Scan() {
		var entry Entry
		if json.Unmarshal(bytes.TrimSpace(lines.Bytes()), &entry) == nil && !entry.At.Before(cutoff) {
			each(entry)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading the ledger: %w", err)
	}
	return nil
}

// Close writes what is buffered and closes the file.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flush()
	failure := l.failure
	l.failure = errors.New("the ledger is closed")
	if failure == nil && l.mode == LedgerSynced {
		failure = l.file.Sync()
	}
	return errors.Join(failure, l.file.Close())
}
