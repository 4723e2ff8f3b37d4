package notebooks

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const talk = "02-queues-pipes-pools.ipynb"

// checkTalk checks an executed notebook: what does not depend on the machine.
func checkTalk(t *testing.T, nb *stored) {
	t.Helper()
	checkExecuted(t, nb)
	for id, want := range map[string]string{
		"pool":          `\{Start:837799 Steps:524\}`,
		"progress":      `20 of 20  longest so far: from 837799, 524 steps`,
		"queue":         `\[\{N:281474976710677 Checker:\d+\}.* \{N:281474976711023 Checker:\d+\}\]`,
		"event":         `returned 1000 times. The player: <nil>`,
		"cost-numbers":  `small message takes \*\*\d+\.\d\d µs.*GB/s`,
		"copies":        `goroutines \[2 4 6\]\n.*processes +\[1 2 3\]`,
		"copies-global": `here the total is 0`,
		"served":        `the children say \[1 2 3\] and here it has 3`,
		"kill":          `without retries: \[.*\] mp: task \d+: .* signal 9 \(killed\)`,
		"retry":         `12 tasks done, \d+ of them at the second try, 3 processes replaced`,
		"lock":          `signal 9 \(killed\)\nthe lock is ours; it was taken from the dead 1 time`,
	} {
		c := nb.cell(t, id)
		if got := c.stdout() + c.shown("text/plain"); !regexp.MustCompile(`(?s)` + want).MatchString(got) {
			t.Errorf("cell %s shows\n%s\nwant\n%s", id, got, want)
		}
	}
	if got := nb.cell(t, "copies-global").printed("stderr"); !strings.Contains(got, "Count uses the variable total") {
		t.Errorf("no warning: %q", got)
	}
	if err := checkChart(nb.cell(t, "cost-chart").shown("image/svg+xml"), 0); err != nil {
		t.Errorf("the chart: %v", err)
	}
}

func TestTalkRuns(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.ipynb")
	run(t, talk, "-o", out, "-p", "workers=2")
	checkTalk(t, read(t, out))
}

func TestTalkIsStoredExecuted(t *testing.T) { checkTalk(t, read(t, talk)) }
