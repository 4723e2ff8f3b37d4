package notebooks

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const seeing = "06-seeing.ipynb"

// checkSeeing checks the outputs of an executed notebook: its pictures, and the sentences
// that are computed from them.
func checkSeeing(t *testing.T, nb *stored) {
	t.Helper()
	checkExecuted(t, nb)
	for id, rows := range map[string][]string{
		"straggler":     {"child ", "task 12, Sleep", "sends tasks to"},
		"orders":        {"child ", "task 0, Sleep"},
		"lock":          {"child ", "lock 1 held", "waiting: a lock at Cell ", "passes the lock to"},
		"lock-cure":     {"child ", "lock 1 held"},
		"sharing-trace": {"1 process", "both"},
	} {
		page := nb.cell(t, id).shown("text/html")
		if !strings.Contains(page, `src="data:image/png;base64,`) {
			t.Errorf("the page of cell %s has no picture", id)
		}
		page += nb.cell(t, id).shown("text/plain")
		for _, want := range rows {
			if !strings.Contains(page, want) {
				t.Errorf("the picture of cell %s lacks %q", id, want)
			}
		}
		if strings.Contains(page, "incomplete") {
			t.Errorf("the picture of cell %s is incomplete", id)
		}
	}
	for id, want := range map[string]string{
		"orders-result":  `With the long task last, \d+ workers need \*\*[\d.]+[mµn]?s\*\* and work \*\*\d+ %\*\* of that time\..* (earlier|made no difference)\.`,
		"lock-result":    `held for \*\*[\d.]+m?s\*\*, waited for \*\*[\d.]+m?s\*\* .*(they waited before|run the cells again)\.`,
		"sharing-result": `Median of 6 runs: neighbours \*\*[\d.]+m?s\*\*, in separate cache lines \*\*[\d.]+m?s\*\*\. `,
	} {
		if got := nb.cell(t, id).shown("text/markdown"); !regexp.MustCompile(`(?s)` + want).MatchString(got) {
			t.Errorf("cell %s shows\n%s\nwant\n%s", id, got, want)
		}
	}
}

func TestSeeingRuns(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.ipynb")
	run(t, seeing, "-o", out)
	checkSeeing(t, read(t, out))
}

func TestSeeingIsStoredExecuted(t *testing.T) { checkSeeing(t, read(t, seeing)) }
