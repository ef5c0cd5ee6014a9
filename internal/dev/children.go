package dev

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"omnidesk/internal/dev/process"
)

const (
	readyTimeout = 2 * time.Minute
	stopTimeout  = time.Minute // a worker records what is on the wire before it goes
	// rotateAt bounds a log: at the next start one of this size becomes the previous one.
	rotateAt = 16 << 20
)

// child is one running part.
type child struct {
	name string
	log  string // path
	done <-chan struct{}
	stop func()       // returns when it has ended
	err  func() error // how it ended; nil when nothing more is known

	again func() error // starts it once more; nil: its end is the end of all
}

// add makes a child part of what is watched and stopped.
func (s *supervisor) add(c *child) {
	s.children = append(s.children, c)
	go func() {
		<-c.done
		s.died <- c
	}()
}

// stopAll stops the children in the reverse order of their start.
func (s *supervisor) stopAll() {
	for i := len(s.children) - 1; i >= 0; i-- {
		s.children[i].stop()
	}
}

// launch starts a program that writes all its output to a log.
func (s *supervisor) launch(name, logName, path string, arguments, environment []string) (*child, error) {
	return s.start(name, logName, process.Spec{Path: path, Args: arguments, Env: environment})
}

// launchWithReady starts a program that says on its standard output when it is ready.
func (s *supervisor) launchWithReady(name, logName, path string, arguments, environment []string) (*child, <-chan struct{}, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("starting %s: %w", name, err)
	}
	defer write.Close()
	c, err := s.start(name, logName, process.Spec{Path: path, Args: arguments, Env: environment, Stdout: write})
	if err != nil {
		read.Close()
		return nil, nil, err
	}
	ready := make(chan struct{})
	go func() {
		defer read.Close()
		lines := bufio.NewReader(read)
		for {
			line, err := lines.ReadString('\n')
			if strings.HasPrefix(line, "ready") {
				close(ready)
				_, _ = io.Copy(io.Discard, lines) // a full pipe would stop the program
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return c, ready, nil
}

func (s *supervisor) start(name, logName string, spec process.Spec) (*child, error) {
	path := s.logFile(logName)
	if info, err := os.Stat(path); err == nil && info.Size() > rotateAt {
		_ = os.Rename(path, path+".1") // a log that only grows is no reason not to start
	}
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", name, err)
	}
	defer log.Close()
	spec.Out = log
	p, err := process.Start(spec)
	if err != nil {
		return nil, err
	}
	c := &child{name: name, log: path, done: p.Done(), err: p.Err, stop: func() { stop(p) }}
	s.add(c)
	return c, nil
}

func stop(p *process.Child) {
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.Done():
	case <-time.After(stopTimeout):
	}
	p.Kill() // whatever is left of its group
	<-p.Done()
}

// await returns when ready is closed, or with the reason why it never will be: any child that ended is one.
func (s *supervisor) await(ctx context.Context, c *child, ready <-chan struct{}) error {
	select {
	case <-ready:
		return nil
	case dead := <-s.died:
		return dead.ended()
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(readyTimeout):
		return fmt.Errorf("%s did not become ready within %s; the end of %s:\n%s", c.name, readyTimeout, c.log, tail(c.log))
	}
}

// ended says that and why a child is gone, with the end of its log.
func (c *child) ended() error {
	return fmt.Errorf("%s ended by itself%s; everything else is stopped too. The end of %s:\n%s", c.name, c.how(), c.log, tail(c.log))
}

// how a child ended, in brackets.
func (c *child) how() string {
	if c.err != nil && c.err() != nil {
		return " (" + c.err().Error() + ")"
	}
	return ""
}

// bringBack starts a part that has ended once more, in its place in the order of stopping.
func (s *supervisor) bringBack(ctx context.Context, dead *child) error {
	s.say("  %s ended%s; it is started again in %.0f s", dead.name, dead.how(), s.Away.Seconds())
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(s.Away):
	}
	place := slices.Index(s.children, dead)
	s.children = slices.Delete(s.children, place, place+1)
	err := dead.again()
	if last := len(s.children) - 1; last >= place {
		back := s.children[last]
		s.children = slices.Insert(s.children[:last], place, back)
	}
	return err
}

// healthy closes the channel it returns once the address answers 200.
func healthy(ctx context.Context, address string) <-chan struct{} {
	ready := make(chan struct{})
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	client := &http.Client{Timeout: 2 * time.Second}
	go func() {
		defer cancel()
		ticks := time.NewTicker(50 * time.Millisecond)
		defer ticks.Stop()
		for {
			if answers(ctx, client, address) {
				close(ready)
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
			}
		}
	}()
	return ready
}

func answers(ctx context.Context, client *http.Client, address string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// tail is the last 20 lines of a log.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return "    " + strings.Join(lines[max(0, len(lines)-20):], "\n    ")
}
