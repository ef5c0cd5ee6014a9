package account

import (
	"net/netip"
	"sync"
	"time"
)

// Figures of the back-off. A pair of account and address waits after 5 failures; an address that fails for
// many accounts waits as a whole. An account alone is never shut, so a stranger can't lock anybody out.
const (
	freeFailures     = 5
	freePerAddress   = 50
	firstWait        = 2 * time.Second
	longestWait      = 15 * time.Minute
	forgetAfter      = time.Hour
	mostRemembered   = 20_000
	mostRememberedIP = 20_000
)

type failures struct {
	count int
	last  time.Time
	until time.Time // no attempt is looked at before
}

type pair struct {
	email   string
	address netip.Prefix
}

// backoff remembers failed logins in this process. Several servers each count for themselves, and a restart
// forgets: the limit that remains is the cost of a hash and the two at one time.
type backoff struct {
	mu        sync.Mutex
	pairs     map[pair]failures
	addresses map[netip.Prefix]failures
}

func newBackoff() *backoff {
	return &backoff{pairs: map[pair]failures{}, addresses: map[netip.Prefix]failures{}}
}

// network is what counts as one address: an IPv6 customer has a /64.
func network(address netip.Addr) netip.Prefix {
	address = address.Unmap().WithZone("")
	bits := 32
	if address.Is6() {
		bits = 64
	}
	prefix, _ := address.Prefix(bits) // an invalid address makes the zero prefix, one bucket for all of them
	return prefix
}

// wait returns how long this pair must still wait; 0 when it may try.
func (b *backoff) wait(email string, address netip.Addr, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	net := network(address)
	return max(b.pairs[pair{email, net}].until.Sub(now), b.addresses[net].until.Sub(now), 0)
}

func (b *backoff) failed(email string, address netip.Addr, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	net := network(address)
	prune(b.pairs, now, mostRemembered)
	prune(b.addresses, now, mostRememberedIP)
	b.pairs[pair{email, net}] = b.pairs[pair{email, net}].again(freeFailures, now)
	b.addresses[net] = b.addresses[net].again(freePerAddress, now)
}

func (b *backoff) succeeded(email string, address netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.pairs, pair{email, network(address)})
}

func (f failures) again(free int, now time.Time) failures {
	if now.Sub(f.last) > forgetAfter {
		f = failures{}
	}
	f.count++
	f.last = now
	if over := f.count - free; over >= 0 {
		f.until = now.Add(min(firstWait<<min(over, 10), longestWait))
	}
	return f
}

// prune keeps the memory bounded: what is old goes first, and when a flood leaves nothing old, anything.
func prune[K comparable](known map[K]failures, now time.Time, most int) {
	if len(known) < most {
		return
	}
	for key, f := range known {
		if now.Sub(f.last) > forgetAfter {
			delete(known, key)
		}
	}
	for key := range known {
		if len(known) < most {
			return
		}
		delete(known, key)
	}
}
