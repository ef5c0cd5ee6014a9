package send

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
	"omnidesk/internal/pace"
)

func TestACampaignAsksForContactsGapsOnlyWhenSomebodyElseSentOfLate(t *testing.T) {
	now, mine, other := time.Now(), id.New(), id.New()
	long, late := now.Add(-time.Hour/2), now.Add(-time.Minute)
	for name, c := range map[string]struct {
		last   *id.ID
		took   time.Time // when the last one did
		others time.Time
		asks   bool
	}{
		"it was alone":                        {&mine, late, long, false},
		"another one sent a minute ago":       {&mine, late, late, true},
		"another one sent last":               {&other, late, long, true},
		"another one sent last, but long ago": {&other, long, long, false},
		"nothing is known":                    {nil, late, late, true},
	} {
		s := pacing{limits: pace.Limits{ContactGap: 6 * time.Second}, lastFor: c.last, others: c.others, used: pace.Used{Log: pace.Log{{At: c.took, N: 1}}}}
		require.Equal(t, c.asks, s.spaced(source{campaign: mine}, now), name)
		require.True(t, s.spaced(source{}, now), "messages outside campaigns may be to one contact")
		s.limits.ContactGap = 0
		require.False(t, s.spaced(source{}, now))
	}
}
