package widget

import (
	"fmt"
)

// An IntProgress is a bar that shows how much of some work is done. It can be
// used from one goroutine at a time.
type IntProgress struct {
	description  string
	total, value int
	m            *model
}

// NewIntProgress returns an empty bar that is full at total.
func NewIntProgress(description string, total int) *IntProgress {
	p := &IntProgress{description: description, total: max(total, 1)}
	state := controlState(description, "ProgressStyle")
	state["min"], state["max"], state["value"], state["orientation"], state["bar_style"] = 0, p.total, 0, "horizontal", ""
	state["_view_name"] = "ProgressView"
	p.m = newModel(controls, "IntProgress", state, nil)
	return p
}

// SetValue sets the value, which is kept between 0 and the total.
func (p *IntProgress) SetValue(n int) {
	n = min(max(n, 0), p.total)
	if n == p.value {
		return
	}
	p.value = n
	p.m.set("value", n, true)
	if n == p.total {
		p.m.set("bar_style", "success", true)
	}
}

// Add adds n to the value.
func (p *IntProgress) Add(n int) { p.SetValue(p.value + n) }

// MIMEBundle returns the bar's forms; its text form is value and total.
func (p *IntProgress) MIMEBundle() map[string]any {
	return p.m.bundle(fmt.Sprintf("%s %d of %d", p.description, p.value, p.total))
}

func (p *IntProgress) model() *model { return p.m }
