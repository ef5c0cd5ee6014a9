package contact

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/channel"
)

// FuzzForms looks for numbers of which one form leads to another person than the other form of the same phone, and for
// words that count as a wish only in some spelling of their case.
func FuzzForms(f *testing.F) {
	for _, phone := range []string{"+5511999990001", "+551188880001", "+5215512345678", "+525512345678", "+5491123456789", "+541123456789", "+12015550142", "+", "", "+55", "+5599999999999"} {
		f.Add(phone)
	}
	f.Fuzz(func(t *testing.T, phone string) {
		_ = WishOf(phone)
		all := forms(channel.Address{Kind: "bsuid", Value: phone})
		require.Equal(t, []channel.Address{{Kind: "bsuid", Value: phone}}, all, "only phones have forms")
		if len(phone) < 2 || len(phone) > 16 || phone[0] != '+' || strings.Trim(phone[1:], "0123456789") != "" {
			return
		}
		all = forms(channel.Address{Kind: "phone", Value: phone})
		require.Contains(t, all, channel.Address{Kind: "phone", Value: phone}, "the number itself is one of its forms")
		for _, form := range all {
			again := forms(form)
			require.Equal(t, all[0], again[0], "each form is kept as the same number")
			require.ElementsMatch(t, all, again)
		}
		require.Len(t, slices.Compact(slices.Clone(all)), len(all))
	})
}
