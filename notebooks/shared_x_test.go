package notebooks

import (
	"context"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"
)

const sharedX = "01-shared-x.ipynb"

// cases is the number of cases that the notebook compares.
const cases = 3

// checkSharedXNotebook checks a notebook that was executed with these worker counts.
func checkSharedXNotebook(t *testing.T, nb *stored, workers []int) {
	t.Helper()
	checkExecuted(t, nb)
	if err := checkSharedX(nb.cell(t, "run-x").stdout(), 0, 0); err != nil {
		t.Errorf("the experiment: %v\n%s", err, nb.cell(t, "run-x").stdout())
	}
	if got := nb.cell(t, "work").shown("text/plain"); len(got) < 10 || got[:10] != "3.14159265" {
		t.Errorf("the work's result is %q", got)
	}
	if err := checkTable(nb.cell(t, "measure").shown("text/html"), workers); err != nil {
		t.Errorf("the table: %v", err)
	}
	if err := checkChart(nb.cell(t, "chart").shown("image/svg+xml"), cases*len(workers)); err != nil {
		t.Errorf("the chart: %v", err)
	}
	for id, want := range map[string]string{
		"run-x":      `(?s)"X = 1" at .* "X = 2" at .* "X = 3" at .*"X is 0" at .*\nchild \d+, .* "X is 0" at .* "X is 0" at .* "X is 0" at `,
		"summary":    `^\*\*On this machine\.\*\* With \d+ workers? on .* \*\*processes\*\* gained \*\*\d+\.\d\d ×\*\*`,
		"live":       `^Plot; How much of the work was done`,
		"start-cost": `(?s)a goroutine, from start to result +[\d.]+ [nµm]s +1 ×\n.*a process, from start to result +[\d.]+ [µm]?s +\d+ ×`,
	} {
		if got := nb.cell(t, id).shown("text/plain"); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("cell %s shows\n%s\nwant\n%s", id, got, want)
		}
	}
	if err := checkChart(nb.cell(t, "live").shown("image/svg+xml"), 0); err != nil {
		t.Errorf("the live picture: %v", err)
	}
}

// TestSharedXRuns executes the notebook as a user does, with worker counts that differ
// from the stored ones and are in another order.
func TestSharedXRuns(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.ipynb")
	run(t, sharedX, "-o", out, "-p", "workers=3,1")
	nb := read(t, out)
	if i := slices.IndexFunc(nb.Cells, func(c storedCell) bool {
		return slices.Contains(c.Metadata.Tags, "injected-parameters")
	}); i < 0 || nb.Cells[i].Source != "// Parameters of this run\nworkers = []int{3, 1}" {
		t.Errorf("the parameters were not injected: cell %d", i)
	}
	checkSharedXNotebook(t, nb, []int{3, 1})
}

// TestSharedXIsStoredExecuted checks the stored outputs of the notebook in the
// repository.
func TestSharedXIsStoredExecuted(t *testing.T) {
	checkSharedXNotebook(t, read(t, sharedX), []int{1, 2, 4})
}

// run builds perijove and executes "perijove run" in this folder.
func run(t *testing.T, args ...string) {
	t.Helper()
	// The timeout is long because the first run of a version builds a worker image.
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	perijove := filepath.Join(t.TempDir(), "perijove")
	build := exec.CommandContext(ctx, "go", "build", "-o", perijove, "github.com/perijove/perijove/kernel/cmd/perijove")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(ctx, perijove, append([]string{"run"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
}
