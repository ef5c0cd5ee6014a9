package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"time"

	"gopkg.in/yaml.v3"
)

// settings is temporal-dev.yaml after flags and environment have been laid over it.
type settings struct {
	IP               string            `yaml:"ip"`
	Ports            ports             `yaml:"ports"`
	UIPath           string            `yaml:"ui_path"`
	LogLevel         string            `yaml:"log_level"`
	Database         database          `yaml:"database"`
	Shards           int32             `yaml:"shards"`
	Namespace        string            `yaml:"namespace"`
	Retention        time.Duration     `yaml:"retention"`
	SearchAttributes map[string]string `yaml:"search_attributes"`
	DynamicConfig    map[string]any    `yaml:"dynamic_config"`

	headless bool
}

// ports holds one TCP port for each listener; 0 takes any free one.
type ports struct {
	Frontend int `yaml:"frontend"`
	UI       int `yaml:"ui"`
	Metrics  int `yaml:"metrics"`
	History  int `yaml:"history"`
	Matching int `yaml:"matching"`
	Worker   int `yaml:"worker"`
}

type database struct {
	Schema                   string `yaml:"schema"`
	VisibilitySchema         string `yaml:"visibility_schema"`
	MaxConnections           int    `yaml:"max_connections"`
	VisibilityMaxConnections int    `yaml:"visibility_max_connections"`

	url string
}

// readSettings reads the file named by --config and lays the flags over it.
func readSettings(args []string) (settings, error) {
	flags := flag.NewFlagSet("temporal-dev", flag.ContinueOnError)
	file := flags.String("config", "temporal-dev.yaml", "the settings file")
	url := flags.String("database-url", os.Getenv("TEMPORAL_DATABASE_URL"), "PostgreSQL, as postgres://user:password@host:port/database; its user may create schemas (TEMPORAL_DATABASE_URL)")
	ip := flags.String("ip", "", "the address to listen on")
	port := flags.Int("port", -1, "the frontend's port; 0 takes a free one")
	uiPort := flags.Int("ui-port", -1, "the UI's port; 0 takes a free one")
	metricsPort := flags.Int("metrics-port", -1, "the port of the metrics; 0 takes a free one")
	namespace := flags.String("namespace", "", "the namespace to make")
	headless := flags.Bool("headless", false, "start no UI")
	if err := flags.Parse(args); err != nil {
		return settings{}, err
	}
	s, err := readFile(*file)
	if err != nil {
		return settings{}, err
	}
	s.headless = *headless
	s.Database.url = *url
	if s.Database.url == "" {
		return settings{}, errors.New("no database: set --database-url or TEMPORAL_DATABASE_URL")
	}
	overrideText(&s.IP, *ip)
	overrideText(&s.Namespace, *namespace)
	overridePort(&s.Ports.Frontend, *port)
	overridePort(&s.Ports.UI, *uiPort)
	overridePort(&s.Ports.Metrics, *metricsPort)
	return s, s.takePorts()
}

// readFile refuses unknown keys: a misspelt one would silently leave its default in force.
func readFile(path string) (settings, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return settings{}, fmt.Errorf("reading the settings (--config): %w", err)
	}
	var s settings
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&s); err != nil {
		return settings{}, fmt.Errorf("reading the settings in %s: %w", path, err)
	}
	if net.ParseIP(s.IP) == nil {
		return settings{}, fmt.Errorf("reading the settings in %s: ip %q is not an IP address", path, s.IP)
	}
	return s, nil
}

func overrideText(value *string, with string) {
	if with != "" {
		*value = with
	}
}

func overridePort(value *int, with int) {
	if with >= 0 {
		*value = with
	}
}

// takePorts replaces each 0 by a free port and fails early, in words, on one that is taken. The ports are all
// held open until the last is chosen, so that no two are the same.
func (s *settings) takePorts() error {
	var held []net.Listener
	defer func() {
		for _, listener := range held {
			_ = listener.Close()
		}
	}()
	p := &s.Ports
	for name, port := range map[string]*int{
		"frontend": &p.Frontend, "ui": &p.UI, "metrics": &p.Metrics,
		"history": &p.History, "matching": &p.Matching, "worker": &p.Worker,
	} {
		if name == "ui" && s.headless {
			continue
		}
		listener, err := net.Listen("tcp", s.address(*port))
		if err != nil {
			return fmt.Errorf("the %s port %d can't be used: %w", name, *port, err)
		}
		held = append(held, listener)
		*port = listener.Addr().(*net.TCPAddr).Port
	}
	return nil
}

func (s *settings) address(port int) string {
	return net.JoinHostPort(s.IP, fmt.Sprint(port))
}
