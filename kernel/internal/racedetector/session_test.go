package racedetector_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/perijove/perijove"
	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/session"
	"github.com/perijove/perijove/kernel/internal/sinks"
	"golang.org/x/tools/txtar"
)

// A shown records the output of a cell.
type shown struct {
	sinks.Discard
	text, page string
}

func (s *shown) Stream(_, text string) { s.text += text }

func (s *shown) Display(d output.Display) {
	if page, ok := d.Data["text/html"].(string); ok {
		s.page += page
	}
	s.text += fmt.Sprintln(d.Data["text/plain"])
}

// newSession returns a session with the race detector.
func newSession(t *testing.T) *session.Session {
	t.Helper()
	img, err := image.Open(t.Context(), image.Options{Source: perijove.Source})
	if err != nil {
		t.Fatal(err)
	}
	s, err := session.New(session.Config{Image: img, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if r, out := execute(t, s, "%race on"); r.Status != output.OK {
		t.Fatal(r.Error, out.text)
	}
	return s
}

func execute(t *testing.T, s *session.Session, code string) (output.Reply, *shown) {
	t.Helper()
	out := &shown{}
	return s.Execute(t.Context(), output.Request{Code: code, StoreHistory: true}, out), out
}

func cells(t *testing.T, file string) []txtar.File {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return a.Files
}

// raceLines returns the lines of a cell that have the comment "race".
func raceLines(n int, code []byte) (places []string) {
	for i, line := range strings.Split(string(code), "\n") {
		if strings.HasSuffix(line, "// race") {
			places = append(places, fmt.Sprintf("Cell [%d] line %d", n, i+1))
		}
	}
	return places
}

var inCell = regexp.MustCompile(`Cell \[\d+\] line \d+`)

// TestRaces: a cell fails if and only if it has a race, and the error names its lines.
func TestRaces(t *testing.T) {
	s := newSession(t)
	marked := map[string][]string{}
	for i, c := range cells(t, "testdata/races.txtar") {
		r, out := execute(t, s, string(c.Data))
		want := raceLines(i+2, c.Data)
		marked[c.Name] = want
		if c.Name == "again" {
			want = marked["captured"]
		}
		if len(want) == 0 {
			if r.Status != output.OK {
				t.Errorf("%s: %v\n%s", c.Name, r.Error, out.text)
			}
			continue
		}
		if r.Status != output.Failed || r.Error.Name != "DataRace" {
			t.Errorf("%s: the race was not found: %v %v\n%s", c.Name, r.Status, r.Error, out.text)
			continue
		}
		got := inCell.FindAllString(r.Error.Value, -1)
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, want) {
			t.Errorf("%s: the race is at %q, not at %q: %s\n%s", c.Name, want, got, r.Error.Value, out.text)
		}
		for _, place := range want {
			if !strings.Contains(out.text, place+", in ") || !strings.Contains(out.page, place+", in ") {
				t.Errorf("%s: %s is not shown:\n%s\n%s", c.Name, place, out.text, out.page)
			}
		}
	}
}

// TestPrimitives: correct programs that use package mp have no races.
func TestPrimitives(t *testing.T) {
	s := newSession(t)
	for _, c := range cells(t, "testdata/primitives.txtar") {
		if r, out := execute(t, s, string(c.Data)); r.Status != output.OK {
			t.Errorf("%s: %v\n%s", c.Name, r.Error, out.text)
		}
	}
}

// TestPrimitivesWithoutLocks: the programs for mutexes have races without their locks, so the detector does check the
// memory that they share.
func TestPrimitivesWithoutLocks(t *testing.T) {
	s := newSession(t)
	lock := regexp.MustCompile(`(?m)^\s*(m|j\.Mutex)\.(Lock|Unlock)\(\)$`)
	for _, c := range cells(t, "testdata/primitives.txtar") {
		if !slices.Contains([]string{"helpers", "ReentrantMutex", "Array", "processes"}, c.Name) {
			continue
		}
		r, out := execute(t, s, lock.ReplaceAllString(string(c.Data), "_ = $1"))
		if c.Name == "helpers" && r.Status == output.OK {
			continue
		}
		if r.Status != output.Failed || r.Error.Name != "DataRace" {
			t.Errorf("%s: %v %v\n%s", c.Name, r.Status, r.Error, out.text)
		}
	}
}

// TestOff: without the detector a race is not reported, and declarations stay when it is turned on and off.
func TestOff(t *testing.T) {
	s := newSession(t)
	const declare = "import \"sync\"\nvar kept = 1\nfunc race() (n int) {\nvar group sync.WaitGroup\nfor range 2 {\ngroup.Go(func() { n++ })\n}\ngroup.Wait()\nreturn n\n}"
	for _, step := range []struct {
		code, failure, prints string
	}{
		{declare, "", ""},
		{"race()", "DataRace", "data race"},
		{"%race", "", "the race detector is on"},
		{"%race off", "", "lost variables: kept"},
		{"kept := 2", "", ""},
		{"race() > 0", "", ""},
		{"%race", "", "the race detector is off"},
		{"%race maybe", "DirectiveError", ""},
		{"%race on", "", "lost variables: kept"},
		{"%race on", "", "the race detector is on"},
		{"%restart", "", ""},
		{"race()", "DataRace", "data race"},
		{"%reset", "", ""},
		{declare + "\nrace()", "DataRace", "data race"},
	} {
		r, out := execute(t, s, step.code)
		name := ""
		if r.Error != nil {
			name = r.Error.Name
		}
		if name != step.failure || !strings.Contains(out.text, step.prints) {
			t.Errorf("%s: error %q, want %q; %q should be in\n%s", strconv.Quote(step.code), name, step.failure, step.prints, out.text)
		}
	}
}

// TestNoCCompiler: the error names the missing C compiler.
func TestNoCCompiler(t *testing.T) {
	t.Setenv("CC", "/none/cc")
	img, err := image.Open(t.Context(), image.Options{Source: perijove.Source})
	if err != nil {
		t.Fatal(err)
	}
	s, err := session.New(session.Config{Image: img, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r, out := execute(t, s, "%race on")
	if r.Status != output.Failed || !strings.Contains(r.Error.Value, "the C compiler /none/cc was not found") || out.text != "" {
		t.Errorf("%v %v\n%s", r.Status, r.Error, out.text)
	}
	if r, out := execute(t, s, "1+1"); r.Status != output.OK || strings.Contains(out.text, "race") {
		t.Errorf("the next cell: %v %v\n%s", r.Status, r.Error, out.text)
	}
}
