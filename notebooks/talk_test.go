package notebooks

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const talk = "02-queues-pipes-pools.ipynb"

// checkTalk checks the outputs of an executed notebook that do not depend on the machine.
func checkTalk(t *testing.T, nb *stored) {
	t.Helper()
	checkExecuted(t, nb)
	for id, want := range map[string]string{
		"pool":          `\{Start:837799 Steps:524\}`,
		"gantt":         ` on \d+ cores, \d+ processes, .*child \d+, 1 goroutine.* tasks, running`,
		"progress":      `20 of 20  longest so far: from 837799, 524 steps`,
		"count":         `The counter should be \d+\. It is \d+\.`,
		"lost-result":   `\d+ of \d+ additions are lost|none is lost`,
		"channel":       `11 primes, the first is 17592186044423`,
		"queue":         `17592186044423 +\d+\n.*17592186044813 +\d+`,
		"event":         `The ball is at 1000 and the player hit it 1000 times`,
		"cost-numbers":  `of 8 bytes takes \*\*[\d.]+ [nµm]s\*\*.*GB/s`,
		"copies":        `goroutines \[2 4 6\]\n.*processes +\[1 2 3\]`,
		"copies-global": `here the total is 0`,
		"served":        `the answers are \[1 2 3\] and the map here has 3 words`,
		"kill":          `without retries: \[.*\]\nmp: task \d+: .* signal 9 \(killed\)`,
		"retry":         `12 tasks done, \d+ of them at the second try, 3 processes replaced`,
		"lock":          `signal 9 \(killed\)\nthis process holds the mutex; owners that died: 1`,
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
	checkCounters(t, nb.cell(t, "mutex").shown("text/plain"))
}

var counterRow = regexp.MustCompile(`(?m)^\d+ +(load, add, store|the same, with a mutex|mp\.Add) +(\d+) +(\d+)$`)

// checkCounters checks the table of counters. The counters with a mutex and with mp.Add
// are exact; the counter without either may lose increments.
func checkCounters(t *testing.T, table string) {
	t.Helper()
	rows := counterRow.FindAllStringSubmatch(table, -1)
	if len(rows) != 3 {
		t.Errorf("the table of counters:\n%s", table)
	}
	for _, m := range rows {
		got, err := strconv.Atoi(m[2])
		want, err2 := strconv.Atoi(m[3])
		if err != nil || err2 != nil || got > want || got != want && m[1] != "load, add, store" {
			t.Errorf("%s: the counter is %s and should be %s", m[1], m[2], m[3])
		}
	}
}

func TestTalkRuns(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.ipynb")
	run(t, talk, "-o", out, "-p", "workers=2")
	checkTalk(t, read(t, out))
}

func TestTalkIsStoredExecuted(t *testing.T) { checkTalk(t, read(t, talk)) }
