package traceback

import (
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/control"
)

func TestGoroutines(t *testing.T) {
	created := &control.Frame{Func: "main.cell.3", File: "Cell [3]", Line: 1}
	serve := []control.Frame{{Func: "internal/poll.wait"}, {Func: "net/http.(*conn).serve"}}
	list := []control.Goroutine{
		{ID: 9, State: "sleep", Frames: []control.Frame{inCell}, Created: created, AtLeast: 2 * time.Second, AtMost: 3 * time.Minute},
		{ID: 7, State: "sleep", Frames: []control.Frame{inCell}, Created: created, AtLeast: time.Second, AtMost: 2 * time.Minute},
		{ID: 8, State: "sleep", Frames: []control.Frame{inCell}, AtMost: 12345 * time.Microsecond},
		{ID: 5, State: "file or connection", Frames: serve, Cell: 4},
		{ID: 6, State: "running", Created: created},
	}
	text, page := style().Goroutines(list, 7)
	want := `5 file or connection: in net/http.(*conn).serve
started at Cell [4]
6 running: started at Cell [3] line 1, in the cell
8 sleep, for at most 12ms: Cell [2] line 2, in f
    g()
7,9 2 × sleep, for 1s to 3m0s: Cell [2] line 2, in f
    g()
started at Cell [3] line 1, in the cell
and 2 more`
	if text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	for _, part := range []string{">7,9<", ">for 1s to 3m0s<", "Cell [2] line 2, in f\n    g()</pre>", "<div>and 2 more</div>"} {
		if !strings.Contains(page, part) {
			t.Errorf("%q is missing in %s", part, page)
		}
	}
	if text, page := style().Goroutines(nil, 0); text != "no goroutine of a cell runs" || !strings.Contains(page, text) {
		t.Errorf("of none: %s, %s", text, page)
	}
	report := strings.Join(style().goroutineLines(list, 5), "\n")
	if strings.Contains(report, "for ") || strings.Contains(report, "serve") || !strings.Contains(report, "2 × sleep: Cell [2]") {
		t.Errorf("in a report: %s", report)
	}
}
