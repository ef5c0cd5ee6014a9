package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"omnidesk/internal/account"
	"omnidesk/internal/postgres"
	"omnidesk/internal/rig"
)

const (
	authTries   = 3_000
	authWarm    = 300
	authClients = 32
	authSpan    = 10 * time.Second
)

// authReads measures what it costs to know who asks: GET /auth/me by one client, beside a route that reads no database,
// and then by many clients at once.
func authReads(ctx context.Context) error {
	b, err := newAuthBench(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	me, bare := make([]float64, 0, authTries), make([]float64, 0, authTries)
	for i := range authTries + authWarm { // in turn, so that both see the same machine
		known, err := b.time(ctx, "/api/v1/auth/me")
		if err != nil {
			return err
		}
		unasked, err := b.time(ctx, "/healthz")
		if err != nil {
			return err
		}
		if i >= authWarm {
			me, bare = append(me, known), append(bare, unasked)
		}
	}
	slices.Sort(me)
	figure("auth", "p50_ms", median(me), "ms", authTries)
	figure("auth", "p99_ms", me[len(me)*99/100], "ms", authTries)
	figure("auth", "delta_p50_ms", median(me)-median(bare), "ms", authTries)
	rate, err := b.crowd(ctx)
	if err != nil {
		return err
	}
	figure("auth", "per_s_32", rate, "1/s", 1)
	return nil
}

type authBench struct {
	rig    *rig.Rig
	client http.Client
}

func newAuthBench(ctx context.Context) (*authBench, error) {
	dir, err := os.MkdirTemp("", "omnidesk-bench-")
	if err != nil {
		return nil, err
	}
	r, err := rig.New(ctx, rig.Options{Dir: dir, Durable: true, Binary: os.Getenv("OMNIDESK_BINARY"), TemporalBinary: os.Getenv("OMNIDESK_TEMPORAL_BINARY"),
		TemporalConfig: "temporal-dev.yaml", SandboxArgs: []string{"--sink"}})
	if err != nil {
		return nil, err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	b := &authBench{rig: r, client: http.Client{Jar: jar, Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: authClients}}}
	for _, part := range []string{rig.Temporal, rig.Sandbox, rig.Serve} {
		if err := r.Start(ctx, part); err != nil {
			return nil, err
		}
	}
	return b, b.signIn(ctx)
}

func (b *authBench) close() {
	if err := b.rig.Close(); err != nil {
		note("closing: %v", err)
	}
	_ = os.RemoveAll(b.rig.Dir)
}

func (b *authBench) signIn(ctx context.Context) error {
	hash, err := account.HashPassword(ctx, readsPassword)
	if err != nil {
		return err
	}
	err = b.rig.DB.InSystem(ctx, func(tx postgres.Tx) error {
		company, err := account.CreateCompany(ctx, tx, "Bench", "America/Sao_Paulo", false)
		if err != nil {
			return err
		}
		_, err = account.CreateUser(ctx, tx, account.NewUser{Home: &company.ID, Email: readsEmail, Name: "Bench", Role: account.Admin, Hash: hash})
		return err
	})
	if err != nil {
		return err
	}
	body := fmt.Sprintf(`{"email":%q,"password":%q}`, readsEmail, readsPassword)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.rig.AppURL()+"/api/v1/auth/login", strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	return b.answered(request)
}

// time asks for a path and returns how long the answer took, in milliseconds.
func (b *authBench) time(ctx context.Context, path string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.rig.AppURL()+path, nil)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = b.answered(request)
	return float64(time.Since(began).Microseconds()) / 1000, err
}

func (b *authBench) answered(request *http.Request) error {
	answer, err := b.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %s", request.Method, request.URL.Path, answer.Status, text)
	}
	return err
}

// crowd asks with many clients at once and returns the answers per second.
func (b *authBench) crowd(ctx context.Context) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*authSpan)
	defer cancel()
	var asking sync.WaitGroup
	var answers atomic.Int64
	failed := make(chan error, authClients)
	began := time.Now()
	for range authClients {
		asking.Go(func() {
			for time.Since(began) < authSpan {
				if _, err := b.time(ctx, "/api/v1/auth/me"); err != nil {
					failed <- err
					return
				}
				answers.Add(1)
			}
		})
	}
	asking.Wait()
	close(failed)
	return float64(answers.Load()) / time.Since(began).Seconds(), <-failed
}
