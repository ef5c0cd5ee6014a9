package server

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"omnidesk/internal/webhook"
)

type metrics struct {
	requests *prometheus.HistogramVec
	logins   *prometheus.CounterVec
	webhooks *prometheus.CounterVec
	items    *prometheus.CounterVec
	sockets  prometheus.Gauge
}

func newMetrics(registry *prometheus.Registry) *metrics {
	m := &metrics{
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "omnidesk_http_request_seconds", Help: "Time of answers by route.",
			Buckets: []float64{.005, .02, .1, .5, 2, 10, 60}}, []string{"method", "route", "status"}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "omnidesk_logins_total", Help: "Attempts to sign in by result."}, []string{"result"}),
		webhooks: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "omnidesk_webhooks_total", Help: "Webhook posts by result."},
			[]string{"provider", "result"}),
		items: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "omnidesk_webhook_items_total",
			Help: "Statuses and inbound messages in webhooks by what became of them."}, []string{"kind", "result"}),
		sockets: prometheus.NewGauge(prometheus.GaugeOpts{Name: "omnidesk_websockets", Help: "Open websockets."}),
	}
	registry.MustRegister(m.requests, m.logins, m.webhooks, m.items, m.sockets, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// count counts what a committed webhook has said.
func (m *metrics) count(events []webhook.Event) {
	for _, event := range events {
		result := "applied"
		switch {
		case event.Stray:
			result = "foreign"
		case event.Reason != "":
			m.items.WithLabelValues("event", "parked").Inc()
		}
		m.items.WithLabelValues("status", result).Add(float64(len(event.Statuses)))
		m.items.WithLabelValues("inbound", result).Add(float64(len(event.Inbound)))
	}
}

// metricsHandler also gives what other packages of the process registered with the default registry.
func (s *Server) metricsHandler() http.Handler {
	mux := http.NewServeMux()
	gatherers := prometheus.Gatherers{s.registry, defaultGatherer{}}
	mux.Handle("GET /metrics", promhttp.HandlerFor(gatherers, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	return mux
}
