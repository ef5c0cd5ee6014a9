package media_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"omnidesk/internal/id"
	"omnidesk/internal/media"
	"omnidesk/internal/postgres"
	"omnidesk/internal/postgres/pgtest"
)

type shelf struct {
	*testing.T
	db            *postgres.DB
	bucket        *blob.Bucket
	store         *media.Store
	mine, theirs  id.ID
	connectionOne id.ID
}

func newShelf(t *testing.T, quota int64) *shelf {
	t.Helper()
	bucket := memblob.OpenBucket(nil)
	t.Cleanup(func() { require.NoError(t, bucket.Close()) })
	db := pgtest.New(t)
	return &shelf{t, db, bucket, media.NewStore(bucket, media.Options{Quota: quota}), pgtest.Company(t, db), pgtest.Company(t, db), id.New()}
}

func (s *shelf) keep(company id.ID, content string) (media.File, error) {
	return s.store.Keep(context.Background(), s.db, company, strings.NewReader(content))
}

func (s *shelf) tx(company id.ID, do func(postgres.Tx) error) {
	s.Helper()
	require.NoError(s, s.db.InCompany(context.Background(), company, do))
}

func (s *shelf) objects() (n int) {
	s.Helper()
	list := s.bucket.List(nil)
	for {
		_, err := list.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return n
		}
		require.NoError(s, err)
		n++
	}
}

func picture(t *testing.T, width, height int) string {
	t.Helper()
	canvas := image.NewRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		canvas.Set(x, x%height, color.RGBA{uint8(x), 90, 160, 255})
	}
	var out bytes.Buffer
	require.NoError(t, png.Encode(&out, canvas))
	return out.String()
}

func TestAFileIsKeptOncePerCompany(t *testing.T) {
	s := newShelf(t, 0)
	first, err := s.keep(s.mine, "%PDF-1.7 a document")
	require.NoError(t, err)
	require.Equal(t, []any{"application/pdf", int64(19), 0}, []any{first.Type, first.Size, first.Width})
	again, err := s.keep(s.mine, "%PDF-1.7 a document")
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Equal(t, 1, s.objects())
	other, err := s.keep(s.theirs, "%PDF-1.7 a document")
	require.NoError(t, err)
	require.NotEqual(t, first.ID, other.ID)
	require.Equal(t, 2, s.objects(), "no company learns what another one has")
	s.tx(s.theirs, func(tx postgres.Tx) error {
		_, err := s.store.Get(context.Background(), tx, s.theirs, nil, first.ID)
		require.ErrorIs(t, err, media.ErrNotFound)
		return nil
	})
	content, err := s.store.Open(t.Context(), first, false)
	require.NoError(t, err)
	defer content.Close()
	_, err = content.Seek(9, io.SeekStart)
	require.NoError(t, err)
	rest, err := io.ReadAll(content)
	require.NoError(t, err)
	require.Equal(t, "a document", string(rest))
}

func TestWhatAFileIsIsFoundInItsContent(t *testing.T) {
	s := newShelf(t, 0)
	for content, want := range map[string]string{
		"<html><script>alert(1)</script></html>":                         "text/html; charset=utf-8",
		"OggS\x00\x02" + strings.Repeat("\x00", 22) + "\x01\x13OpusHead": "audio/ogg",
		"\xff\xd8\xff\xe0 no picture after all":                          "image/jpeg",
		"#!AMR\nsound":                                                   "audio/amr",
		"<svg xmlns='http://www.w3.org/2000/svg'/>":                      "image/svg+xml",
	} {
		file, err := s.keep(s.mine, content)
		require.NoError(t, err)
		require.Equal(t, want, file.Type)
		require.Zero(t, file.Width, "what can't be read as a picture has no thumbnail")
	}
	require.False(t, media.Inline("text/html; charset=utf-8"))
	require.False(t, media.Inline("image/svg+xml"))
	require.True(t, media.Inline("image/jpeg"))
	require.Equal(t, `attachment; filename=a.html`, media.File{Type: "text/html"}.Disposition("a.html"))
	require.Empty(t, media.Suspicion("image/png", media.File{Type: "image/jpeg"}))
	require.Contains(t, media.Suspicion("image/jpeg", media.File{Type: "application/zip"}), "application/zip")
}

func TestAPictureHasAThumbnail(t *testing.T) {
	s := newShelf(t, 0)
	file, err := s.keep(s.mine, picture(t, 1200, 300))
	require.NoError(t, err)
	require.Equal(t, []int{1200, 300}, []int{file.Width, file.Height})
	small, err := s.store.Open(t.Context(), file, true)
	require.NoError(t, err)
	defer small.Close()
	about, kind, err := image.DecodeConfig(small)
	require.NoError(t, err)
	require.Equal(t, []any{"jpeg", 480, 120}, []any{kind, about.Width, about.Height})

	bomb := []byte(picture(t, 4, 4))
	copy(bomb[16:24], []byte{0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff}) // claims 65,535 × 65,535
	file, err = s.keep(s.mine, string(bomb))
	require.NoError(t, err)
	require.Zero(t, file.Width, "it is not unpacked")
}

