package racedetector

import (
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/racereport"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// report returns a report about two lines of cell 3.
func report(line, other int) racereport.Report {
	stack := func(what, goroutine string, line int) racereport.Stack {
		return racereport.Stack{What: what, Goroutine: goroutine, Calls: []racereport.Call{{Func: "main.add", File: "Cell [3]", Line: line}, {Func: "main.main", File: "/x/y.go", Line: 8}}}
	}
	return racereport.Report{
		Accesses: [2]racereport.Stack{stack("write", "7", line), stack("read", "main", other)},
		Started:  [2]racereport.Stack{{Goroutine: "7", Calls: []racereport.Call{{Func: "main.cell.3", File: "Cell [3]", Line: 1}}}, {}},
	}
}

func TestText(t *testing.T) {
	style := traceback.Style{Source: func(n int) (string, bool) { return "go add(1)\nx < 1\n\ty++", n == 3 }}
	outside := racereport.Report{Accesses: [2]racereport.Stack{
		{What: "write", Goroutine: "7", Calls: []racereport.Call{{Func: "lib.F", File: "/src/lib/lib.go", Line: 4}}}, {What: "read", Goroutine: "8"},
	}}
	races := group([]racereport.Report{report(2, 3), outside, report(3, 2), report(3, 3)}, style)
	const want = `data race 1 of 3, reported 2 times
  write by one goroutine       | earlier read by another
  Cell [3] line 2, in add      | Cell [3] line 3, in add
      x < 1                    |     y++
  the goroutine was started at |
  Cell [3] line 1, in the cell |
      go add(1)                |
data race 2 of 3
  write by one goroutine      | earlier read by another
  lib/lib.go line 4, in lib.F | (the race detector no longer has these calls)
data race 3 of 3
  write by one goroutine       | earlier read by another
  Cell [3] line 3, in add      | Cell [3] line 3, in add
      y++                      |     y++
  the goroutine was started at |
  Cell [3] line 1, in the cell |
      go add(1)                |
` + advice
	if got := text(races); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := summary(races); got != "3 data races: between Cell [3] line 2 and Cell [3] line 3; between (the race detector no longer has these calls) and lib/lib.go line 4; at Cell [3] line 3" {
		t.Error(got)
	}
	got := page(races)
	for _, part := range []string{"<pre", "x &lt; 1", "data race 3 of 3", "Cell [3] line 2, in add"} {
		if !strings.Contains(got, part) {
			t.Errorf("%q is missing in\n%s", part, got)
		}
	}
	for _, part := range []string{"<script", "<svg", "x < 1"} {
		if strings.Contains(got, part) {
			t.Errorf("%q is in\n%s", part, got)
		}
	}
}
