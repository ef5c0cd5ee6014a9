package world

import (
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMediaSurvive(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "media")
	store, err := OpenStore(dir)
	require.NoError(t, err)
	put, err := store.PutMedia("image/png", "photo.png", []byte("pixels"))
	require.NoError(t, err)
	require.Regexp(t, `^[0-9]{15,16}$`, put.ID)
	require.Equal(t, "6ec9c2b0eb14010746c8bce8939303b382344b296206612eb8a907a37b2b2f37", put.SHA256)

	store, err = OpenStore(dir)
	require.NoError(t, err)
	found, err := store.Media(put.ID)
	require.NoError(t, err)
	require.Equal(t, put, found)
	file, err := store.OpenMedia(put.ID)
	require.NoError(t, err)
	content, err := io.ReadAll(file)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	require.Equal(t, "pixels", string(content))

	require.NoError(t, store.DeleteMedia(put.ID))
	for _, id := range []string{put.ID, "1", "", "../ledger", put.ID + ".json"} {
		_, err = store.Media(id)
		require.ErrorIs(t, err, ErrNoMedia, id)
		_, err = store.OpenMedia(id)
		require.ErrorIs(t, err, ErrNoMedia, id)
		require.ErrorIs(t, store.DeleteMedia(id), ErrNoMedia, id)
	}
	for mime, content := range map[string]string{"": "a", "image/png": ""} {
		_, err = store.PutMedia(mime, "", []byte(content))
		require.Error(t, err)
	}
}
