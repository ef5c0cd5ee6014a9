package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	schematool "go.temporal.io/server/tools/common/schema"
	sqltool "go.temporal.io/server/tools/sql"
)

// stores describes the two stores of the server: histories and queues in one schema, what can be listed in another.
func stores(d database) (main, visibility *config.SQL, err error) {
	base, err := parseURL(d.url)
	if err != nil {
		return nil, nil, err
	}
	main = withSchema(base, d.Schema, d.MaxConnections)
	// The btree_gin extension, which the visibility store needs, may already be installed in public.
	visibility = withSchema(base, d.VisibilitySchema+",public", d.VisibilityMaxConnections)
	return main, visibility, nil
}

// parseURL never quotes the URL in an error, because it holds a password.
func parseURL(text string) (config.SQL, error) {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") || u.Hostname() == "" || strings.Trim(u.Path, "/") == "" {
		return config.SQL{}, errors.New("the database URL must look like postgres://user:password@host:port/database")
	}
	password, _ := u.User.Password()
	if strings.Contains(password, " ") {
		return config.SQL{}, errors.New("the password in the database URL holds a space, which the Temporal server can't pass on")
	}
	port := u.Port()
	if port == "" {
		port = "5432"
	}
	attributes := map[string]string{"application_name": "temporal"}
	for key := range u.Query() {
		if strings.HasPrefix(key, "ssl") {
			attributes[key] = u.Query().Get(key)
		}
	}
	return config.SQL{
		PluginName:        postgresql.PluginNamePGX,
		ConnectAddr:       net.JoinHostPort(u.Hostname(), port),
		ConnectProtocol:   "tcp",
		User:              url.User(u.User.Username()).String(), // put into a URL unescaped by the server
		Password:          password,
		DatabaseName:      strings.Trim(u.Path, "/"),
		ConnectAttributes: attributes,
		MaxConnLifetime:   time.Hour,
	}, nil
}

// withSchema copies base, because the schema tools write into the configuration they are given.
func withSchema(base config.SQL, searchPath string, connections int) *config.SQL {
	attributes := map[string]string{"search_path": searchPath}
	for key, value := range base.ConnectAttributes {
		attributes[key] = value
	}
	base.ConnectAttributes = attributes
	base.MaxConns, base.MaxIdleConns = connections, connections
	return &base
}

// prepareSchemas makes both schemas and brings them up to date. Doing it again changes nothing.
func prepareSchemas(d database, main, visibility *config.SQL, logger log.Logger) error {
	for _, store := range []struct {
		config         *config.SQL
		schema, source string
	}{
		{main, d.Schema, "postgresql/v12/temporal"},
		{visibility, d.VisibilitySchema, "postgresql/v12/visibility"},
	} {
		if err := prepareSchema(*store.config, store.schema, store.source, logger); err != nil {
			return fmt.Errorf("preparing the schema %s: %w", store.schema, err)
		}
	}
	return nil
}

func prepareSchema(c config.SQL, schema, source string, logger log.Logger) error {
	c.MaxConns, c.MaxIdleConns = 1, 1
	conn, err := sqltool.NewConnection(&c, logger)
	if err != nil {
		return fmt.Errorf("connecting to the database: %w", err)
	}
	defer conn.Close()
	if err := conn.Exec(`CREATE SCHEMA IF NOT EXISTS "` + strings.ReplaceAll(schema, `"`, `""`) + `"`); err != nil {
		return fmt.Errorf("creating it: %w", err)
	}
	if err := schematool.NewSetupSchemaTask(conn, &schematool.SetupConfig{InitialVersion: "0.0"}, logger).Run(); err != nil {
		return fmt.Errorf("setting up its version table: %w", err)
	}
	update := &schematool.UpdateConfig{DBName: c.DatabaseName, SchemaName: source}
	if err := schematool.NewUpdateSchemaTask(conn, update, logger).Run(); err != nil {
		return fmt.Errorf("updating it: %w", err)
	}
	return nil
}
