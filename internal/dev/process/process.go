// Package process starts child programs that never outlive this one: each has a process group of its own, and on
// Linux the kernel ends it when this process is gone, however that came about.
package process

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// Spec says what to start.
type Spec struct {
	Path string
	Args []string // without the program's own name
	Env  []string // the whole environment; nil inherits
	Dir  string
	User *User // nil keeps the user of this process
	// Out takes standard output and error. It is a file so that the child can go on writing when we are gone.
	Out *os.File
	// Stdout, when set, takes standard output instead of Out.
	Stdout *os.File
	// WhenOrphaned is the signal the child gets when this process dies; 0 means SIGKILL. Linux only.
	WhenOrphaned syscall.Signal
}

// User is an account of the operating system.
type User struct{ UID, GID uint32 }

// Child is a started program.
type Child struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Start starts a child.
func Start(spec Spec) (*Child, error) {
	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Env, cmd.Dir = spec.Env, spec.Dir
	cmd.Stderr = spec.Out
	cmd.Stdout = spec.Out
	if spec.Stdout != nil {
		cmd.Stdout = spec.Stdout
	}
	signal := spec.WhenOrphaned
	if signal == 0 {
		signal = syscall.SIGKILL
	}
	cmd.SysProcAttr = attributes(signal)
	if spec.User != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: spec.User.UID, Gid: spec.User.GID}
	}
	if err := launch(cmd); err != nil {
		return nil, fmt.Errorf("starting %s: %w", spec.Path, err)
	}
	child := &Child{cmd: cmd, done: make(chan struct{})}
	go func() {
		child.err = cmd.Wait()
		close(child.done)
	}()
	return child, nil
}

// Pid is the process id, which is also the id of its group.
func (c *Child) Pid() int { return c.cmd.Process.Pid }

// Done is closed when the child has ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// Err says how the child ended; nil means with exit code 0. It is valid once Done is closed.
func (c *Child) Err() error { return c.err }

// Signal sends a signal to the child alone. One that has ended already is no error.
func (c *Child) Signal(signal syscall.Signal) { _ = c.cmd.Process.Signal(signal) }

// Kill ends the whole group at once.
func (c *Child) Kill() { _ = syscall.Kill(-c.Pid(), syscall.SIGKILL) }

// The kernel's "signal me when my parent dies" means the parent's thread, and Go ends threads at will. All
// children are therefore started from one thread that is never given back.
var (
	launcher = make(chan func())
	once     sync.Once
)

func launch(cmd *exec.Cmd) error {
	once.Do(func() {
		go func() {
			runtime.LockOSThread()
			for start := range launcher {
				start()
			}
		}()
	})
	result := make(chan error, 1)
	launcher <- func() { result <- cmd.Start() }
	return <-result
}
