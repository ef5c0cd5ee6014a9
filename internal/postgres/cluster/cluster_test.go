package cluster_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"omnidesk/internal/postgres/cluster"
)

func TestDataSurviveStopsAndKills(t *testing.T) {
	ctx := t.Context()
	options := cluster.Options{Dir: directory(t), Durable: true,
		Settings: map[string]string{"shared_buffers": "32MB"}}
	first := start(t, options)
	require.NoError(t, first.CreateDatabase(ctx, "kept"))
	require.NoError(t, first.CreateDatabase(ctx, "kept"), "a second time changes nothing")
	query(t, first, "CREATE TABLE notes (text text)")
	query(t, first, "INSERT INTO notes VALUES ('one')")
	first.Stop()

	second := start(t, options)
	require.Equal(t, "1", query(t, second, "SELECT count(*)::text FROM notes"))
	held, err := pgx.Connect(ctx, second.URL("kept")) // a session lives on for a moment when only the postmaster dies
	require.NoError(t, err)
	defer held.Close(context.WithoutCancel(ctx))
	_, err = held.Exec(ctx, "INSERT INTO notes VALUES ('two')")
	require.NoError(t, err)
	second.Kill()

	third := start(t, options)
	defer third.Stop()
	require.Equal(t, "2", query(t, third, "SELECT count(*)::text FROM notes"))
	require.Equal(t, "on", query(t, third, "SHOW fsync"))
	require.Equal(t, "on", query(t, third, "SHOW synchronous_commit"))
}

func TestPasswordIsNeeded(t *testing.T) {
	c := start(t, cluster.Options{Dir: directory(t)})
	defer c.Stop()
	config, err := pgx.ParseConfig(c.URL("postgres"))
	require.NoError(t, err)
	config.Password = "wrong"
	_, err = pgx.ConnectConfig(t.Context(), config)
	require.ErrorContains(t, err, "password authentication failed")
}

func TestStalePidOfAnotherProgram(t *testing.T) {
	options := cluster.Options{Dir: directory(t)}
	start(t, options).Stop()
	pid := strconv.Itoa(os.Getppid()) // alive and no PostgreSQL, as after a reboot
	file := filepath.Join(options.Dir, "data", "postmaster.pid")
	require.NoError(t, os.WriteFile(file, []byte(pid+"\n"+filepath.Join(options.Dir, "data")+"\n0\n5433\n\n127.0.0.1\n"), 0o600))
	start(t, options).Stop()
}

func TestLeftoverPostgresIsReplaced(t *testing.T) {
	options := cluster.Options{Dir: directory(t)}
	first := start(t, options)
	second := start(t, options)
	defer second.Stop()
	<-first.Done()
	require.Equal(t, "1", query1(t, second.URL("postgres"), "SELECT '1'"))
}

func TestTakenPortIsNamed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	_, err = cluster.Start(t.Context(), cluster.Options{Dir: directory(t), Port: port, PortHint: "set --this-port"})
	require.ErrorContains(t, err, strconv.Itoa(port))
	require.ErrorContains(t, err, "set --this-port")
}

// directory is one that PostgreSQL's user can't reach when the tests run as root, so that the cluster moves away.
func directory(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "postgres")
	t.Cleanup(func() {
		if target, err := filepath.EvalSymlinks(dir); err == nil {
			require.NoError(t, os.RemoveAll(target))
		}
	})
	return dir
}

func start(t *testing.T, options cluster.Options) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Start(t.Context(), options)
	require.NoError(t, err)
	return c
}

func query(t *testing.T, c *cluster.Cluster, statement string) string {
	t.Helper()
	return query1(t, c.URL("kept"), statement)
}

// query1 runs one statement and returns the first column of its first row, if it has one.
func query1(t *testing.T, url, statement string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	rows, err := conn.Query(t.Context(), statement)
	require.NoError(t, err)
	defer rows.Close()
	value := ""
	if rows.Next() {
		require.NoError(t, rows.Scan(&value))
	}
	rows.Close()
	require.NoError(t, rows.Err())
	return value
}
