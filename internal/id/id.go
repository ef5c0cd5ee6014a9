// Package id makes and reads the identifiers of every row: UUIDs of version 7, which are ordered by the
// millisecond they were made in. An id is therefore never a secret; tokens and slugs come from crypto/rand.
package id

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// ID is a UUIDv7.
type ID = uuid.UUID

// Nil is the zero ID; no row has it.
var Nil = uuid.Nil

// New returns a fresh ID.
func New() ID {
	return uuid.Must(uuid.NewV7()) // fails only when the system has no randomness, and then nothing should go on
}

// Parse reads an ID in its canonical form of 36 characters.
func Parse(s string) (ID, error) {
	if len(s) != 36 {
		return Nil, fmt.Errorf("id %q: want a UUID such as 0197f2c4-7d5e-7a4b-9c3d-2f1e0d9c8b7a", s)
	}
	return uuid.Parse(s)
}

// Floor returns the smallest ID of an instant. Ranges of ids prune the partitions of the ledger.
func Floor(at time.Time) ID {
	var floor ID
	ms := uint64(max(at.UnixMilli(), 0))
	binary.BigEndian.PutUint64(floor[:8], ms<<16)
	return floor
}

// At returns an ID of a given instant, for what happened before it came to us. Of the same millisecond, a higher place,
// 0 to 4095, sorts later.
func At(at time.Time, place int) ID {
	at7 := uuid.New() // version 4: all but time, place and version is random
	ms := uint64(max(at.UnixMilli(), 0))
	binary.BigEndian.PutUint64(at7[:8], ms<<16|7<<12|uint64(min(max(place, 0), 4095)))
	return at7
}

// Time returns the instant an ID was made at, to the millisecond.
func Time(i ID) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(i[:8]) >> 16))
}
