package widget

import (
	"fmt"
	"html"

	"github.com/perijove/perijove/lib/display"
)

// A Push is a button.
type Push struct {
	label string
	m     *model
	n     notifier
}

// Button makes a button; say what it does with OnClick.
func Button(label string) *Push {
	b := &Push{label: label}
	state := look(label, "ButtonStyle")
	state["button_style"], state["icon"] = "", ""
	b.m = newModel(controls, "Button", state, func(msg message) {
		if msg.Content.Event == "click" {
			b.n.changed()
		}
	})
	b.m.comm.Hears(b.n.heard)
	return b
}

// OnClick has f called when the user presses the button. Presses while f runs
// count as one.
func (b *Push) OnClick(f func()) { b.n.add(f) }

// Disable makes the button deaf to the user, or lets it hear again.
func (b *Push) Disable(disabled bool) { b.m.set("disabled", disabled, true) }

// MIMEBundle shows the button; the text form is its label.
func (b *Push) MIMEBundle() map[string]any { return b.m.bundle("[" + b.label + "]") }

func (b *Push) model() *model      { return b.m }
func (b *Push) changed() *notifier { return &b.n }

// A Gauge shows how far something has come.
type Gauge struct {
	label      string
	total, now int
	m          *model
}

// Progress makes a bar that is full at total. It may be used from one
// goroutine at a time.
func Progress(label string, total int) *Gauge {
	g := &Gauge{label: label, total: max(total, 1)}
	state := look(label, "ProgressStyle")
	state["min"], state["max"], state["value"], state["orientation"], state["bar_style"] = 0, g.total, 0, "horizontal", ""
	state["_view_name"] = "ProgressView"
	g.m = newModel(controls, "IntProgress", state, nil)
	return g
}

// Set moves the bar to n of its total.
func (g *Gauge) Set(n int) {
	n = min(max(n, 0), g.total)
	if n == g.now {
		return
	}
	g.now = n
	g.m.set("value", n, true)
	if n == g.total {
		g.m.set("bar_style", "success", true)
	}
}

// Add moves the bar by n.
func (g *Gauge) Add(n int) { g.Set(g.now + n) }

// MIMEBundle shows the bar; the text form is how far it has come.
func (g *Gauge) MIMEBundle() map[string]any {
	return g.m.bundle(fmt.Sprintf("%s %d of %d", g.label, g.now, g.total))
}

func (g *Gauge) model() *model { return g.m }

// A Markup shows HTML that can be changed.
type Markup struct {
	text string
	m    *model
}

// HTML shows a fragment of HTML, between other widgets as a rule.
func HTML(text string) *Markup {
	h := &Markup{text: text}
	state := look("", "HTMLStyle")
	state["value"] = text
	h.m = newModel(controls, "HTML", state, nil)
	return h
}

// Label shows plain text.
func Label(text string) *Markup { return HTML(html.EscapeString(text)) }

// Set changes the HTML.
func (h *Markup) Set(text string) {
	h.text = text
	h.m.set("value", text, true)
}

// MIMEBundle shows it; the text form is the HTML.
func (h *Markup) MIMEBundle() map[string]any { return h.m.bundle(h.text) }

func (h *Markup) model() *model { return h.m }

// A Box holds widgets beside or below each other.
type Box struct {
	ws []Widget
	m  *model
}

// Row puts widgets beside each other.
func Row(ws ...Widget) *Box { return box("HBox", ws) }

// Column puts widgets below each other.
func Column(ws ...Widget) *Box { return box("VBox", ws) }

func box(name string, ws []Widget) *Box {
	children := make([]string, len(ws))
	for i, w := range ws {
		children[i] = w.model().reference()
	}
	return &Box{ws, newModel(controls, name, map[string]any{
		"children": children, "box_style": "", "layout": layout().reference(),
	}, nil)}
}

// MIMEBundle shows the widgets; the text form is theirs, one to a line.
func (b *Box) MIMEBundle() map[string]any {
	var text string
	for i, w := range b.ws {
		if i > 0 {
			text += "\n"
		}
		text += fmt.Sprint(w.MIMEBundle()["text/plain"])
	}
	return b.m.bundle(text)
}

func (b *Box) model() *model { return b.m }

// An Input is a widget that the user acts on: a Control or a Push.
type Input interface {
	Widget
	changed() *notifier
}

// Live shows the inputs and, below them, what f returns, as display.Show would
// show it; nil shows nothing. f is called at once, and again when one of the
// inputs has changed.
func Live(f func() any, inputs ...Input) error {
	ws := make([]Widget, len(inputs))
	for i, in := range inputs {
		ws[i] = in
	}
	if len(ws) > 0 {
		if err := display.Show(Column(ws...)); err != nil {
			return err
		}
	}
	var h display.Handle
	all := &notifier{}
	all.add(func() {
		if v := f(); v != nil {
			_ = h.Show(v) // the first call below has shown whether it can be
		}
	})
	for _, in := range inputs {
		in.changed().add(all.changed)
	}
	if v := f(); v != nil {
		return h.Show(v)
	}
	return nil
}
