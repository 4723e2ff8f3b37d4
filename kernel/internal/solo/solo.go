// Package solo is what stands in for the worker where cells cannot be linked
// into a living process: each cell is then built as a program of its own, and
// this package, which the program imports, speaks with the kernel as a worker
// does. Its init function runs before the cell's own variables are
// initialized; Main runs the cell and ends the program.
package solo

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/stopwatch"
	"github.com/perijove/perijove/lib/display"
	"github.com/perijove/perijove/lib/display/displayhost"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// ControlFD is the file descriptor of the control socket.
const ControlFD = 3

// A guest is the kernel's view of this program.
type guest struct {
	conn *control.Conn
	cell int // the execution's number

	mu      sync.Mutex
	seq     int
	waiting map[int]chan control.Message
	ended   bool

	watch stopwatch.Watch // the cell's goroutine's own
}

// self is this process's guest: functions that cells call have nowhere else to
// find it.
var self *guest

func init() {
	if mphost.IsChild() {
		mp.Init() // runs what the parent sends, and exits
	}
	if err := syscall.SetNonblock(ControlFD, true); err != nil {
		fmt.Fprintln(os.Stderr, "this program is a cell of a Perijove notebook and is started by its kernel")
		os.Exit(2)
	}
	syscall.CloseOnExec(ControlFD)
	self = &guest{conn: control.New(os.NewFile(ControlFD, "control")), waiting: map[int]chan control.Message{}}
	signal.Ignore(os.Interrupt) // the kernel's to handle
	displayhost.SetSink(func(m displayhost.Message) error { return self.output(control.Display, m) })
	mphost.Set(mphost.Program())
	if err := self.begin(); err != nil {
		os.Exit(3) // the kernel is gone
	}
	go self.listen()
}

// begin takes what the kernel sets, up to the order to run.
func (g *guest) begin() error {
	if err := g.conn.Send(control.Message{Kind: control.Ready, ID: os.Getpid()}); err != nil {
		return err
	}
	for {
		m, err := g.conn.Receive()
		switch {
		case err != nil:
			return err
		case m.Kind == control.Run:
			g.cell = m.ID
			return g.conn.Send(control.Message{Kind: control.Loaded, ID: m.ID})
		case m.Kind == control.Setup:
			out := control.Message{Kind: control.Done, ID: m.ID}
			if err := setup(m); err != nil {
				out.Error = err.Error()
			}
			if err := g.conn.Send(out); err != nil {
				return err
			}
		}
	}
}

func setup(m control.Message) error {
	var errs []error
	if m.Dir != "" {
		errs = append(errs, os.Chdir(m.Dir))
	}
	for _, v := range m.Env {
		if name, value, ok := strings.Cut(v, "="); ok {
			errs = append(errs, os.Setenv(name, value))
		}
	}
	if m.Args != nil {
		os.Args = append(os.Args[:1:1], m.Args[1:]...)
	}
	return errors.Join(errs...)
}

// listen takes answers, and orders to stop: the program then ends as it is.
func (g *guest) listen() {
	for {
		m, err := g.conn.Receive()
		if err != nil {
			_ = syscall.Kill(0, syscall.SIGKILL) // with all that the cell started
		}
		switch m.Kind {
		case control.Interrupt:
			g.finish(control.Outcome{How: control.Interrupted})
		case control.Ack, control.Line:
			g.mu.Lock()
			ch := g.waiting[m.Seq]
			delete(g.waiting, m.Seq)
			g.mu.Unlock()
			if ch != nil {
				ch <- m
			}
		}
	}
}

func (g *guest) finish(o control.Outcome) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.ended {
		g.ended = true
		_ = g.conn.Send(control.Message{Kind: control.Done, ID: g.cell, Outcome: &o})
	}
}

// Main runs a cell and never returns: the kernel ends the program when it has
// heard all of it.
func Main(cell func()) {
	go func() {
		returned := false
		defer func() {
			v := recover()
			switch {
			case returned:
				self.finish(control.Outcome{How: control.Returned})
			case v != nil:
				self.finish(control.Outcome{How: control.Panicked, Value: panicText(v), Frames: frames()})
			default:
				self.finish(control.Outcome{How: control.Goexit})
			}
		}()
		if cell != nil {
			cell()
		}
		returned = true
	}()
	select {}
}

func panicText(v any) string {
	switch v := v.(type) {
	case error:
		return v.Error()
	case fmt.Stringer:
		return v.String()
	case string:
		return v
	}
	return fmt.Sprintf("%T(%v)", v, v)
}

// frames lists the calls that led to a panic, innermost first, up to Main.
func frames() []control.Frame {
	pc := make([]uintptr, 200)
	n := runtime.Callers(3, pc)
	var list []control.Frame
	for it := runtime.CallersFrames(pc[:n]); ; {
		f, more := it.Next()
		if strings.Contains(f.Function, "internal/solo.Main.") {
			break
		}
		list = append(list, control.Frame{Func: f.Function, File: f.File, Line: f.Line})
		if !more {
			break
		}
	}
	return list
}

// Show delivers the values of the cell's last expression, as one result.
// Generated code calls it by its linker name.
func Show(values ...any) {
	os.Stdout.WriteString(self.watch.StopAll())
	if n := len(values); n > 1 && values[n-1] == nil {
		values = values[:n-1] // the nil error of a call that went well
	}
	if len(values) == 1 {
		_ = self.output(control.Result, display.Render(values[0]))
		return
	}
	var text []string
	for _, v := range values {
		text = append(text, display.Text(v))
	}
	_ = self.output(control.Result, displayhost.Message{Kind: displayhost.KindShow, Data: display.Bundle{"text/plain": strings.Join(text, "\n")}})
}

// ShowError delivers an error that is the cell's last expression; nil shows nothing.
func ShowError(err error) {
	if err != nil {
		Show(err)
	}
}

// ShowRune delivers a value whose type is written rune: its number, as Go prints
// it, and the character that it is.
func ShowRune(r rune) {
	os.Stdout.WriteString(self.watch.StopAll())
	if !strconv.IsPrint(r) {
		Show(r)
		return
	}
	Show(display.Bundle{"text/plain": fmt.Sprintf("%d %q", r, r)})
}

// Assigned has nothing to note: no variable is kept.
func Assigned(...string) {}

// Start, Stop and Repeat are what %time and %timeit come down to.

// Start begins to take the time.
func Start() { self.watch.Start() }

// Stop prints what was measured since Start.
func Stop() { os.Stdout.WriteString(self.watch.Stop()) }

// Repeat says how often to repeat a statement next; with 0 it has printed what
// was measured.
func Repeat(loops, runs int) int {
	n, report := self.watch.Next(loops, runs)
	os.Stdout.WriteString(report)
	return n
}

// output delivers a message and waits until the kernel has it, so that it
// keeps its place among what is printed.
func (g *guest) output(kind string, m displayhost.Message) error {
	b, err := m.MarshalBinary()
	if err != nil {
		return err
	}
	ch := make(chan control.Message, 1)
	g.mu.Lock()
	g.seq++
	seq := g.seq
	g.waiting[seq] = ch
	g.mu.Unlock()
	if err := g.conn.Send(control.Message{Kind: kind, Seq: seq, Output: json.RawMessage(b)}); err != nil {
		return err
	}
	<-ch
	return nil
}
