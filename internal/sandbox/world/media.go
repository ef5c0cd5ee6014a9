package world

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

const (
	// MostMedia is the size of the largest file that Meta takes, a document: 100 MB.
	MostMedia = 100 << 20
	// keepMedia is how long Meta keeps a file that a business uploaded. Those that people sent it keeps for 7 days.
	keepMedia = 30 * 24 * time.Hour
)

// ErrNoMedia says that a file was never put, or has been deleted.
var ErrNoMedia = errors.New("the sandbox has no such media")

// Media describes a file that a person sent or a business uploaded.
type Media struct {
	ID     string    `json:"id"` // digits, as Meta's
	MIME   string    `json:"mime_type"`
	Name   string    `json:"filename,omitempty"`
	SHA256 string    `json:"sha256"` // of the content, in hex
	Size   int64     `json:"file_size"`
	At     time.Time `json:"at"`
}

// Store keeps media by id, each as two files of its folder.
type Store struct{ dir string }

// OpenStore opens or makes the store at dir, and drops what is older than 30 days.
func OpenStore(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of media: %w", err)
	}
	s := &Store{dir: dir}
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the folder of media: %w", err)
	}
	for _, file := range files {
		info, err := file.Info()
		if err == nil && time.Since(info.ModTime()) > keepMedia {
			os.Remove(filepath.Join(dir, file.Name())) //nolint:errcheck // it is tried again at the next start
		}
	}
	return s, nil
}

// PutMedia keeps a file under a new id. The name may be empty.
func (s *Store) PutMedia(mime, name string, content []byte) (Media, error) {
	if mime == "" || len(content) == 0 || len(content) > MostMedia {
		return Media{}, errors.New("media need a MIME type and a content of 1 byte to 100 MB")
	}
	number, err := rand.Int(rand.Reader, big.NewInt(9e14))
	if err != nil {
		return Media{}, fmt.Errorf("drawing an id for media: %w", err)
	}
	sum := sha256.Sum256(content)
	media := Media{
		ID: number.Add(number, big.NewInt(1e14)).String(), MIME: mime, Name: name,
		SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content)), At: time.Now().UTC(),
	}
	if err := os.WriteFile(s.path(media.ID), content, 0o600); err != nil {
		return Media{}, fmt.Errorf("keeping media: %w", err)
	}
	return media, Save(s.path(media.ID)+".json", media) // last, so that whatever is described is whole
}

// Media describes the file of an id, or returns ErrNoMedia.
func (s *Store) Media(id string) (Media, error) {
	var media Media
	if !digitsOnly(id) {
		return media, ErrNoMedia
	}
	if err := Load(s.path(id)+".json", &media); err != nil {
		return media, err
	}
	if media.ID == "" {
		return media, ErrNoMedia
	}
	return media, nil
}

// OpenMedia opens the content of a file for reading, or returns ErrNoMedia. The caller closes it.
func (s *Store) OpenMedia(id string) (*os.File, error) {
	if !digitsOnly(id) {
		return nil, ErrNoMedia
	}
	file, err := os.Open(s.path(id))
	if errors.Is(err, os.ErrNotExist) {
		return nil, ErrNoMedia
	}
	if err != nil {
		return nil, fmt.Errorf("opening media: %w", err)
	}
	return file, nil
}

// DeleteMedia forgets a file, or returns ErrNoMedia.
func (s *Store) DeleteMedia(id string) error {
	if _, err := s.Media(id); err != nil {
		return err
	}
	return errors.Join(os.Remove(s.path(id)+".json"), os.Remove(s.path(id)))
}

func (s *Store) path(id string) string { return filepath.Join(s.dir, id) }

// digitsOnly keeps an id of a request from naming another file.
func digitsOnly(id string) bool {
	for i := range len(id) {
		if id[i] < '0' || id[i] > '9' {
			return false
		}
	}
	return id != "" && len(id) <= 32
}
