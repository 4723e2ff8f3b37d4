package widget

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"

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
// say. Below the widget, where the page hides it as long as the widget is alive,
// it is an ordinary output that is stored in the notebook file: when the kernel
// has ended, or another program shows the file, this picture is there. It follows
// once the inputs have rested for a moment.
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
	stored string   // the display ID of the ordinary output

	turn sync.Mutex // held while f runs and its result is shown

	mu   sync.Mutex // guards what follows
	rest *time.Timer
	last any // the value to store when the inputs rest
}

func newLive(f func() any, inputs []Input) *live {
	l := &live{f: f, inputs: inputs, out: NewOutput(), stored: rand.Text()}
	l.all.add(l.frame)
	return l
}

// begin shows the first result.
func (l *live) begin() error {
	l.turn.Lock()
	defer l.turn.Unlock()
	v := l.f()
	first := result(display.Render(v), v)
	if err := l.out.show(first, true); err != nil {
		return err
	}
	if len(l.inputs) > 0 {
		if err := display.Show(l.view()); err != nil {
			return err
		}
	}
	first.ID = l.stored
	return displayhost.Send(first)
}

// result returns the message that shows a result; of nil an empty one, which can
// be replaced.
func result(m displayhost.Message, v any) displayhost.Message {
	if v == nil {
		m.Data = map[string]any{"text/plain": ""}
	}
	return m
}

// frame shows the result for the present values.
func (l *live) frame() {
	l.turn.Lock()
	defer l.turn.Unlock()
	v := l.f()
	if l.stale != nil && l.stale() {
		return
	}
	m := result(display.Render(display.Vector(v)), v)
	_ = l.out.show(m, true) // an error of the display shows at the first call, in begin
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = v
	if l.rest == nil {
		l.rest = time.AfterFunc(restDelay, l.store)
	} else {
		l.rest.Reset(restDelay)
	}
}

// store brings the ordinary output up to date.
func (l *live) store() {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := result(display.Render(l.last), l.last)
	m.Kind, m.ID = displayhost.KindUpdate, l.stored
	_ = displayhost.Send(m)
}

// A liveView is the box of a Live. Its text form is that of the inputs alone,
// since the result follows as an ordinary output.
type liveView struct {
	box
	inputs []Widget
}

func (v *liveView) MIMEBundle() map[string]any {
	b := v.box.MIMEBundle()
	b["text/plain"] = (&box{children: v.inputs, m: v.m}).MIMEBundle()["text/plain"]
	return b
}

// view returns the widget: the inputs, the result, and a style that hides the
// ordinary output behind it.
func (l *live) view() *liveView {
	class := "perijove-live-" + l.stored
	hidden := newModel(base, "Layout", map[string]any{"display": "none"}, nil)
	style := NewHTML(fmt.Sprintf(
		"<style>.jp-OutputArea-child:has(.%[1]s) + .jp-OutputArea-child, .output_area:has(.%[1]s) + .output_area { display: none }</style>", class))
	_ = style.m.set("layout", hidden.reference(), true)
	inputs := make([]Widget, len(l.inputs))
	for i, in := range l.inputs {
		inputs[i] = in
	}
	children := append(append([]Widget(nil), inputs...), l.out, style)
	return &liveView{newBoxWith("VBox", children, map[string]any{"_dom_classes": []string{class}}), inputs}
}
