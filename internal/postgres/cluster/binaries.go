package cluster

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// MinVersion is the oldest major version of PostgreSQL that OmniDesk runs on.
const MinVersion = 15

// ErrNoPostgres says how to get one.
var ErrNoPostgres = errors.New("no PostgreSQL 15 or newer found: run scripts/setup, or install the server package of your system " +
	"(Debian and Ubuntu: postgresql; Fedora: postgresql-server; macOS: brew install postgresql@17), or set DATABASE_URL to one that runs elsewhere")

// FindBinaries returns the directory with the newest initdb and postgres on this machine.
func FindBinaries() (string, error) {
	best, bestVersion := "", MinVersion-1
	for _, dir := range candidates() {
		if version := versionOf(dir); version > bestVersion {
			best, bestVersion = dir, version
		}
	}
	if best == "" {
		return "", ErrNoPostgres
	}
	return best, nil
}

func candidates() []string {
	var dirs []string
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(path))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",          // Debian, Ubuntu
		"/usr/pgsql-*/bin",                   // the project's own packages for Fedora and its relatives
		"/opt/homebrew/opt/postgresql@*/bin", // macOS
		"/usr/local/opt/postgresql@*/bin",
	} {
		found, _ := filepath.Glob(pattern) // only a malformed pattern is an error
		dirs = append(dirs, found...)
	}
	return dirs
}

var versionNumber = regexp.MustCompile(`\) (\d+)`)

// versionOf is the major version of the PostgreSQL in a directory, 0 when there is none with its initdb.
func versionOf(dir string) int {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return 0
	}
	out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0
	}
	match := versionNumber.FindSubmatch(out)
	if match == nil {
		return 0
	}
	version, _ := strconv.Atoi(string(match[1])) // digits only
	return version
}
