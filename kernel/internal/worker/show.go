package worker

import (
	"errors"
	"os"
	"reflect"

	"github.com/perijove/perijove/kernel/internal/celllabels"
	"github.com/perijove/perijove/kernel/internal/cellruntime"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/taskbars"
	"github.com/perijove/perijove/lib/comm"
	"github.com/perijove/perijove/lib/display"
	"github.com/perijove/perijove/lib/display/displayhost"
	"github.com/perijove/perijove/lib/display/plotpng"
	"github.com/perijove/perijove/lib/display/plotsvg"
	"github.com/perijove/perijove/lib/mp/mphost"
	"github.com/perijove/perijove/lib/progresshost"
)

// Show delivers the values of a cell's last expression, as one result.
// Generated code calls it by its linker name.
func Show(values ...any) {
	stopAll()
	cellruntime.Keep(self.cell.Load().cell, values...)
	self.showResult(cellruntime.Result(values...))
}

// ShowError delivers an error that is a cell's last expression; nil shows nothing.
func ShowError(err error) {
	self.cell.Load().haltInterrupted()
	if err != nil {
		Show(err)
	}
}

// ShowRune delivers a value whose type is written rune: its number, as Go prints
// it, and the character that it is.
func ShowRune(r rune) {
	stopAll()
	cellruntime.Keep(self.cell.Load().cell, r)
	self.showResult(cellruntime.RuneResult(r))
}

// setHosts makes this worker the host of the library's packages in this process.
func (w *worker) setHosts() {
	displayhost.SetSink(w.display)
	displayhost.SetRasterizer(plotpng.Rasterize)
	displayhost.SetVectorizer(plotsvg.Vectorize)
	comm.SetHost(w.comm)
	w.bars = &taskbars.Bars{Show: w.showIn, Spawn: func(f func()) { w.spawn(func() { f() }) }}
	progresshost.SetHost(w.longTask)
}

// display is the sink of package display in this process.
func (w *worker) display(m displayhost.Message) error {
	w.showIn(w.cellLabels.Earlier(), m)
	return nil
}

// showIn shows a message in an earlier execution, or with id 0 in the running one.
func (w *worker) showIn(id int, m displayhost.Message) {
	w.deliver(m, func(seq int, m displayhost.Message) control.Message {
		return control.Display{ID: id, Seq: seq, Message: m}
	})
}

// showResult shows the value of a cell's last expression.
func (w *worker) showResult(m displayhost.Message) {
	id := w.cellLabels.Earlier()
	w.deliver(m, func(seq int, m displayhost.Message) control.Message {
		return control.Result{ID: id, Seq: seq, Message: m}
	})
}

// deliver sends a message after everything that was printed before it, and
// before everything that is printed after it: it waits until the kernel has
// both. A child process hands it to its parent.
func (w *worker) deliver(m displayhost.Message, envelope func(seq int, m displayhost.Message) control.Message) {
	if p := mphost.Parent(); p != nil {
		w.askParent(p, m)
		return
	}
	_, err := w.ask(func(seq int) control.Message { return envelope(seq, m) })
	if refused := (*control.EncodeError)(nil); errors.As(err, &refused) {
		m = unshowable(err)
		_, err = w.ask(func(seq int) control.Message { return envelope(seq, m) })
	}
	if err != nil {
		endGroup() // the kernel is gone
	}
}

// readMap is values.SetMapReader's: f reads a map that other goroutines may be writing.
func (w *worker) readMap(m reflect.Value, f func()) bool {
	if w.goroutines != nil {
		return w.goroutines.ReadMap(m.Pointer(), f)
	}
	f()
	return true
}

// unshowable takes the place of a message that cannot be encoded.
func unshowable(err error) displayhost.Message {
	return displayhost.Message{Kind: displayhost.KindShow, Data: display.Bundle{"text/plain": "this output cannot be shown: " + err.Error()}}
}

// comm is the host of package comm in this process.
func (w *worker) comm(m comm.Message) error {
	_, err := w.ask(func(seq int) control.Message { return control.Comm{Seq: seq, Message: m} })
	return err
}

// longTask is the host of package progresshost in this process. In a child process
// nothing is shown: its parent's task is.
func (w *worker) longTask(t progresshost.Task) (end func()) {
	if mphost.Parent() != nil {
		return func() {}
	}
	return w.bars.Begin(w.cellLabels.Of(celllabels.Current()), t)
}

// notice shows a remark that is no output of the cell.
func (w *worker) notice(text string) {
	if mphost.Parent() != nil {
		os.Stderr.WriteString(text + "\n")
		return
	}
	id := w.cellLabels.Earlier()
	if _, err := w.ask(func(seq int) control.Message { return control.Notice{ID: id, Seq: seq, Text: text} }); err != nil {
		endGroup()
	}
}

// Earlier is cellruntime.Earlier. Generated code calls it by its linker name.
func Earlier(cell int) any { return cellruntime.Earlier(cell) }

// Embed is cellruntime.Embed. Generated code calls it by its linker name.
func Embed(variable any, patterns string) { cellruntime.Embed(variable, patterns) }
