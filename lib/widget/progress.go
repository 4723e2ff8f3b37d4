package widget

import "fmt"

// An IntProgress is a bar that shows how much of some work is done. Its methods must
// not be called concurrently.
type IntProgress struct {
	description  string
	total, value int
	m            *model
}

// NewIntProgress returns an empty bar that is full at total. A total below 1 counts as 1.
func NewIntProgress(description string, total int) *IntProgress {
	p := &IntProgress{description: description, total: max(total, 1)}
	p.m = newModel(controls, "IntProgress", progressState(description, p.total), nil)
	return p
}

func progressState(description string, total any) map[string]any {
	state := controlState(description, "ProgressStyle")
	state["min"], state["max"], state["value"], state["orientation"], state["bar_style"] = 0, total, 0, "horizontal", ""
	state["_view_name"] = "ProgressView"
	return state
}

// SetValue sets the value. A value below 0 or above the total is replaced by the nearer
// limit.
func (p *IntProgress) SetValue(n int) {
	n = min(max(n, 0), p.total)
	if n == p.value {
		return
	}
	p.value = n
	_ = p.m.set("value", n, true)
	if n == p.total {
		_ = p.m.set("bar_style", "success", true)
	}
}

// Add adds n to the value.
func (p *IntProgress) Add(n int) { p.SetValue(p.value + n) }

// MIMEBundle returns the bar's forms by MIME type. The text form has the value and the total.
func (p *IntProgress) MIMEBundle() map[string]any {
	return p.m.bundle(fmt.Sprintf("%s %d of %d", p.description, p.value, p.total))
}

func (p *IntProgress) model() *model { return p.m }

// A FloatProgress is a bar that shows a number between 0 and a maximum. Its methods
// must not be called concurrently.
type FloatProgress struct {
	description string
	high, value float64
	m           *model
}

// NewFloatProgress returns an empty bar that is full at high. If high is not positive
// and finite, it counts as 1.
func NewFloatProgress(description string, high float64) *FloatProgress {
	if !(high > 0) || finite(high) != nil {
		high = 1
	}
	p := &FloatProgress{description: description, high: high}
	p.m = newModel(controls, "FloatProgress", progressState(description, high), nil)
	return p
}

// SetValue sets the value. A value below 0 or above the maximum is replaced by the nearer
// limit, and NaN by 0.
func (p *FloatProgress) SetValue(v float64) {
	if !(v >= 0) {
		v = 0
	}
	p.value = min(v, p.high)
	_ = p.m.set("value", p.value, true)
}

// MIMEBundle returns the bar's forms by MIME type. The text form has the value and the
// maximum.
func (p *FloatProgress) MIMEBundle() map[string]any {
	return p.m.bundle(fmt.Sprintf("%s %g of %g", p.description, p.value, p.high))
}

func (p *FloatProgress) model() *model { return p.m }
