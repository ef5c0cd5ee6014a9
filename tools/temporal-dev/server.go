package main

import (
	"fmt"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
)

func newLogger(level string) log.Logger {
	return log.NewZapLogger(log.BuildZapLogger(log.Config{Level: level, Format: "console"}))
}

// newServer builds all four services in this process. They find each other by fixed addresses, so no membership
// protocol runs.
func newServer(s settings, main, visibility *config.SQL, logger log.Logger) (temporal.Server, error) {
	dynamic := dynamicconfig.NewMemoryClient()
	for key, value := range s.DynamicConfig {
		dynamic.OverrideValue(dynamicconfig.MakeKey(key), value)
	}
	server, err := temporal.NewServer(
		temporal.WithConfig(serverConfig(s, main, visibility)),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(map[primitives.ServiceName]static.Hosts{
			primitives.FrontendService: static.SingleLocalHost(s.address(s.Ports.Frontend)),
			primitives.HistoryService:  static.SingleLocalHost(s.address(s.Ports.History)),
			primitives.MatchingService: static.SingleLocalHost(s.address(s.Ports.Matching)),
			primitives.WorkerService:   static.SingleLocalHost(s.address(s.Ports.Worker)),
		}),
		temporal.WithLogger(logger),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return authorization.NewNoopClaimMapper() }),
		temporal.WithDynamicConfigClient(dynamic),
	)
	if err != nil {
		return nil, fmt.Errorf("building the Temporal server: %w", err)
	}
	return server, nil
}

func serverConfig(s settings, main, visibility *config.SQL) *config.Config {
	const name = "active"
	frontend := s.address(s.Ports.Frontend)
	c := &config.Config{}
	c.Global.Membership.MaxJoinDuration = 30 * time.Second
	c.Global.Membership.BroadcastAddress = s.IP
	c.Global.Metrics = &metrics.Config{Prometheus: &metrics.PrometheusConfig{
		ListenAddress: s.address(s.Ports.Metrics), HandlerPath: "/metrics",
	}}
	c.Persistence = config.Persistence{
		DefaultStore: "main", VisibilityStore: "visibility", NumHistoryShards: s.Shards,
		DataStores: map[string]config.DataStore{"main": {SQL: main}, "visibility": {SQL: visibility}},
	}
	c.ClusterMetadata = &cluster.Config{
		FailoverVersionIncrement: 10, MasterClusterName: name, CurrentClusterName: name,
		ClusterInformation: map[string]cluster.ClusterInformation{
			name: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: frontend},
		},
	}
	c.DCRedirectionPolicy.Policy = "noop"
	c.Services = map[string]config.Service{
		"frontend": service(s.IP, s.Ports.Frontend),
		"history":  service(s.IP, s.Ports.History),
		"matching": service(s.IP, s.Ports.Matching),
		"worker":   service(s.IP, s.Ports.Worker),
	}
	c.PublicClient.HostPort = frontend
	c.Archival.History.State, c.Archival.Visibility.State = "disabled", "disabled"
	c.NamespaceDefaults.Archival.History.State = "disabled"
	c.NamespaceDefaults.Archival.Visibility.State = "disabled"
	return c
}

func service(ip string, port int) config.Service {
	return config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: ip}}
}

// newUI has no sign-in: it listens on the loopback, and the application's proxy decides who gets to it.
func newUI(s settings) *uiserver.Server {
	return uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
		Host: s.IP, Port: s.Ports.UI, TemporalGRPCAddress: s.address(s.Ports.Frontend), EnableUI: true,
		DefaultNamespace: s.Namespace, PublicPath: s.UIPath, DisableNewsFetch: true, HideLogs: true,
		CORS: uiconfig.CORS{CookieInsecure: true},
	}))
}
