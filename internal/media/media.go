// Package media keeps the files that people of a company and its contacts send: their bytes in a blob store, once per
// company under the hash of their content, and what is known about them in rows.
package media

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/jackc/pgx/v5"
	"gocloud.dev/blob"

	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
)

// MostBytes is the size of the largest file that is taken: what WhatsApp takes as a document.
const MostBytes = 100 << 20

// Options of a Store.
type Options struct {
	Quota int64 // bytes that a company's files may take; 0: no end
	// Sign returns an address at which a file's key can be read for a short while, when a network of caches stands in front
	// of the bucket; nil: files are read through us.
	Sign func(key string) (string, error)
}

// Store keeps files. Close the bucket yourself.
type Store struct {
	bucket  *blob.Bucket
	options Options
}

// NewStore returns a store in a bucket.
func NewStore(bucket *blob.Bucket, options Options) *Store { return &Store{bucket, options} }

// File is one file as it is known.
type File struct {
	ID            id.ID
	SHA256        string // in hex
	Size          int64  // bytes
	Type          string // MIME, found by looking at the content
	Width, Height int    // of a picture with a thumbnail; 0: it has none
	key           string // in the bucket
}

// Errors of Keep and Get.
var (
	ErrNotFound = errors.New("no such file")
	ErrEmpty    = errors.New("the file is empty")
	ErrTooLarge = errors.New("the file has more than 100 MB; send a smaller one, or a link to it")
)

// QuotaError says that a company's files take all the room that it has.
type QuotaError struct{ Used, Quota int64 } // bytes

func (e *QuotaError) Error() string {
	return fmt.Sprintf("the company's files take %d of %d MB, and this one does not fit; ask whoever runs this installation for more room", e.Used>>20, e.Quota>>20)
}

func fileOf(row Medium) File {
	return File{ID: row.ID, SHA256: row.Sha256, Size: row.Size, Type: row.Type, Width: int(row.Width), Height: int(row.Height), key: key(row.CompanyID, row.Sha256)}
}

func key(company id.ID, hash string) string { return company.String() + "/" + hash }

// Keep stores a file unless the company has it already, and returns what it is. The content goes through a file of its
// own first, because its name in the bucket is its hash. A crash leaves at most bytes that the next try finds in place.
// Errors: ErrEmpty, ErrTooLarge, QuotaError.
func (s *Store) Keep(ctx context.Context, db *postgres.DB, company id.ID, content io.Reader) (File, error) {
	draft, err := os.CreateTemp("", "omnidesk-media-*")
	if err != nil {
		return File{}, fmt.Errorf("making room for a file: %w", err)
	}
	defer func() { draft.Close(); os.Remove(draft.Name()) }() //nolint:errcheck // nothing can be done about it
	hash := sha256.New()
	size, err := io.Copy(io.MultiWriter(draft, hash), io.LimitReader(content, MostBytes+1))
	switch {
	case err != nil:
		return File{}, fmt.Errorf("receiving a file: %w", err)
	case size == 0:
		return File{}, ErrEmpty
	case size > MostBytes:
		return File{}, ErrTooLarge
	}
	file := File{ID: id.New(), SHA256: hex.EncodeToString(hash.Sum(nil)), Size: size}
	file.key = key(company, file.SHA256)
	known, err := s.known(ctx, db, company, &file)
	if err != nil || known {
		return file, err
	}
	if err := s.upload(ctx, draft, &file); err != nil {
		return File{}, err
	}
	// gofail: var mediaAfterStoreBeforeRow struct{}
	return file, s.enter(ctx, db, company, &file)
}

// known fills in a file that the company has already, and otherwise asks whether there is room for it.
func (s *Store) known(ctx context.Context, db *postgres.DB, company id.ID, file *File) (known bool, err error) {
	err = db.InCompany(ctx, company, func(tx postgres.Tx) error {
		row, err := New(tx).fileOfHash(ctx, company, file.SHA256)
		if err == nil {
			*file, known = fileOf(row), true
			return nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("looking for a file: %w", err)
		}
		return s.room(ctx, tx, company, file.Size)
	})
	return known, err
}

func (s *Store) room(ctx context.Context, tx postgres.Tx, company id.ID, size int64) error {
	if s.options.Quota == 0 {
		return nil
	}
	used, err := New(tx).usage(ctx, company)
	if err != nil {
		return fmt.Errorf("asking how much room files take: %w", err)
	}
	if used+size > s.options.Quota {
		return &QuotaError{used, s.options.Quota}
	}
	return nil
}

func (s *Store) upload(ctx context.Context, draft *os.File, file *File) error {
	if _, err := draft.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading a file again: %w", err)
	}
	var err error
	if file.Type, err = typeOf(draft); err != nil {
		return err
	}
	picture, width, height := thumbnail(draft, file.Type)
	if picture != nil {
		if err := s.bucket.WriteAll(ctx, file.key+thumbnailSuffix, picture, &blob.WriterOptions{ContentType: "image/jpeg"}); err != nil {
			return fmt.Errorf("storing a thumbnail: %w", err)
		}
		file.Width, file.Height = width, height
	}
	if _, err := draft.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading a file again: %w", err)
	}
	options := &blob.WriterOptions{ContentType: file.Type, ContentDisposition: disposition(file.Type, "")}
	if err := s.bucket.Upload(ctx, file.key, draft, options); err != nil {
		return fmt.Errorf("storing a file: %w", err)
	}
	return nil
}

// enter writes the row. Who came first with the same content wins.
func (s *Store) enter(ctx context.Context, db *postgres.DB, company id.ID, file *File) error {
	return db.InCompany(ctx, company, func(tx postgres.Tx) error {
		q := New(tx)
		err := q.insertFile(ctx, insertFileParams{CompanyID: company, ID: file.ID, Sha256: file.SHA256, Size: file.Size, Type: file.Type, Width: int32(file.Width), Height: int32(file.Height)})
		if err != nil {
			return fmt.Errorf("entering a file: %w", err)
		}
		row, err := q.fileOfHash(ctx, company, file.SHA256)
		if err != nil {
			return fmt.Errorf("reading a file that was just entered: %w", err)
		}
		*file = fileOf(row)
		return nil
	})
}

// Get returns a file that somebody in some departments may see; nil: in all. Errors: ErrNotFound.
func (s *Store) Get(ctx context.Context, tx postgres.Tx, company id.ID, departments []id.ID, wanted id.ID) (File, error) {
	row, err := New(tx).getFile(ctx, company, wanted, departments)
	if errors.Is(err, pgx.ErrNoRows) {
		return File{}, ErrNotFound
	}
	if err != nil {
		return File{}, fmt.Errorf("reading a file: %w", err)
	}
	return fileOf(row), nil
}

// Open opens a file, or its thumbnail, to be read from anywhere in it. Close it.
func (s *Store) Open(ctx context.Context, file File, thumbnail bool) (io.ReadSeekCloser, error) {
	name := file.key
	if thumbnail {
		name += thumbnailSuffix
	}
	reader, err := s.bucket.NewReader(ctx, name, nil)
	if err != nil {
		return nil, fmt.Errorf("opening a file: %w", err)
	}
	return reader, nil
}

// Address is where a file can be read without us for a short while; empty: it can't.
func (s *Store) Address(file File, thumbnail bool) (string, error) {
	if s.options.Sign == nil {
		return "", nil
	}
	name := file.key
	if thumbnail {
		name += thumbnailSuffix
	}
	return s.options.Sign(name)
}
