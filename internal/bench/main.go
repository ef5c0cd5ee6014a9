// Command bench measures OmniDesk as real processes on this machine and prints one JSON line per figure on
// standard output, nothing else; what it is doing goes to standard error. See docs/operations.md.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// benchmark is one named run.
type benchmark struct {
	name string
	long bool
	run  func(context.Context) error
}

var benchmarks = []benchmark{
	{"campaign", false, func(ctx context.Context) error { return campaignPairs(ctx, 40_000, 3) }},
	{"urgent", false, func(ctx context.Context) error { return urgentBeside(ctx, 20, 60*time.Second) }},
	{"pace", false, func(ctx context.Context) error { return pacePairs(ctx, 40_000, 4) }},
	{"auth", false, authReads},
	{"paint", false, paints},
	{"statuses", false, func(ctx context.Context) error { return statusesApplied(ctx, time.Minute, 30*time.Second) }},
	{"inbox_live", false, func(ctx context.Context) error { return inboxLive(ctx, 30*time.Second) }},
	{"statuses-brief", true, func(ctx context.Context) error { return statusesApplied(ctx, 6*time.Second, 12*time.Second) }},
	{"campaign-million", true, campaignMillion},
	{"reads", true, readsAt200k},
	{"import", true, importFile},
}

func main() {
	long := flag.Bool("long", false, "run the long ones")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, flag.Arg(0), *long); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name string, long bool) error {
	ran := false
	for _, b := range benchmarks {
		if (name == "" && b.long == long) || b.name == name {
			ran = true
			if err := b.run(ctx); err != nil {
				return fmt.Errorf("%s: %w", b.name, err)
			}
		}
	}
	if !ran {
		return fmt.Errorf("there is no benchmark %q", name)
	}
	return nil
}

// figure prints one result. n is how many runs stand behind the value.
func figure(bench, name string, value float64, unit string, n int) {
	line, err := json.Marshal(struct {
		Bench  string  `json:"bench"`
		Figure string  `json:"figure"`
		Value  float64 `json:"value"`
		Unit   string  `json:"unit"`
		N      int     `json:"n"`
	}{bench, name, float64(int(value*1000+0.5)) / 1000, unit, n})
	if err != nil {
		panic(err) // numbers and strings marshal
	}
	fmt.Println(string(line))
}

func note(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return values[len(values)/2]
}
