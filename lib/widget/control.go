package widget

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

// A Control holds a value that the user can change.
type Control[T comparable] struct {
	kind, label string
	key         string // of the state that holds the value
	m           *model
	encode      func(T) any
	decode      func(json.RawMessage) (T, bool)
	n           notifier

	mu    sync.Mutex // guards value
	value T
}

// newControl opens a control whose state holds its value under key.
func newControl[T comparable](c *Control[T], widget, style string, state map[string]any) *Control[T] {
	full := look(c.label, style)
	for k, v := range state {
		full[k] = v
	}
	full[c.key] = c.encode(c.value)
	c.kind = strings.ToLower(widget)
	c.m = newModel(controls, widget, full, c.take)
	c.m.comm.Hears(c.n.heard)
	return c
}

func (c *Control[T]) take(msg message) {
	raw, ok := msg.State[c.key]
	if !ok {
		return
	}
	v, ok := c.decode(raw)
	if !ok {
		return
	}
	c.m.set(c.key, c.encode(v), false)
	c.store(v)
}

// store has the functions called that wait for a change, if v is one.
func (c *Control[T]) store(v T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v != c.value {
		c.value = v
		c.n.changed()
	}
}

// Value is what the control is set to now.
func (c *Control[T]) Value() T {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.value
}

// Set moves the control, as the user would: functions given to OnChange and
// Live are called if the value is another.
func (c *Control[T]) Set(v T) {
	c.m.set(c.key, c.encode(v), true)
	c.store(v)
}

// OnChange has f called with the new value when it has changed.
func (c *Control[T]) OnChange(f func(T)) { c.n.add(func() { f(c.Value()) }) }

// Disable makes the control deaf to the user, or lets it hear again.
func (c *Control[T]) Disable(disabled bool) { c.m.set("disabled", disabled, true) }

// MIMEBundle shows the control; the text form is its label and value.
func (c *Control[T]) MIMEBundle() map[string]any {
	return c.m.bundle(describe(c.kind, c.label, c.Value()))
}

func (c *Control[T]) model() *model      { return c.m }
func (c *Control[T]) changed() *notifier { return &c.n }

func identity[T any](v T) any { return v }

func fromJSON[T any](raw json.RawMessage) (v T, ok bool) {
	return v, json.Unmarshal(raw, &v) == nil
}

func simple[T comparable](label string, v T) *Control[T] {
	return &Control[T]{label: label, key: "value", value: v, encode: identity[T], decode: fromJSON[T]}
}

// IntSlider chooses a whole number from low to high. A value outside of them is
// moved to the nearer one.
func IntSlider(label string, low, high, value int) *Control[int] {
	high = max(low, high)
	return newControl(simple(label, min(max(value, low), high)), "IntSlider", "SliderStyle", map[string]any{
		"min": low, "max": high, "step": 1, "orientation": "horizontal", "readout": true, "readout_format": "d",
		"continuous_update": true, "behavior": "drag-tap",
	})
}

// FloatSlider chooses a number from low to high, in steps.
func FloatSlider(label string, low, high, step, value float64) *Control[float64] {
	high = max(low, high)
	return newControl(simple(label, min(max(value, low), high)), "FloatSlider", "SliderStyle", map[string]any{
		"min": low, "max": high, "step": step, "orientation": "horizontal", "readout": true, "readout_format": "~g",
		"continuous_update": true, "behavior": "drag-tap",
	})
}

// Checkbox is on or off.
func Checkbox(label string, value bool) *Control[bool] {
	return newControl(simple(label, value), "Checkbox", "CheckboxStyle", map[string]any{"indent": false})
}

// Text is a line of text. It changes when the user presses Enter or leaves it.
func Text(label, value string) *Control[string] {
	return newControl(simple(label, value), "Text", "TextStyle", map[string]any{"continuous_update": false, "placeholder": ""})
}

// Number is a whole number to type.
func Number(label string, value int) *Control[int] {
	return newControl(simple(label, value), "IntText", "DescriptionStyle", map[string]any{"continuous_update": false, "step": 1})
}

// Dropdown chooses one of the options, the first to begin with. They are shown
// as fmt.Sprint does. Without options its value is the zero value.
func Dropdown[T comparable](label string, options ...T) *Control[T] {
	labels := make([]string, len(options))
	for i, o := range options {
		labels[i] = fmt.Sprint(o)
	}
	c := &Control[T]{label: label, key: "index"}
	if len(options) > 0 {
		c.value = options[0]
	}
	c.encode = func(v T) any {
		for i, o := range options {
			if o == v {
				return i
			}
		}
		return nil
	}
	c.decode = func(raw json.RawMessage) (v T, ok bool) {
		i, ok := fromJSON[int](raw)
		if !ok || i < 0 || i >= len(options) {
			return v, false
		}
		return options[i], true
	}
	return newControl(c, "Dropdown", "DescriptionStyle", map[string]any{"_options_labels": labels})
}
