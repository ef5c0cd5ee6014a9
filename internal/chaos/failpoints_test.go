package chaos

import (
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omnidesk/internal/rig"
)

// A failpoint is a place in the program at which a part can be made to stand still, to be killed exactly there.
type failpoint struct {
	part, folder, name, between string
	visit                       int // which of those who come by stands still; the first is waited for before the campaign starts
}

var failpoints = []failpoint{
	{rig.Work, "internal/send", "sendBeforeCall", "the claim's commit and the call", 100},
	{rig.Work, "internal/send", "sendAfterCall", "the call and its record", 100},
	{rig.Work, "internal/send", "sendAfterRecord", "the record's commit and the next claim", 100},
	{rig.Work, "activities", "feedBeforeCommit", "the feed and its commit", 1},
	{rig.Work, "activities", "feedAfterCommit", "the feed's commit and the wake", 1},
	{rig.Serve, "server", "hookBeforeCommit", "the webhook's signature and its commit", 3},
	{rig.Serve, "server", "hookAfterCommit", "the webhook's commit and its 200", 3},
	{rig.Serve, "internal/wake", "wakeAfterSignal", "a wake's signal and its removal", 1},
}

const (
	pointed   = 400 // recipients
	pointSend = 20 * time.Millisecond
)

// TestFailpoints kills a part exactly at each failpoint.
func TestFailpoints(t *testing.T) {
	t.Parallel()
	h := newFragileHouse(t)
	h.importContacts(pointed)
	for _, point := range failpoints {
		t.Run("between "+point.between, func(t *testing.T) { h.in(t).dieAt(point) })
	}
}

// dieAt kills in the middle of a campaign, or at its very start.
func (h *house) dieAt(point failpoint) {
	h.slow(pointSend)
	since := h.accepted()
	h.arm(point)
	campaignID := h.start(point.between)
	require.Eventually(h.t, func() bool { return h.reached(point) }, deadline, 5*time.Millisecond, "somebody comes by")
	var release func()
	if point.part == rig.Work { // statuses must not settle what is uncertain before it is counted
		release = h.hooks.hold(h.t)
	}
	h.kill(point.part)
	h.awaitCampaign(campaignID, "is finished with nothing open", finished)
	if release == nil { // webhooks were to meet the kill
		release = h.hooks.hold(h.t)
	}
	before := h.compare(campaignID, since)
	require.LessOrEqual(h.t, before.uncertain, bound)
	require.Equal(h.t, pointed, before.messages)
	release()
	h.awaitSettled(campaignID, before)
	after := h.compare(campaignID, since)
	require.Zero(h.t, after.uncertainAccepted)
	h.t.Logf("messages %d · accepted %d · uncertain %d, settled %d", after.messages, after.accepted, before.uncertain, before.uncertain-after.uncertain)
}

// arm lets everybody pass until the visit that stands still there; those who come after wait behind it.
func (h *house) arm(point failpoint) {
	term := "sleep(60000)"
	if point.visit > 1 {
		term = fmt.Sprintf("%d*off->%s", point.visit-1, term)
	}
	request, err := http.NewRequest(http.MethodPut, h.controls[point.part]+point.name, strings.NewReader(term))
	require.NoError(h.t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(h.t, err)
	defer answer.Body.Close()
	require.Equal(h.t, http.StatusNoContent, answer.StatusCode, point.name)
}

// reached tells whether somebody stands still at the place.
func (h *house) reached(point failpoint) bool {
	answer, err := http.Get(h.controls[point.part] + point.name + "/count")
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return false
	}
	visits, err := strconv.Atoi(string(text))
	return err == nil && visits >= point.visit
}

// newFragileHouse is a house whose server and worker are built with failpoints.
func newFragileHouse(t *testing.T) *house {
	t.Helper()
	binary, err := fragile()
	require.NoError(t, err)
	controls, env := map[string]string{}, map[string][]string{}
	for _, part := range []string{rig.Serve, rig.Work} {
		address, err := rig.FreeAddress()
		require.NoError(t, err)
		controls[part], env[part] = "http://"+address+"/", []string{"GOFAIL_HTTP=" + address}
	}
	h := buildHouse(t, func(o *rig.Options) {
		o.Binary, o.ServeEnv, o.WorkEnv = binary, env[rig.Serve], append(o.WorkEnv, env[rig.Work]...)
	})
	h.controls = controls
	return h
}

// fragile builds the program in a copy of the tree in which the failpoints are enabled. In this tree they are comments.
var fragile = sync.OnceValues(func() (binary string, err error) {
	if fragileDir, err = os.MkdirTemp("", "omnidesk-failpoints-"); err != nil {
		return "", err
	}
	if err := os.Chmod(fragileDir, 0o755); err != nil {
		return "", err
	}
	tree := filepath.Join(fragileDir, "tree")
	if err := copyTree(filepath.Join("..", ".."), tree); err != nil {
		return "", err
	}
	enable := []string{"tool", "gofail", "enable"}
	for _, point := range failpoints {
		if !slices.Contains(enable, point.folder) {
			enable = append(enable, point.folder)
		}
	}
	binary = filepath.Join(fragileDir, "omnidesk")
	for _, arguments := range [][]string{enable, {"build", "-o", binary, "."}} {
		command := exec.Command("go", arguments...)
		command.Dir = tree
		if output, err := command.CombinedOutput(); err != nil {
			return "", fmt.Errorf("go %s: %w\n%s", strings.Join(arguments, " "), err, output)
		}
	}
	return binary, nil
})

var fragileDir string

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(fragileDir) // nothing was made when it is empty
	os.Exit(code)
}

// copyTree copies what the program is built from.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch name {
		case ".git", ".data", "docs", "tools", "deploy", "web/node_modules", "web/src", "web/e2e":
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		if !entry.Type().IsRegular() || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), text, 0o600)
	})
}
