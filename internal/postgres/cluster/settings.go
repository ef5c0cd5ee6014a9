package cluster

import (
	"context"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// settings are passed on the command line, so that they can change with the program and nothing has to be edited
// in the data directory.
func settings(ctx context.Context, bin string, home home, port int, options Options) []string {
	all := map[string]string{
		"port":                              strconv.Itoa(port),
		"listen_addresses":                  "127.0.0.1",
		"unix_socket_directories":           home.socketDir(),
		"max_connections":                   "200",
		"password_encryption":               "scram-sha-256",
		"jit":                               "off",
		"random_page_cost":                  "1.1",
		"track_io_timing":                   "off",
		"log_parameter_max_length":          "0", // statements in the log never show a value
		"log_parameter_max_length_on_error": "0",
		"log_line_prefix":                   "%m [%p] %a ",
		"checkpoint_completion_target":      "0.9",
		"autovacuum_naptime":                "15s",
		"autovacuum_vacuum_scale_factor":    "0.05", // the ledger updates each row a few times, soon after it was written
		"autovacuum_analyze_scale_factor":   "0.02",
		"autovacuum_vacuum_cost_limit":      "2000",
	}
	if options.Durable {
		maps.Copy(all, map[string]string{
			"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
			"shared_buffers": "512MB", "max_wal_size": "4GB", "wal_compression": walCompression(ctx, bin, home),
		})
	} else {
		maps.Copy(all, map[string]string{
			"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
			"shared_buffers": "128MB", "max_wal_size": "1GB", "wal_level": "minimal", "max_wal_senders": "0",
		})
	}
	maps.Copy(all, options.Settings)
	arguments := make([]string, 0, 2*len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		arguments = append(arguments, "-c", name+"="+all[name])
	}
	return arguments
}

// walCompression asks the program itself: lz4 is a choice made when it was built, and an unknown value would keep
// PostgreSQL from starting.
func walCompression(ctx context.Context, bin string, home home) string {
	ask := exec.CommandContext(ctx, filepath.Join(bin, "postgres"),
		"-D", home.data(), "-C", "wal_compression", "-c", "wal_compression=lz4")
	ask.Env, ask.Dir = plainEnvironment(), home.dir
	if home.user != nil {
		ask.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: home.user.UID, Gid: home.user.GID}}
	}
	if ask.Run() != nil {
		return "on"
	}
	return "lz4"
}
