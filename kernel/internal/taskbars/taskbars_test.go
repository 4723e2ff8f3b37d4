package taskbars

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/display/displayhost"
	"github.com/perijove/perijove/lib/progresshost"
)

// newBars returns Bars that do not check tasks in a goroutine, and the list of texts that they
// show.
func newBars() (*Bars, *[]string) {
	shown := &[]string{}
	b := &Bars{Spawn: func(func()) {}}
	b.Show = func(execution int, m displayhost.Message) {
		text, _ := m.Data["text/plain"].(string)
		_, text, _ = strings.Cut(text, "] ")
		*shown = append(*shown, fmt.Sprint(execution, " ", m.Kind, " ", text))
	}
	return b, shown
}

func TestBarAppearsAfterASecond(t *testing.T) {
	b, shown := newBars()
	done := 0
	end := b.Begin(3, progresshost.Task{What: "tasks", Count: func() (int, int) { return done, 9 }})
	x := b.tasks[0]
	at := func(d time.Duration) { b.look(x, x.start.Add(d)) }
	at(900 * time.Millisecond)
	if len(*shown) > 0 {
		t.Fatalf("too early: %q", *shown)
	}
	at(1100 * time.Millisecond)
	at(1300 * time.Millisecond) // no progress
	done = 4
	at(2 * time.Second)
	at(2500 * time.Millisecond) // no progress
	at(3 * time.Second)         // no progress, but idleInterval has passed
	at(10 * time.Minute)        // idleLimit has passed
	end()
	end()
	at(11 * time.Minute)
	want := []string{"3 show 0 of 9  tasks, 1.1 s", "3 update 4 of 9  tasks, 2/s, 2.5 s left", "3 update 4 of 9  tasks, 1.33/s, 3.8 s left", "3 update "}
	if got := fmt.Sprintf("%q", *shown); got != fmt.Sprintf("%q", want) {
		t.Errorf("shown %s, want %q", got, want)
	}
	if len(b.tasks) != 0 {
		t.Error("a task is left")
	}
}

// TestCallsWithoutBar: a call within another call, a short call, and a call of an interrupted cell have no bar.
func TestCallsWithoutBar(t *testing.T) {
	b, shown := newBars()
	count := func() (int, int) { return 0, 1 }
	outer := b.Begin(1, progresshost.Task{What: "outer", Count: count})
	b.Begin(1, progresshost.Task{What: "inner", Count: count})
	b.Begin(2, progresshost.Task{What: "other", Count: count})
	if all := b.outermost(); len(all) != 2 || all[0].What != "outer" || all[1].What != "other" {
		t.Errorf("%d are looked at", len(all))
	}
	outer()
	b.Drop(1)
	if len(b.tasks) != 1 || b.tasks[0].What != "other" || len(*shown) != 0 {
		t.Errorf("%d tasks are left, shown %q", len(b.tasks), *shown)
	}
}

// TestRun: the goroutine that checks tasks ends when there are none, and is started again.
func TestRun(t *testing.T) {
	ended := make(chan bool, 2)
	b := &Bars{Show: func(int, displayhost.Message) {}}
	b.Spawn = func(f func()) { go func() { f(); ended <- true }() }
	for range 2 {
		b.Begin(1, progresshost.Task{Count: func() (int, int) { return 0, 1 }})()
		<-ended
	}
}

func TestInConsole(t *testing.T) {
	displayhost.SetTextOnly(true)
	defer displayhost.SetTextOnly(false)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stderr
	os.Stderr = w
	b, shown := newBars()
	end := b.Begin(1, progresshost.Task{What: "tasks", Count: func() (int, int) { return 0, 9 }})
	b.look(b.tasks[0], b.tasks[0].start.Add(2*time.Second))
	end()
	os.Stderr = old
	w.Close()
	out, err := io.ReadAll(r)
	lines := strings.Split(string(out), "\r")
	if err != nil || len(*shown) > 0 || len(lines) != 4 || !strings.HasSuffix(lines[1], "0 of 9  tasks, 2.0 s") || lines[2] != strings.Repeat(" ", len(lines[1])) || lines[3] != "" {
		t.Errorf("%v, %q, %q", err, out, *shown)
	}
}