func TestWhatDoesNotFitLeavesNothing(t *testing.T) {
	s := newShelf(t, 100)
	_, err := s.keep(s.mine, "")
	require.ErrorIs(t, err, media.ErrEmpty)
	_, err = s.store.Keep(t.Context(), s.db, s.mine, io.LimitReader(zeros{}, media.MostBytes+1))
	require.ErrorIs(t, err, media.ErrTooLarge)
	_, err = s.keep(s.mine, strings.Repeat("x", 60))
	require.NoError(t, err)
	var quota *media.QuotaError
	_, err = s.keep(s.mine, strings.Repeat("y", 60))
	require.ErrorAs(t, err, &quota)
	require.Equal(t, int64(60), quota.Used)
	_, err = s.keep(s.mine, strings.Repeat("x", 60))
	require.NoError(t, err, "what is there needs no more room")
	_, err = s.keep(s.theirs, strings.Repeat("y", 60))
	require.NoError(t, err, "each company has its own")
	require.Equal(t, 2, s.objects())
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestATransferIsTriedUntilItsTimeIsUp(t *testing.T) {
	s := newShelf(t, 0)
	now, message := time.Now().Truncate(time.Microsecond), id.New()
	next := func(at time.Time) (due *media.Transfer, later *time.Time) {
		s.tx(s.mine, func(tx postgres.Tx) (err error) {
			due, later, err = media.Next(context.Background(), tx, s.mine, s.connectionOne, at)
			return err
		})
		return due, later
	}
	attachment := func() (one media.Attachment) {
		s.tx(s.mine, func(tx postgres.Tx) error {
			found, err := media.Attachments(context.Background(), tx, s.mine, []id.ID{message})
			one = found[message]
			return err
		})
		return one
	}
	fail := func(at time.Time, final bool) (over bool) {
		due, _ := next(at)
		s.tx(s.mine, func(tx postgres.Tx) (err error) {
			over, err = media.Failed(context.Background(), tx, s.mine, *due, "Meta did not answer.", final, at)
			return err
		})
		return over
	}
	for range 2 { // a webhook may come twice
		s.tx(s.mine, func(tx postgres.Tx) error {
			return media.Expect(context.Background(), tx, s.mine, s.connectionOne, []media.Expected{{Message: message, ProviderID: "77"}}, now)
		})
	}
	due, _ := next(now)
	require.Equal(t, "77", due.ProviderID)
	require.False(t, fail(now, false))
	due, later := next(now)
	require.Nil(t, due)
	require.Equal(t, now.Add(5*time.Second), later.UTC().In(now.Location()))
	require.Equal(t, "pending", attachment().State)
	require.Equal(t, "Meta did not answer.", attachment().Detail)

	require.True(t, fail(now.Add(media.FetchFor), false), "Meta has it no longer by then")
	require.Equal(t, "failed", attachment().State)
	due, later = next(now.Add(media.FetchFor))
	require.Nil(t, due)
	require.Nil(t, later)

	s.tx(s.mine, func(tx postgres.Tx) error { return media.TryAgain(context.Background(), tx, s.mine, message, now) })
	require.ErrorIs(t, s.db.InCompany(t.Context(), s.mine, func(tx postgres.Tx) error { return media.TryAgain(t.Context(), tx, s.mine, message, now) }), media.ErrNotFound)
	file, err := s.keep(s.mine, picture(t, 10, 10))
	require.NoError(t, err)
	due, _ = next(now)
	due.Media = file.ID
	for _, fresh := range []bool{true, false} {
		s.tx(s.mine, func(tx postgres.Tx) error {
			first, err := media.Done(context.Background(), tx, s.mine, *due, "", now)
			require.Equal(t, fresh, first)
			return err
		})
	}
	require.Equal(t, file.ID, attachment().File.ID)
	require.Equal(t, 10, attachment().File.Width)
}

func TestAFileThatIsAtTheProviderIsNotHandedOverAgain(t *testing.T) {
	s := newShelf(t, 0)
	now := time.Now()
	file, err := s.keep(s.mine, "%PDF-1.7")
	require.NoError(t, err)
	s.tx(s.mine, func(tx postgres.Tx) error {
		ctx := context.Background()
		require.NoError(t, media.HandOver(ctx, tx, s.mine, s.connectionOne, id.New(), file.ID, now))
		due, _, err := media.Next(ctx, tx, s.mine, s.connectionOne, now)
		require.NoError(t, err)
		require.True(t, due.Outbound)
		before, err := media.HandedBefore(ctx, tx, s.mine, *due, now.Add(-time.Hour))
		require.NoError(t, err)
		require.Empty(t, before)
		due.ProviderID = "4711"
		_, err = media.Done(ctx, tx, s.mine, *due, "", now)
		require.NoError(t, err)
		before, err = media.HandedBefore(ctx, tx, s.mine, *due, now.Add(-time.Hour))
		require.NoError(t, err)
		require.Equal(t, "4711", before)
		before, err = media.HandedBefore(ctx, tx, s.mine, *due, now.Add(time.Hour))
		require.Empty(t, before, "providers forget")
		return err
	})
}
