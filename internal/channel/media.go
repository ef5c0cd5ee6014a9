package channel

import (
	"context"
	"io"
	"time"
)

// Courier is an ability of adapters whose provider keeps files: they go to it before the message that names them, and
// are fetched from it after the message that names them.
type Courier interface {
	// Upload hands a file over and returns its id at the provider. It may be done again: a file that no message names does
	// no harm. Errors: MediaError.
	Upload(ctx context.Context, account Account, file Upload) (providerID string, err error)
	// Fetch opens a file that a contact sent, and says what the provider says about it. Close it. Errors: MediaError.
	Fetch(ctx context.Context, account Account, providerID string) (io.ReadCloser, Fetched, error)
}

// Upload is a file on its way to a provider.
type Upload struct {
	Name    string
	Type    string // MIME
	Size    int64  // bytes
	Content io.Reader
}

// Fetched is what a provider says about a file. Nothing of it is checked.
type Fetched struct {
	Type   string
	SHA256 string // in hex; empty: it does not say
	Size   int64  // bytes; 0: it does not say
}

// UploadLives is how long a provider keeps a file that was handed to it, at least.
const UploadLives = 25 * 24 * time.Hour

// MediaError says why a file could not be handed over or fetched.
type MediaError struct {
	Final  bool   // no other try will do
	Gone   bool   // the provider has it no longer
	Detail string // one sentence of ours: what happened and what to do
}

func (e *MediaError) Error() string { return e.Detail }
