// Package taskbars shows progress bars for calls of the library, such as mp.Map, that take
// more than a second. A bar disappears when its call ends.
//
// The package uses no timer of the Go runtime, since a pending timer prevents the detection of a deadlock of a cell.
package taskbars

import (
	"crypto/rand"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perijove/perijove/lib/display"
	"github.com/perijove/perijove/lib/display/displayhost"
	"github.com/perijove/perijove/lib/progresshost"
)

const (
	delay    = time.Second            // time before a bar appears
	interval = 200 * time.Millisecond // time between two checks of the tasks
	// A bar whose task makes no progress is drawn again only after idleInterval, and not at
	// all after idleLimit.
	idleInterval = time.Second
	idleLimit    = 2 * time.Minute
)

// Bars shows the tasks of a process. Its methods can be called concurrently.
type Bars struct {
	// Show shows a message in the output of an execution, and waits until the message is shown.
	Show func(execution int, m displayhost.Message)
	// Spawn runs a function in a new goroutine that belongs to no cell.
	Spawn func(func())

	mu      sync.Mutex // guards the fields below
	tasks   []*task    // oldest first
	running bool       // the goroutine that checks tasks is running
}

// A task is one call.
type task struct {
	progresshost.Task
	execution int

	mu    sync.Mutex // guards the fields below; held while a bar is shown
	pace  display.Pace
	start time.Time
	done  int
	moved time.Time // when done changed last
	drawn time.Time // when the bar was shown last
	id    string    // display ID; "" if there is no display
	line  int       // length of the line in a console; 0 if there is none
	ended bool
}

// Begin adds a task of an execution. It returns a function that the caller must call when the task ends.
func (b *Bars) Begin(execution int, t progresshost.Task) (end func()) {
	now := time.Now()
	x := &task{Task: t, execution: execution, start: now, moved: now}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tasks = append(b.tasks, x)
	if !b.running {
		b.running = true
		b.Spawn(b.run)
	}
	return func() { b.end(x) }
}

// Drop removes the tasks of an interrupted execution, since these tasks may never end.
func (b *Bars) Drop(execution int) {
	b.mu.Lock()
	var dropped []*task
	for _, x := range b.tasks {
		if x.execution == execution {
			dropped = append(dropped, x)
		}
	}
	b.mu.Unlock()
	for _, x := range dropped {
		b.end(x)
	}
}

func (b *Bars) end(x *task) {
	b.mu.Lock()
	for i, other := range b.tasks {
		if other == x {
			b.tasks = append(b.tasks[:i:i], b.tasks[i+1:]...)
			break
		}
	}
	b.mu.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.ended:
	case x.line > 0:
		_, _ = io.WriteString(os.Stderr, "\r"+strings.Repeat(" ", x.line)+"\r")
	case x.id != "": // an empty display takes no space
		b.Show(x.execution, displayhost.Message{Kind: displayhost.KindUpdate, ID: x.id, Data: map[string]any{}})
	}
	x.ended = true
}

// run checks the tasks every interval until there are none.
func (b *Bars) run() {
	for {
		pause := unix.NsecToTimespec(int64(interval))
		_ = unix.Nanosleep(&pause, nil) // a signal may end it early
		b.mu.Lock()
		if len(b.tasks) == 0 {
			b.running = false
			b.mu.Unlock()
			return
		}
		outer := b.outermost()
		b.mu.Unlock()
		for _, x := range outer {
			b.look(x, time.Now())
		}
	}
}

// outermost returns the oldest task of each execution. The other tasks of an execution are usually parts of the oldest
// one, such as a Map in a measured function. The caller holds mu.
func (b *Bars) outermost() []*task {
	var all []*task
	seen := map[int]bool{}
	for _, x := range b.tasks {
		if !seen[x.execution] {
			seen[x.execution] = true
			all = append(all, x)
		}
	}
	return all
}

// look updates a task's progress and draws its bar if that is due.
func (b *Bars) look(x *task, now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ended {
		return
	}
	done, total := x.Count()
	x.count(now, done)
	if x.isDue(now) {
		x.drawn = now
		b.draw(x, x.pace.Progress(now, total, false))
	}
}

// count records the progress of a task.
func (x *task) count(now time.Time, done int) {
	if x.pace.What == "" {
		x.pace.What = x.What
		x.pace.Set(x.start, 0)
	}
	x.pace.Set(now, done)
	if done != x.done {
		x.done, x.moved = done, now
	}
}

// isDue reports whether a bar is to be drawn.
func (x *task) isDue(now time.Time) bool {
	if now.Sub(x.start) < delay {
		return false
	}
	if x.drawn.IsZero() || x.moved.After(x.drawn) {
		return true
	}
	return now.Sub(x.drawn) >= idleInterval && now.Sub(x.moved) <= idleLimit
}

// draw shows the bar. The caller holds the task's mu.
func (b *Bars) draw(x *task, p display.Progress) {
	if displayhost.TextOnly() {
		text := p.String()
		_, _ = io.WriteString(os.Stderr, "\r"+text+strings.Repeat(" ", max(0, x.line-len(text))))
		x.line = len(text)
		return
	}
	m := display.Render(p)
	m.Kind = displayhost.KindUpdate
	if x.id == "" {
		m.Kind, x.id = displayhost.KindShow, rand.Text()
	}
	m.ID = x.id
	b.Show(x.execution, m)
}
