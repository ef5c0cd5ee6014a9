package id_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"omnidesk/internal/id"
)

// instants an id can hold: 48 bits of milliseconds since 1970.
func instant(t *rapid.T) time.Time {
	return time.UnixMilli(rapid.Int64Range(0, 1<<48-1).Draw(t, "milliseconds")).Add(time.Duration(rapid.IntRange(0, 999_999).Draw(t, "nanoseconds")))
}

func TestFloorAndTimeAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := instant(t)
		require.True(t, id.Time(id.Floor(at)).Equal(at.Truncate(time.Millisecond)))
	})
}

func TestFloorKeepsTheOrderOfInstants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := instant(t), instant(t)
		floorA, floorB := id.Floor(a), id.Floor(b)
		require.Equal(t, a.UnixMilli() < b.UnixMilli(), bytes.Compare(floorA[:], floorB[:]) < 0)
	})
}

// A range that begins at the floor of an instant holds every id made at it or later, and none made before.
func TestFloorIsBelowEveryIDOfItsInstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := id.Floor(time.Now())
		made := id.New()
		next := id.Floor(time.Now().Add(time.Second))
		require.Negative(t, bytes.Compare(before[:], made[:]))
		require.Negative(t, bytes.Compare(made[:], next[:]))
		own := id.Floor(id.Time(made))
		require.Negative(t, bytes.Compare(own[:], made[:]))
	})
}

func TestNewIDsAscendAndShowTheirInstant(t *testing.T) {
	last := id.New()
	for range 10_000 {
		next := id.New()
		require.Negative(t, bytes.Compare(last[:], next[:]))
		require.EqualValues(t, 7, next.Version())
		last = next
	}
	require.WithinDuration(t, time.Now(), id.Time(last), 2*time.Second)
}

func TestInstantsBefore1970HaveTheFloorZero(t *testing.T) {
	require.Equal(t, id.Nil, id.Floor(time.Unix(-1, 0)))
}

func TestParseReadsOnlyTheCanonicalForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := id.New()
		got, err := id.Parse(want.String())
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
	text := id.New().String()
	for _, wrong := range []string{"", "{" + text + "}", "urn:uuid:" + text, text[:35], text + "0", "zz" + text[2:], " " + text[1:]} {
		_, err := id.Parse(wrong)
		require.Error(t, err, wrong)
	}
}
