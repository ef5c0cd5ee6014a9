package pgtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"

	"omnidesk/internal/postgres/cluster"
)

// own is the cluster of this process.
type own struct {
	url     string
	openEnd *os.File // the watchman's input, open for the life of this process
}

// ownCluster starts a cluster for this process once. Tests have no common end to stop it at, so a watchman does.
var ownCluster = sync.OnceValues(func() (own, error) {
	dir, err := os.MkdirTemp("", "omnidesk-test-")
	if err != nil {
		return own{}, fmt.Errorf("making a directory for the test cluster: %w", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL may run as another user
		return own{}, fmt.Errorf("opening the directory of the test cluster: %w", err)
	}
	c, err := cluster.Start(context.Background(), cluster.Options{Dir: dir + "/postgres"})
	if err != nil {
		return own{}, err
	}
	openEnd, err := watch(c.Pid(), dir)
	if err != nil {
		c.Kill()
		return own{}, err
	}
	return own{url: c.URL("postgres"), openEnd: openEnd}, nil
})

// watchman waits for its input to end, which happens when this process ends in whatever way, and then clears away
// the cluster. The data are worth nothing, so it asks for an immediate shutdown; a zombie that nobody reaps must
// not keep it for ever.
const watchman = `read -r _
kill -QUIT "$1" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	kill -0 "$1" 2>/dev/null || break
	sleep 0.1
done
rm -rf "$2"`

func watch(pid int, dir string) (*os.File, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making the watchman's pipe: %w", err)
	}
	defer read.Close()
	// Its own session, so that Ctrl-C at the terminal doesn't reach it before us. No output: go test waits for
	// everyone who holds its pipes.
	cmd := exec.Command("sh", "-c", watchman, "watchman", strconv.Itoa(pid), dir)
	cmd.Stdin = read
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the watchman: %w", err)
	}
	return write, nil
}
