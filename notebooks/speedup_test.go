package notebooks

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const howFast = "03-speedup.ipynb"

// checkHowFast checks a notebook that was executed with these worker counts.
func checkHowFast(t *testing.T, nb *stored, workers []int) {
	t.Helper()
	checkExecuted(t, nb)
	if nb.cell(t, "picture").shown("image/png") == "" {
		t.Error("there is no picture")
	}
	if err := checkTable(nb.cell(t, "measure").shown("text/html"), workers); err != nil {
		t.Errorf("the table: %v", err)
	}
	for id, points := range map[string]int{
		"chart": 2 * len(workers), "amdahl": 2 * len(workers), "gustafson": len(workers), "memory": 2 * len(workers), "grain-chart": 0,
	} {
		if err := checkChart(nb.cell(t, id).shown("image/svg+xml"), points); err != nil {
			t.Errorf("the chart of cell %s: %v", id, err)
		}
	}
	for id, want := range map[string]string{
		"prelude":          `can use \*\*\d+\*\* processor cores`,
		"naive":            `from \*\*\d+\.\d\d\*\* to \*\*\d+\.\d\d\*\*`,
		"summary":          `^With \d+ workers? on .*\*\*goroutines\*\* gained`,
		"amdahl-result":    `\*\*f = \d\.\d\d\*\*.*of \*\*0\.25\*\*|Nothing was fitted`,
		"gustafson-result": `gained \*\*\d+\.\d\d ×\*\*; with work of a fixed size|was measured`,
		"grain-result":     `with goroutines \*\*(from|at no)[^*]*\*\*, with processes \*\*(from|at no)`,
		"memory-numbers":   `reads \*\*\d+\.\d GB/s\*\*`,
	} {
		if got := nb.cell(t, id).shown("text/markdown"); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("cell %s shows %q", id, got)
		}
	}
	if got := nb.cell(t, "python-table").shown("text/plain"); strings.Count(got, " × [") < 2*len(workers) || strings.Count(got, "\n") < len(workers)+1 {
		t.Errorf("the table with Python's figures:\n%s", got)
	}
}

func TestHowFastRuns(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.ipynb")
	run(t, howFast, "-o", out, "-p", "workers=2,1", "-p", "rounds=2")
	checkHowFast(t, read(t, out), []int{2, 1})
}

func TestHowFastIsStoredExecuted(t *testing.T) {
	checkHowFast(t, read(t, howFast), []int{1, 2, 4})
}
