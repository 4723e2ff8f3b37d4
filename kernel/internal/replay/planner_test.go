package replay

import (
	"fmt"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/program/effects"
)

// past returns a journal with a run for each line, all of them lost. A line lists the
// effects of the run: "make x", "set x", "touch x", "read x", "def f",
// "link x,y", "addr x", "failed", "process".
func past(text string) *Journal {
	j := &Journal{}
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		e := &Entry{Cell: i + 1, Source: strings.TrimSpace(line), IsGone: true}
		words := strings.Fields(line)
		for k := 0; k < len(words); k++ {
			switch words[k] {
			case "failed":
				e.Unfit = "it failed"
				continue
			case "process":
				e.Effects.Process = true
				continue
			case "there":
				e.IsGone = false
				continue
			}
			names := strings.Split(words[k+1], ",")
			d := &e.Effects
			switch words[k] {
			case "make":
				d.Declares = append(d.Declares, names...)
			case "set":
				d.Assigns = append(d.Assigns, names...)
			case "touch":
				d.Writes, d.Reads = append(d.Writes, names...), append(d.Reads, names...)
			case "read":
				d.Reads = append(d.Reads, names...)
			case "def":
				d.Defines = append(d.Defines, names...)
			case "link":
				d.Sharing = append(d.Sharing, names)
			case "addr":
				d.Addressed = append(d.Addressed, names...)
			default:
				panic(words[k])
			}
			k++
		}
		j.entries = append(j.entries, e)
	}
	return j
}

func listSteps(steps []Step) string {
	var out []string
	for _, s := range steps {
		text := fmt.Sprint(s.Cell)
		if s.DeclarationsOnly {
			text += "d"
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

func TestPlan(t *testing.T) {
	tests := []struct{ name, past, lost, alive, want string }{
		{"an edited cell", "make x\nmake x\nmake x", "x", "", "3"},
		{"each change counts", "make x\ntouch x\ntouch x", "x", "", "1 2 3"},
		{"a new value ends the older ones, not the declaration", "make x\ntouch x\nset x\ntouch x", "x", "", "1 3 4"},
		{"but not where a pointer may see them", "make x addr x\ntouch x\nset x", "x", "", "1 2 3"},
		{"what somebody needed in between", "make x\nmake y read x\nmake x", "x y", "", "1 2 3"},
		{"later changes are not needed by earlier readers", "make x\nmake y read x\ntouch x\nmake x", "x y", "", "1 2 4"},
		{"shared memory", "make x\nmake y read x link x,y\ntouch y\nmake y", "x", "", "1 2 3"},
		{"only what is lost", "make x\nmake y", "y", "x", "2"},
		{"what is there is not needed again", "make x\nmake y read x", "y", "x", "2"},
		{"failed cells are left out", "make x\ntouch x failed\ntouch x", "x", "", "1 3"},
		{"what is overwritten follows", "make x,y\nmake y there", "x", "y", "1 2"},
		{"functions are kept", "def f\nmake x read f", "x", "", "2"},
		{"an older function, and the newer one again", "def f\nmake x read f\ndef f", "x", "", "1d 2 3d"},
		{"a cell that declares an old function", "def f make a\nmake x read f\ndef f", "a x", "", "1 2 3d"},
		{"the process is set up once", "process\nmake x\nprocess", "x", "", "2 3"},
		{"a variable's own past", "make x\nmake x read x", "x", "", "1 2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			lost := map[string]int{}
			for _, name := range strings.Fields(test.lost) {
				lost[name] = 1
			}
			steps, _ := past(test.past).LostSteps(lost, func(name string) bool { return name == test.alive })
			if got := listSteps(steps); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestPrune: a journal keeps the runs that a replay needs, and few others.
func TestPrune(t *testing.T) {
	j := &Journal{}
	for i := range 5000 {
		j.Add(&Entry{Cell: i + 1, Effects: effects.Effects{Declares: []string{fmt.Sprint("v", i%10)}}})
	}
	if n := len(j.entries); n > 1100 {
		t.Errorf("%d entries for ten variables", n)
	}
	lost := map[string]int{}
	for i := range 10 {
		lost[fmt.Sprint("v", i)] = 1
	}
	j.WorkerDied()
	steps, _ := j.LostSteps(lost, func(string) bool { return false })
	if got, want := listSteps(steps), "4991 4992 4993 4994 4995 4996 4997 4998 4999 5000"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
