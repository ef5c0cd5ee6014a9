package server

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// defaultGatherer leaves out the runtime's own figures, which the server's registry has already.
type defaultGatherer struct{}

// Gather implements prometheus.Gatherer.
func (defaultGatherer) Gather() ([]*dto.MetricFamily, error) {
	all, err := prometheus.DefaultGatherer.Gather()
	kept := all[:0]
	for _, family := range all {
		if !strings.HasPrefix(family.GetName(), "go_") && !strings.HasPrefix(family.GetName(), "process_") {
			kept = append(kept, family)
		}
	}
	return kept, err
}
