package traceback

import (
	"slices"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/control"
)

var inCell = control.Frame{Func: "main.f", File: "/tmp/Cell [2]", Line: 2}

func style() Style {
	return Style{Source: func(cell int) (string, bool) { return "func f() {\n\tg()\n}", cell == 2 }}
}

func TestCalls(t *testing.T) {
	frames := []control.Frame{
		{Func: "fmt.Println", File: "/usr/local/go/src/fmt/print.go", Line: 300},
		inCell,
		{Func: "main.cell.3", File: "Cell [3]", Line: 1},
	}
	want := []string{"Cell [2] line 2, in f", "    g()", "Cell [3] line 1, in the cell"}
	if got := style().Calls(frames); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	all := style()
	all.AllFrames = true
	if got := all.Calls(frames); len(got) != 4 || got[0] != "fmt/print.go line 300, in fmt.Println" {
		t.Errorf("with all frames: %q", got)
	}
}

// TestCallsOfWrapper: the function that the compiler generates for a go statement is shown only if no other call of a
// cell is shown.
func TestCallsOfWrapper(t *testing.T) {
	wrapper := control.Frame{Func: "main.cell.2.gowrap1", File: "Cell [2]", Line: 2}
	other := control.Frame{Func: "sync.(*WaitGroup).Wait", File: "/usr/local/go/src/sync/waitgroup.go", Line: 100}
	if got, want := style().Calls([]control.Frame{other, inCell, wrapper}), []string{"Cell [2] line 2, in f", "    g()"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := style().Calls([]control.Frame{other, wrapper}), []string{"Cell [2] line 2, in the cell", "    g()"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCellOf(t *testing.T) {
	for file, want := range map[string]int{"Cell [12]": 12, "/a/Cell [3]": 3, "Cell [x]": 0, "cell.go": 0} {
		if n, ok := CellOf(file); n != want || ok != (want > 0) {
			t.Errorf("%s: %d, %v", file, n, ok)
		}
	}
}

func TestError(t *testing.T) {
	for _, test := range []struct {
		outcome control.Outcome
		want    string // the error's name and traceback; "" for no error
	}{
		{control.Outcome{How: control.Returned}, ""},
		{control.Outcome{How: control.Goexit}, ""},
		{control.Outcome{How: control.Exited}, ""},
		{control.Outcome{How: control.Exited, Code: 3}, "Exit: exit status 3"},
		{control.Outcome{How: control.Panicked, Value: "v", Frames: []control.Frame{inCell}}, "panic: panic: v|Cell [2] line 2, in f|    g()"},
		{control.Outcome{How: control.Panicked, Value: "v", Goroutine: "timer", Started: &inCell},
			"panic: panic: v, in the timer started at Cell [2] line 2|started at Cell [2] line 2, in f|    g()"},
		{control.Outcome{How: control.Interrupted}, "Interrupted: the cell was interrupted"},
		{control.Outcome{How: control.Interrupted, Count: 3, Goroutines: []control.Goroutine{
			{State: "sleep", Frames: []control.Frame{inCell}}, {State: "sleep", Frames: []control.Frame{inCell}},
		}}, "Interrupted: the cell was interrupted|3 goroutines that the cell started |2 × sleep: Cell [2] line 2, in f|    g()|and 1 more"},
		{control.Outcome{How: control.Interrupted, Count: 2, Goroutines: []control.Goroutine{{State: "select"}, {State: "IO wait"}}},
			"Interrupted: the cell was interrupted|2 goroutines that the cell started still run, in code of packages"},
		{control.Outcome{How: control.Deadlocked, Count: 1, Goroutines: []control.Goroutine{{State: "chan receive", Frames: []control.Frame{inCell}}}},
			"Deadlock: deadlock: |chan receive: Cell [2] line 2, in f"},
	} {
		err := style().Error(&test.outcome)
		if err == nil {
			if test.want != "" {
				t.Errorf("%+v: no error, want %s", test.outcome, test.want)
			}
			continue
		}
		got := err.Name + ": " + strings.Join(err.Traceback, "\n")
		for part := range strings.SplitSeq(test.want, "|") {
			if test.want == "" || !strings.Contains(got, part) {
				t.Errorf("%+v: %q is missing in %q", test.outcome, part, got)
			}
		}
	}
}
