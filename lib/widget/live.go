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

// Live shows the inputs and, below them, what f returns, as display.Show does;
// nil shows nothing. It calls f before it returns, and whenever an input has
// changed; while f runs, changes are merged. The error is that the inputs or f's
// first result cannot be shown.
//
// The result is shown twice. Inside of the widget it belongs to the widget's
// state, so that every page, also one that is opened again, shows what the inputs
// say. Below the widget, where the page hides them as long as the widget is alive,
// the inputs' values and the result are ordinary outputs, which are stored in the
// notebook file: when the kernel has ended, or another program shows the file, they
// are there. They follow once the inputs have rested for a moment, in the page that
// has run the cell; one that was opened again stores what it has found.
func Live(f func() any, inputs ...Input) error {
	l := newLive(f, inputs)
	for _, in := range inputs {
		in.notifier().add(l.all.notify)
	}
	return l.begin()
}

// restDelay is how long the inputs must not have changed before the ordinary
// output follows, with all its forms.
const restDelay = 300 * time.Millisecond

// A live is one call of Live.
type live struct {
	f      func() any
	stale  func() bool // reports that the last result of f is not to be shown; may be nil
	inputs []Input
	out    *Output
	all    notifier // of changes of all inputs
	// stored and values are the display IDs of the ordinary outputs: the result,
	// and before it the values that it belongs to.
	stored, values string

	turn sync.Mutex // held while f runs and its result is shown

	mu   sync.Mutex // guards what follows
	rest *time.Timer
	last any    // the result to store when the inputs rest
	text string // and the values that it belongs to
}

func newLive(f func() any, inputs []Input) *live {
	l := &live{f: f, inputs: inputs, out: NewOutput(), stored: rand.Text(), values: rand.Text()}
	l.all.add(l.frame)
	return l
}

// begin shows the first result.
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

// valuesBundle returns the forms of the inputs' values. The HTML form hides the
// output before it, the widget, where that is not alive: a page would say there for
// ever that it loads the widget, or that it has none.
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

// result returns the message that shows a result; of nil an empty one, which can
// be replaced.
func result(m displayhost.Message, v any) displayhost.Message {
	if v == nil {
		m.Data = textBundle("")
	}
	return m
}

// frame shows the result for the present values.
func (l *live) frame() {
	l.turn.Lock()
	defer l.turn.Unlock()
	text := l.inputTexts()
	v := l.f()
	if l.stale != nil && l.stale() {
		return
	}
	m := result(display.Render(display.Vector(v)), v)
	_ = l.out.show(m, true) // an error of the display shows at the first call, in begin
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last, l.text = v, text
	if l.rest == nil {
		l.rest = time.AfterFunc(restDelay, l.store)
	} else {
		l.rest.Reset(restDelay)
	}
}

// store brings the ordinary outputs up to date.
func (l *live) store() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = displayhost.Send(displayhost.Message{Kind: displayhost.KindUpdate, ID: l.values, Data: l.valuesBundle(l.text)})
	m := result(display.Render(l.last), l.last)
	m.Kind, m.ID = displayhost.KindUpdate, l.stored
	_ = displayhost.Send(m)
}

// A liveView is the box of a Live. Its text form is empty, since the inputs and
// the result follow as ordinary outputs.
type liveView struct{ box }

func (v *liveView) MIMEBundle() map[string]any { return v.m.bundle("") }

// view returns the widget: the inputs, the result, and a style that hides the two
// ordinary outputs behind it.
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
