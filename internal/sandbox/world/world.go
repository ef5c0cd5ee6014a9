// Package world is what all simulated providers share: the ledger of what they accepted, the people with
// their phones, the faults, the curve of statuses and the delivery of signed webhooks.
package world

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unicode/utf8"
)

// World is the ground that the simulators of one sandbox stand on.
type World struct {
	Ledger *Ledger
	People *People
	Store  *Store
	Faults Faults
	Curves Curves
}

// Save writes a value as JSON in place of a file, so that a reader or a crash sees the old or the new one.
// An empty path saves nothing.
func Save(path string, value any) error {
	if path == "" {
		return nil
	}
	data, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		return fmt.Errorf("encoding %s: %w", filepath.Base(path), err)
	}
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return fmt.Errorf("saving %s: %w", filepath.Base(path), err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("saving %s: %w", filepath.Base(path), err)
	}
	return nil
}

// Load reads what Save wrote. A file that does not exist leaves value as it is.
func Load(path string, value any) error {
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", filepath.Base(path), err)
	}
	if err := json.Unmarshal(data, value); err != nil {
		return fmt.Errorf("reading %s: %w", filepath.Base(path), err)
	}
	return nil
}

// AppendJSON appends s as a JSON string. Only a string that needs escaping takes the slow road.
func AppendJSON(dst []byte, s string) []byte {
	plain := utf8.ValidString(s)
	for i := 0; plain && i < len(s); i++ {
		plain = s[i] >= ' ' && s[i] != '"' && s[i] != '\\'
	}
	if !plain {
		escaped, _ := json.Marshal(s) // a string always has a JSON form
		return append(dst, escaped...)
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

// Hash spreads a string over 64 bits, the same for ever for a seed (FNV-1a and a finishing mix), so that a
// phone behaves alike in each run.
func Hash(seed uint64, s string) uint64 {
	h := 14695981039346656037 ^ seed
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// Share turns a hash into a number from 0 up to, but not including, 1.
func Share(hash uint64) float64 { return float64(hash>>11) / (1 << 53) }
