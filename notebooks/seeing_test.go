package notebooks

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const seeing = "06-seeing.ipynb"

// checkSeeing checks the outputs of an executed notebook: its pictures, and the sentences
// that are computed from them.
func checkSeeing(t *testing.T, nb *stored) {
	t.Helper()
	checkExecuted(t, nb)
	checkRace(t, nb)
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
	var graph string // the flame graph is before the tables
	for _, o := range nb.cell(t, "hot").Outputs {
		if graph == "" {
			graph = string(o.Data["text/html"])
		}
	}
	for _, want := range []string{`src="data:image/png;base64,`, "child ", "main.Distinct: ", "slices.Contains[...]: "} {
		if !strings.Contains(graph, want) {
			t.Errorf("the flame graph lacks %q", want)
		}
	}
	// The profile names the line that has most of the time.
	hot := regexp.MustCompile(`([\d.]+)% +\S+ +6  \t\tif !slices\.Contains\(seen, n\) \{`).FindStringSubmatch(nb.cell(t, "hot").shown("text/plain"))
	if hot == nil {
		t.Fatal("the profile lacks the line with slices.Contains")
	}
	if share, err := strconv.ParseFloat(hot[1], 64); err != nil || share < 50 {
		t.Errorf("the line with slices.Contains has %s %% of the time", hot[1])
	}
	for id, want := range map[string]string{
		"hot-cure":       `With .slices\.Contains. the lists take \*\*[\d.]+m?s\*\*, with a map \*\*[\d.]+[mµ]?s\*\*: \d+ times as fast\. The results are the same\.`,
		"orders-result":  `With the long task last, \d+ workers need \*\*[\d.]+[mµn]?s\*\* and work \*\*\d+ %\*\* of that time\..* (earlier|made no difference)\.`,
		"lock-result":    `held for \*\*[\d.]+m?s\*\*, waited for \*\*[\d.]+m?s\*\* .*(they waited before|run the cells again)\.`,
		"sharing-result": `Median of 6 runs: neighbours \*\*[\d.]+m?s\*\*, in separate cache lines \*\*[\d.]+m?s\*\*\. `,
	} {
		if got := nb.cell(t, id).shown("text/markdown"); !regexp.MustCompile(`(?s)` + want).MatchString(got) {
			t.Errorf("cell %s shows\n%s\nwant\n%s", id, got, want)
		}
	}
}

// checkRace checks the cells with and without a race.
func checkRace(t *testing.T, nb *stored) {
	t.Helper()
	for id, want := range map[string]string{"race": "DataRace", "race-cure": ""} {
		failure := ""
		for _, o := range nb.cell(t, id).Outputs {
			failure += o.EName
		}
		if failure != want {
			t.Errorf("cell %s fails with %q, want %q", id, failure, want)
		}
	}
	if page := nb.cell(t, "race").shown("text/html"); !strings.Contains(page, "earlier write by another") {
		t.Errorf("the race is not shown: %s", page)
	}
}

func TestSeeingRuns(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.ipynb")
	run(t, seeing, "-o", out)
	checkSeeing(t, read(t, out))
}

func TestSeeingIsStoredExecuted(t *testing.T) { checkSeeing(t, read(t, seeing)) }
