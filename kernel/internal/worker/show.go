package worker

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"

	"github.com/perijove/perijove/kernel/internal/celllabels"
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

// setHosts registers w as the host of Perijove's library packages, which show output through it.
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

// showIn shows a message in the earlier execution id, or in the running one if id is 0.
func (w *worker) showIn(id int, m displayhost.Message) {
	w.deliver(m, func(seq int, m displayhost.Message) control.Message {
		return control.Display{ID: id, Seq: seq, Message: m}
	})
}

// showResult shows the value of a cell's last expression. calls are the calls that the text of the value contains.
func (w *worker) showResult(m displayhost.Message, calls ...control.Frame) {
	id := w.cellLabels.Earlier()
	w.deliver(m, func(seq int, m displayhost.Message) control.Message {
		return control.Result{Display: control.Display{ID: id, Seq: seq, Message: m}, Calls: calls}
	})
}

// deliver sends a message to the kernel, in a child process to its parent. It waits until the kernel has
// the message and all text that was printed before the message. So the message is shown after that text, and before
// text that is printed later.
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
		endGroup() // the kernel has ended
	}
}

// readMap calls f, which reads the map m, while no other goroutine writes m. It is passed to values.SetMapReader, and
// returns false if f was not called.
func (w *worker) readMap(m reflect.Value, f func()) bool {
	if w.goroutines != nil {
		return w.goroutines.ReadMap(m.Pointer(), f)
	}
	f()
	return true
}

// unshowable returns a message with the error, in place of a message that cannot be encoded.
func unshowable(err error) displayhost.Message {
	return displayhost.Message{Kind: displayhost.KindShow, Data: display.Bundle{"text/plain": "this output cannot be shown: " + err.Error()}}
}

// comm is the host of package comm in this process.
func (w *worker) comm(m comm.Message) error {
	_, err := w.ask(func(seq int) control.Message { return control.Comm{Seq: seq, Message: m} })
	return err
}

// longTask is the host of package progresshost in this process. A child process shows
// nothing, since its parent shows the task.
func (w *worker) longTask(t progresshost.Task) (end func()) {
	if mphost.Parent() != nil {
		return func() {}
	}
	return w.bars.Begin(w.cellLabels.Of(celllabels.Current()), t)
}

// notice shows a notice, which is not part of the cell's output.
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

// A relay is a message from a child to its parent with a display, or the parent's
// acknowledgement.
type relay struct {
	Seq    int
	Output []byte // an encoded displayhost.Message; empty in an acknowledgement
}

// askParent sends a display to the parent and waits until it is delivered, so that
// text that is printed afterwards comes after it.
func (w *worker) askParent(p *mphost.Peer, m displayhost.Message) {
	output, err := m.MarshalBinary()
	if err != nil {
		output, _ = unshowable(err).MarshalBinary()
	}
	seq, ch := w.pending.Await()
	msg, err := json.Marshal(relay{Seq: seq, Output: output})
	if err == nil {
		err = p.Send(msg)
	}
	if err == nil { // otherwise the parent has ended, and this process will end soon
		<-ch
	}
}
