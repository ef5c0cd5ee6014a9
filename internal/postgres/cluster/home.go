package cluster

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"

	"omnidesk/internal/dev/process"
)

// varDir takes a cluster whose own directory can't be reached by the user PostgreSQL runs as.
const varDir = "/var/lib/omnidesk"

// home is the directory of a cluster.
type home struct {
	dir  string        // absolute, without symbolic links
	user *process.User // whom PostgreSQL runs as; nil is ourselves
}

func (h home) data() string         { return filepath.Join(h.dir, "data") }
func (h home) passwordFile() string { return filepath.Join(h.dir, "password") }

// socketDir is the data directory, or nothing when the path of the socket would be longer than systems allow.
func (h home) socketDir() string {
	if len(h.data()) > 80 {
		return ""
	}
	return h.data()
}

// prepareHome makes the directory and gives it to the user PostgreSQL will run as: PostgreSQL refuses to be root.
//
// That user must be able to reach it. Under a closed directory such as /root it can't, and opening that one to
// everybody is not ours to do; the cluster then lives in /var/lib/omnidesk, with a link where it was wanted.
func prepareHome(dir string) (home, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return home{}, fmt.Errorf("preparing the directory of PostgreSQL: %w", err)
	}
	if os.Geteuid() != 0 {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return home{}, fmt.Errorf("preparing the directory of PostgreSQL: %w", err)
		}
		return resolve(home{dir: dir})
	}
	account, err := unprivileged()
	if err != nil {
		return home{}, err
	}
	if err := placeFor(account, dir); err != nil {
		return home{}, fmt.Errorf("preparing the directory of PostgreSQL: %w", err)
	}
	h, err := resolve(home{dir: dir, user: account})
	if err != nil {
		return home{}, err
	}
	if err := os.Chown(h.dir, int(account.UID), int(account.GID)); err != nil {
		return home{}, fmt.Errorf("giving %s to the user of PostgreSQL: %w", h.dir, err)
	}
	return h, nil
}

func resolve(h home) (home, error) {
	dir, err := filepath.EvalSymlinks(h.dir)
	if err != nil {
		return home{}, fmt.Errorf("preparing the directory of PostgreSQL: %w", err)
	}
	h.dir = dir
	return h, nil
}

// placeFor makes dir, or a link from dir to a directory that the account can reach.
func placeFor(account *process.User, dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if reachable(filepath.Dir(dir), account) {
		return os.Mkdir(dir, 0o700)
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // a link to a directory that is gone is made anew
	}
	if err := os.MkdirAll(varDir, 0o755); err != nil {
		return err
	}
	target, err := os.MkdirTemp(varDir, "postgres-")
	if err != nil {
		return err
	}
	return os.Symlink(target, dir)
}

// reachable tells whether the account may pass through a directory and all above it.
func reachable(dir string, account *process.User) bool {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	for {
		info, err := os.Stat(real)
		if err != nil {
			return false
		}
		mode, owner := info.Mode().Perm(), info.Sys().(*syscall.Stat_t)
		pass := mode&0o001 != 0
		if owner.Uid == account.UID {
			pass = mode&0o100 != 0
		} else if owner.Gid == account.GID {
			pass = mode&0o010 != 0
		}
		if !pass {
			return false
		}
		if real == filepath.Dir(real) {
			return true
		}
		real = filepath.Dir(real)
	}
}

func unprivileged() (*process.User, error) {
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(account.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(account.Gid, 10, 32)
		if errors.Join(err1, err2) == nil {
			return &process.User{UID: uint32(uid), GID: uint32(gid)}, nil
		}
	}
	return nil, errors.New("PostgreSQL refuses to run as root and there is no user postgres or nobody to run it as: start this as another user")
}

// initialise makes the data directory. It is made beside its place and renamed, so that an interrupted start
// leaves nothing that looks like a cluster.
func (h home) initialise(ctx context.Context, bin string, durable bool) error {
	if _, err := os.Stat(h.data()); err == nil {
		return nil
	}
	draft := h.data() + ".new"
	if err := os.RemoveAll(draft); err != nil {
		return fmt.Errorf("removing an unfinished PostgreSQL cluster: %w", err)
	}
	password := make([]byte, 24)
	_, _ = rand.Read(password) // never fails; it ends the program instead
	if err := os.WriteFile(h.passwordFile(), []byte(hex.EncodeToString(password)+"\n"), 0o600); err != nil {
		return fmt.Errorf("writing the password of the private PostgreSQL: %w", err)
	}
	if h.user != nil {
		if err := os.Chown(h.passwordFile(), int(h.user.UID), int(h.user.GID)); err != nil {
			return fmt.Errorf("writing the password of the private PostgreSQL: %w", err)
		}
	}
	if err := h.initdb(ctx, bin, draft, durable); err != nil {
		return err
	}
	if err := os.Rename(draft, h.data()); err != nil {
		return fmt.Errorf("finishing the PostgreSQL cluster: %w", err)
	}
	return nil
}

func (h home) initdb(ctx context.Context, bin, dir string, durable bool) error {
	arguments := []string{
		"--pgdata", dir, "--username", superuser, "--pwfile", h.passwordFile(),
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", utf8Locale(),
	}
	if durable {
		arguments = append(arguments, "--data-checksums")
	} else {
		arguments = append(arguments, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), arguments...)
	cmd.Env, cmd.Dir = plainEnvironment(), h.dir
	if h.user != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: h.user.UID, Gid: h.user.GID}}
	}
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("making a PostgreSQL cluster in %s: %w\n%s", h.dir, err, output)
	}
	return nil
}

func utf8Locale() string {
	if runtime.GOOS == "darwin" {
		return "en_US.UTF-8" // older releases have no C.UTF-8
	}
	return "C.UTF-8"
}

// plainEnvironment keeps PGDATA, PGOPTIONS and the like of the caller away from our cluster.
func plainEnvironment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=" + utf8Locale(), "TZ=UTC"}
}
