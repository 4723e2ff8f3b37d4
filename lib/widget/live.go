package widget

import (
	"crypto/rand"
	"fmt"
	"html"
	"strings"
	"sync"
	"time"

	"github.com/perijove/perijove/lib/comm"
	"github.com/perijove/perijove/lib/display"
	"github.com/perijove/perijove/lib/display/displayhost"
)

// Live shows the inputs and, below them, the result of f, as display.Show does; it
// shows nothing for nil. It calls f before it returns, and again after an input has
// changed. Changes while f runs count as one. Live fails if it cannot show the inputs
// or the first result.
//
// Live shows the result twice. The first copy is part of the widget's state, so that
// every page shows the result for the current inputs, also after a reload. The second
// copy consists of ordinary outputs below the widget, with the inputs' values and the
// result. The page hides it as long as the widget works. The notebook file stores it,
// so it is visible after the kernel has ended and in other programs that show the
// file. It is updated when the inputs have not changed for a moment, in the page that
// ran the cell. A page that was reloaded keeps the copy that it loaded.
func Live(f func() any, inputs ...Input) error {
	l := newLive(f, inputs)
	for _, in := range inputs {
		in.notifier().add(l.all.notify)
	}
	return l.begin()
}

// restDelay is the time without changes of the inputs after which the ordinary outputs
// are updated, with all their forms.
const restDelay = 300 * time.Millisecond

// A live is one call of Live.
type live struct {
	f      func() any
	stale  func() bool // reports whether the last result of f is outdated; may be nil
	inputs []Input
	out    *Output
	all    notifier // notified of the changes of all inputs
	// stored and values are the display IDs of the two ordinary outputs: the result,
	// and before it the inputs' values for which f returned it.
	stored, values string

	turn sync.Mutex // held while f runs and its result is shown

	mu   sync.Mutex  // guards the fields below
	rest *time.Timer // calls store
	last any         // the result to store
	text string      // the inputs' values for which f returned it
}

func newLive(f func() any, inputs []Input) *live {
	l := &live{f: f, inputs: inputs, out: NewOutput(), stored: rand.Text(), values: rand.Text()}
	l.all.add(l.frame)
	return l
}

// begin shows the inputs and the first result.
func (l *live) begin() error {
	l.turn.Lock()
	defer l.turn.Unlock()
	text := l.inputTexts()
	v := l.f()
	first := result(display.Render(v), v)
	if err := l.out.show(first, true); err != nil {
		return err
	}
	if len(l.inputs) > 0 {
		if comm.Hosted() {
			if err := display.Show(l.view()); err != nil {
				return err
			}
		}
		if err := displayhost.Send(displayhost.Message{Kind: displayhost.KindShow, ID: l.values, Data: l.valuesBundle(text)}); err != nil {
			return err
		}
	}
	first.ID = l.stored
	return displayhost.Send(first)
}

func textBundle(text string) map[string]any { return map[string]any{"text/plain": text} }

// valuesBundle returns the forms of the inputs' values. The HTML form contains a style
// that hides the output before it, the widget, if the page cannot show the widget. The
// page would otherwise show a message there, such as that the widget is loading.
func (l *live) valuesBundle(text string) map[string]any {
	class := "perijove-values-" + l.values
	var hide []string
	for _, output := range outputClasses {
		hide = append(hide, fmt.Sprintf("%[1]s:has(+ %[1]s .%s):not(:has(.%s))", output, class, l.class()))
	}
	b := textBundle(text)
	b["text/html"] = fmt.Sprintf("<div class=\"%s\">%s</div><style>%s { display: none }</style>",
		class, strings.ReplaceAll(html.EscapeString(text), "\n", "<br>"), strings.Join(hide, ", "))
	return b
}

// class returns the CSS class of the widget.
func (l *live) class() string { return "perijove-live-" + l.stored }

// outputClasses are the CSS classes of a cell's outputs, in JupyterLab and in
// Notebook 6.
var outputClasses = []string{".jp-OutputArea-child", ".output_area"}

// inputTexts returns the text forms of the inputs, one to a line.
func (l *live) inputTexts() string {
	lines := make([]string, len(l.inputs))
	for i, in := range l.inputs {
		lines[i] = fmt.Sprint(in.MIMEBundle()["text/plain"])
	}
	return strings.Join(lines, "\n")
}

// result returns the message m, which shows v. For nil it is an empty output, which can
// be replaced later.
func result(m displayhost.Message, v any) displayhost.Message {
	if v == nil {
		m.Data = textBundle("")
	}
	return m
}

// frame calls f and shows the result for the current values.
func (l *live) frame() {
	l.turn.Lock()
	defer l.turn.Unlock()
	text := l.inputTexts()
	v := l.f()
	if l.stale != nil && l.stale() {
		return
	}
	m := result(display.Render(display.Vector(v)), v)
	_ = l.out.show(m, true) // begin reports errors of the first result
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last, l.text = v, text
	if l.rest == nil {
		l.rest = time.AfterFunc(restDelay, l.store)
	} else {
		l.rest.Reset(restDelay)
	}
}

// store updates the ordinary outputs.
func (l *live) store() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = displayhost.Send(displayhost.Message{Kind: displayhost.KindUpdate, ID: l.values, Data: l.valuesBundle(l.text)})
	m := result(display.Render(l.last), l.last)
	m.Kind, m.ID = displayhost.KindUpdate, l.stored
	_ = displayhost.Send(m)
}

// A liveView is the box of a Live. Its text form is empty, because the ordinary outputs
// below it show the inputs and the result.
type liveView struct{ box }

func (v *liveView) MIMEBundle() map[string]any { return v.m.bundle("") }

// view returns the widget: the inputs, the result, and a style that hides the two
// ordinary outputs after it.
func (l *live) view() *liveView {
	class := l.class()
	hidden := newModel(base, "Layout", map[string]any{"display": "none"}, nil)
	var hide []string
	for _, output := range outputClasses {
		own := fmt.Sprintf("%s:has(.%s)", output, class)
		hide = append(hide, own+" + "+output, own+" + "+output+" + "+output)
	}
	style := NewHTML("<style>" + strings.Join(hide, ", ") + " { display: none }</style>")
	_ = style.m.set("layout", hidden.reference(), true)
	var children []Widget
	for _, in := range l.inputs {
		children = append(children, in)
	}
	return &liveView{newBoxWith("VBox", append(children, l.out, style), map[string]any{"_dom_classes": []string{class}})}
}
