package notebooks

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const manyMachines = "05-many-machines.ipynb"

// checkManyMachines checks a notebook that was executed with these worker counts.
func checkManyMachines(t *testing.T, nb *stored, workers []int) {
	t.Helper()
	checkExecuted(t, nb)
	if got := nb.cell(t, "open").shown("text/plain"); got != "a pool of 2 cluster workers, 240 tasks done" {
		t.Errorf("the pool is %q", got)
	}
	if nb.cell(t, "picture").shown("image/png") == "" {
		t.Error("there is no picture")
	}
	if err := checkTable(nb.cell(t, "measure").shown("text/html"), workers); err != nil {
		t.Errorf("the table: %v", err)
	}
	if err := checkChart(nb.cell(t, "chart").shown("image/svg+xml"), 3*len(workers)); err != nil {
		t.Errorf("the chart: %v", err)
	}
	if got := nb.cell(t, "summary").shown("text/markdown"); !regexp.MustCompile(`^With \d+ workers? on .*\*\*cluster\*\* gained`).MatchString(got) {
		t.Errorf("the summary is %q", got)
	}
	killed := nb.cell(t, "kill-result")
	if got := killed.shown("text/markdown"); got != "Of 240 tasks, **240** have a result. There are **240** results." {
		t.Errorf("after the death of a worker: %q", got)
	}
	if got := killed.shown("text/plain"); strings.Count(got, "was killed") != 1 {
		t.Errorf("the workers:\n%s", got)
	}
}

func TestManyMachinesRuns(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.ipynb")
	run(t, manyMachines, "-o", out, "-p", "workers=2,1", "-p", "rounds=2")
	checkManyMachines(t, read(t, out), []int{2, 1})
}

func TestManyMachinesIsStoredExecuted(t *testing.T) {
	checkManyMachines(t, read(t, manyMachines), []int{1, 2, 4})
}
