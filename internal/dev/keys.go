package dev

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"omnidesk/internal/config"
)

// loadKeys reads the keys of this data directory, making them at the first start. Keys given by flag or
// environment win and are not written down.
func loadKeys(path string, given config.Secrets, make func() (config.Secrets, error)) (config.Secrets, error) {
	keys, err := readKeys(path)
	if errors.Is(err, fs.ErrNotExist) {
		if keys, err = make(); err != nil {
			return config.Secrets{}, err
		}
		err = writeKeys(path, keys)
	}
	if err != nil {
		return config.Secrets{}, err
	}
	if given.EncryptionKey != "" {
		keys.EncryptionKey = given.EncryptionKey
	}
	if given.SessionKey != "" {
		keys.SessionKey = given.SessionKey
	}
	return keys, nil
}

func readKeys(path string) (config.Secrets, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return config.Secrets{}, fmt.Errorf("reading the keys: %w", err)
	}
	var keys config.Secrets
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch name {
		case "ENCRYPTION_KEY":
			keys.EncryptionKey = value
		case "JWT_SECRET_KEY":
			keys.SessionKey = value
		}
	}
	if err := keys.Require(); err != nil {
		return config.Secrets{}, fmt.Errorf("reading the keys: %s is damaged; restore it, for what was sealed with its keys can't be read without them: %w", path, err)
	}
	return keys, nil
}

// writeKeys writes beside and renames: half a file would cost every sealed credential.
func writeKeys(path string, keys config.Secrets) error {
	text := "# Made by omnidesk dev. Whoever reads this can read every credential; without it they are lost.\n" +
		"ENCRYPTION_KEY=" + keys.EncryptionKey + "\nJWT_SECRET_KEY=" + keys.SessionKey + "\n"
	draft := path + ".new"
	if err := os.WriteFile(draft, []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing the keys: %w", err)
	}
	if err := os.Rename(draft, path); err != nil {
		return fmt.Errorf("writing the keys: %w", err)
	}
	return nil
}
