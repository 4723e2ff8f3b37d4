// Package standalone replaces the worker process if cells cannot be linked into a running process. Each cell is then
// built as a program that imports this package. The package answers the kernel as a worker process does. Its init
// function runs before the cell's variables are initialized. Main runs the cell.
package standalone

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"reflect"
	"runtime"
	"sync"
	"syscall"

	"github.com/perijove/perijove/kernel/internal/cellruntime"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/lib/display/displayhost"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mphost"
	"github.com/perijove/perijove/lib/stopwatch"
)

// A program is the state of this process.
type program struct {
	conn    *control.Conn
	id      int // ID of the cell's execution
	pending control.Pending

	mu    sync.Mutex
	ended bool // guarded by mu: Done was sent

	watch stopwatch.Watch // the stopwatch of the cell's goroutine
}

// self is this process's program. It is a package variable since functions that cells call
// have no argument for it.
var self *program

func init() {
	if mphost.IsChild() {
		mp.Init() // in a child process, runs the parent's calls and exits
	}
	if err := syscall.SetNonblock(control.FD, true); err != nil {
		fmt.Fprintln(os.Stderr, "this program is a cell of a Perijove notebook and is started by its kernel")
		os.Exit(2)
	}
	syscall.CloseOnExec(control.FD)
	self = &program{conn: control.New(os.NewFile(control.FD, "control"))}
	signal.Ignore(os.Interrupt) // the kernel handles it
	displayhost.SetSink(func(m displayhost.Message) error {
		return self.show(func(seq int) control.Message { return control.Display{Seq: seq, Message: m} })
	})
	mphost.Set(mphost.Program())
	if err := self.begin(); err != nil {
		os.Exit(3) // the kernel has ended
	}
	go self.listen()
}

// begin handles requests of the kernel up to the request to run the cell.
func (p *program) begin() error {
	if err := p.conn.Send(control.Ready{}); err != nil {
		return err
	}
	for {
		m, err := p.conn.Receive()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case control.Run:
			p.id = m.ID
			return p.conn.Send(control.Loaded{ID: m.ID})
		case control.Setup:
			out := control.SetupReply{ID: m.ID}
			if err := cellruntime.ApplySetup(m); err != nil {
				out.Error = err.Error()
			}
			if err := p.conn.Send(out); err != nil {
				return err
			}
		}
	}
}

// listen receives answers and interrupts. An interrupt ends the cell at once, and the kernel
// then kills the program.
func (p *program) listen() {
	for {
		m, err := p.conn.Receive()
		if err != nil {
			_ = syscall.Kill(0, syscall.SIGKILL) // also kills processes that the cell started
		}
		switch m := m.(type) {
		case control.Interrupt:
			p.finish(control.Outcome{How: control.Interrupted})
		case control.Answer:
			p.pending.Answer(m.Sequence(), m)
		}
	}
}

// finish sends the outcome of the cell, once.
func (p *program) finish(o control.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.ended = true
		_ = p.conn.Send(control.Done{ID: p.id, Outcome: o})
	}
}

// Main runs a cell and never returns. The kernel kills the program when it has read all output of the program.
func Main(cell func()) {
	go self.call(cell)
	select {}
}

// call runs the cell and reports how it ended.
func (p *program) call(cell func()) {
	returned := false
	defer func() {
		v := recover()
		switch {
		case returned:
			p.finish(control.Outcome{How: control.Returned})
		case v != nil:
			call := reflect.ValueOf((*program).call).Pointer()
			frames := cellruntime.Frames(1, func(f runtime.Frame) bool { return f.Entry == call })
			p.finish(control.Outcome{How: control.Panicked, Value: cellruntime.PanicText(v), Frames: frames})
		default:
			p.finish(control.Outcome{How: control.Goexit})
		}
	}()
	if cell != nil {
		cell()
	}
	returned = true
}

// show sends a display and waits until the kernel has received it, so that it stays in order
// with printed output.
func (p *program) show(message func(seq int) control.Message) error {
	_, err := p.pending.Ask(p.conn, message)
	return err
}

// showResult shows the value of the cell's last expression. The caller has ended all measurements.
func (p *program) showResult(m displayhost.Message) {
	err := p.show(func(seq int) control.Message { return control.Result{Display: control.Display{Seq: seq, Message: m}} })
	if refused := (*control.EncodeError)(nil); errors.As(err, &refused) {
		fmt.Fprintln(os.Stderr, "the result cannot be shown:", err)
	}
}

// Generated code calls the following functions by their linker names.

// Show shows the values of the cell's last expression, as one result.
func Show(values ...any) {
	os.Stdout.WriteString(self.watch.StopAll())
	self.showResult(cellruntime.Result(values...))
}

// ShowError shows an error that is the cell's last expression. It shows nothing for a nil error.
func ShowError(err error) {
	if err != nil {
		Show(err)
	}
}

// ShowRune shows a value whose type is rune in the source.
func ShowRune(r rune) {
	os.Stdout.WriteString(self.watch.StopAll())
	self.showResult(cellruntime.RuneResult(r))
}

// Earlier calls cellruntime.Earlier. It always panics, since the results of a cell are lost when its program ends.
func Earlier(cell int) any { return cellruntime.Earlier(cell) }

// Assigned does nothing, since variables are lost when the program ends.
func Assigned(...string) {}

// Record does nothing, since child processes do not get the cell's initialized variables.
func Record(any) {}

// Context returns the cell's context. It is never canceled: an interrupt ends the program.
func Context() context.Context { return context.Background() }

// Embed calls cellruntime.Embed. Generated code calls it by its linker name.
func Embed(variable any, patterns string) { cellruntime.Embed(variable, patterns) }

// Start begins a measurement of %time.
func Start() { self.watch.Start() }

// Stop ends the innermost measurement and prints its result.
func Stop() { os.Stdout.WriteString(self.watch.Stop()) }

// Repeat returns how often the statement of %timeit must run next. When the measurement is complete, Repeat prints
// the result and returns 0.
func Repeat(loops, runs int) int {
	n, report := self.watch.Next(loops, runs)
	os.Stdout.WriteString(report)
	return n
}
