package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDatabaseURLs(t *testing.T) {
	for _, good := range []string{
		"postgres://u:p@127.0.0.1:5433/omnidesk?sslmode=disable",
		"postgres://u:p@localhost/omnidesk",
		"postgres://u:p@/omnidesk?host=/var/run/postgresql", // deploy/compose.yaml
		"postgresql://u:p@db.example:5432/omnidesk?sslmode=verify-full",
	} {
		require.NoError(t, Database{URL: good}.Require(), good)
	}
	for bad, says := range map[string]string{
		"":                                         "set DATABASE_URL",
		"db.example/omnidesk":                      "must look like",
		"postgres://u:p@db.example":                "must look like",
		"postgres://u:p@db.example/omnidesk":       "without TLS",
		"postgres://u:p@/x?host=db.example":        "without TLS",
		"postgres://u:p@10.0.0.7/x?sslmode=prefer": "without TLS",
	} {
		err := Database{URL: bad}.Require()
		require.ErrorContains(t, err, says, bad)
		require.NotContains(t, err.Error(), "u:p", "a password must never be shown")
	}
	require.ErrorContains(t, Database{URL: "postgres://localhost/a", DirectURL: "x"}.Require(), "DATABASE_DIRECT_URL")
}

func TestDirectFallsBack(t *testing.T) {
	require.Equal(t, "a", Database{URL: "a"}.Direct())
	require.Equal(t, "b", Database{URL: "a", DirectURL: "b"}.Direct())
}

func TestMissingKeysSayHowToMakeThem(t *testing.T) {
	require.ErrorContains(t, Secrets{SessionKey: "x"}.Require(), "ENCRYPTION_KEY is not set: make it once with `omnidesk admin new-keys`")
	require.ErrorContains(t, Secrets{EncryptionKey: "x"}.Require(), "JWT_SECRET_KEY is not set")
	require.NoError(t, Secrets{EncryptionKey: "x", SessionKey: "x"}.Require())
}

func TestProviderTimeoutFitsAPage(t *testing.T) {
	for _, good := range []time.Duration{time.Second, 30 * time.Second, time.Minute} {
		require.NoError(t, Provider{ProviderTimeout: good}.Require())
	}
	for _, bad := range []time.Duration{0, -time.Second, 999 * time.Millisecond, time.Minute + 1} {
		require.ErrorContains(t, Provider{ProviderTimeout: bad}.Require(), "OMNIDESK_PROVIDER_TIMEOUT")
	}
}
