package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Backup makes a base backup of the running cluster beside its data, in place of an earlier one. The cluster must be a
// durable one: others write no log that a backup could be made from.
func (c *Cluster) Backup(ctx context.Context) error {
	bin, err := FindBinaries()
	if err != nil {
		return err
	}
	home, err := prepareHome(c.dir)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(home.backup()); err != nil {
		return fmt.Errorf("removing an earlier backup: %w", err)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "pg_basebackup"), "--pgdata", home.backup(), "--dbname", c.URL("postgres"),
		"--wal-method", "stream", "--checkpoint", "fast", "--no-sync")
	cmd.Env, cmd.Dir = plainEnvironment(), home.dir
	if home.user != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: home.user.UID, Gid: home.user.GID}}
	}
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("making a base backup: %w\n%s", err, output)
	}
	return nil
}

// Restore puts the backup in the place of the data. The cluster must have ended.
func (c *Cluster) Restore() error {
	home, err := prepareHome(c.dir)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(home.data()); err != nil {
		return fmt.Errorf("removing the data: %w", err)
	}
	if err := os.Rename(home.backup(), home.data()); err != nil {
		return fmt.Errorf("putting a backup in place: %w", err)
	}
	return nil
}

func (h home) backup() string { return filepath.Join(h.dir, "backup") }
