package worker

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/lib/comm"
	"github.com/perijove/perijove/lib/display"
	"github.com/perijove/perijove/lib/display/displayhost"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// Show delivers the values of a cell's last expression, as one result.
// Generated code calls it by its linker name.
func Show(values ...any) {
	stopAll()
	if n := len(values); n > 1 && values[n-1] == nil {
		values = values[:n-1] // the nil error of a call that went well
	}
	if len(values) == 1 {
		self.output(control.Result, display.Render(values[0]))
		return
	}
	var text []string
	for _, v := range values {
		text = append(text, display.Text(v))
	}
	self.output(control.Result, displayhost.Message{
		Kind: displayhost.KindShow,
		Data: display.Bundle{"text/plain": strings.Join(text, "\n")},
	})
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
	if !strconv.IsPrint(r) {
		Show(r)
		return
	}
	Show(display.Bundle{"text/plain": fmt.Sprintf("%d %q", r, r)})
}

// display is the sink of package display in this process.
func (w *worker) display(m displayhost.Message) error {
	w.output(control.Display, m)
	return nil
}

// output delivers a message after everything that was printed before it, and
// before everything that is printed after it: it waits until the kernel has
// both.
func (w *worker) output(kind string, m displayhost.Message) { w.deliver(w.origins.earlier(), kind, m) }

// deliver is output for a cell, 0 for the running one.
func (w *worker) deliver(id int, kind string, m displayhost.Message) {
	b, err := m.MarshalBinary()
	if err != nil {
		b, _ = json.Marshal(displayhost.Message{Kind: displayhost.KindShow, Data: display.Bundle{"text/plain": "this output cannot be shown: " + err.Error()}})
	}
	if p := mphost.Parent(); p != nil {
		w.askParent(p, b)
		return
	}
	if _, err := w.ask(control.Message{Kind: kind, ID: id, Output: b}); err != nil {
		endGroup() // the kernel is gone
	}
}

// comm is the host of package comm in this process.
func (w *worker) comm(m comm.Message) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = w.ask(control.Message{Kind: control.Comm, Output: b})
	return err
}

// notice shows a remark that is no output of the cell.
func (w *worker) notice(text string) {
	if mphost.Parent() != nil {
		os.Stderr.WriteString(text + "\n")
		return
	}
	if _, err := w.ask(control.Message{Kind: control.Notice, ID: w.origins.earlier(), Text: text}); err != nil {
		endGroup()
	}
}
