package widget

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
)

// A Control is the part that widgets with a value have in common. Its methods
// can be called concurrently.
type Control[T any] struct {
	kind, description string
	key               string // of the value, in the model's state
	encode            func(T) any
	decode            func(json.RawMessage) (T, bool)
	check             func(T) error // nil if every value is possible
	equal             func(a, b T) bool
	m                 *model
	n                 notifier

	order sync.Mutex // held while a value is stored and sent: both sides end with the same

	mu    sync.Mutex // guards value
	value T
}

func fromJSON[T any](raw json.RawMessage) (v T, ok bool) {
	return v, string(raw) != "null" && json.Unmarshal(raw, &v) == nil
}

// open makes the model: that of the named widget, which holds its value under
// c.key.
func (c *Control[T]) open(widget, style, description string, value T, state map[string]any) {
	full := controlState(description, style)
	maps.Copy(full, state)
	c.openWith(widget, description, value, full, c.receive)
}

// openWith is open with the whole state, and with receive for messages.
func (c *Control[T]) openWith(widget, description string, value T, state map[string]any, receive func(message)) {
	c.kind, c.description, c.value = strings.ToLower(widget), description, value
	if c.key == "" {
		c.key = "value"
	}
	if c.encode == nil {
		c.encode = func(v T) any { return v }
	}
	if c.decode == nil {
		c.decode = fromJSON[T]
	}
	if c.equal == nil {
		c.equal = func(a, b T) bool { return any(a) == any(b) } // all T without an equal are comparable
	}
	state[c.key] = c.encode(value)
	c.m = newModel(controls, widget, state, receive)
	c.m.comm.SetHasHandler(c.n.hasFuncs)
}

// receive takes a value from the front end. It gets the present one back if its
// own is impossible.
func (c *Control[T]) receive(msg message) {
	raw, ok := msg.State[c.key]
	if !ok {
		return
	}
	v, ok := c.decode(raw)
	if !ok || c.check != nil && c.check(v) != nil {
		_ = c.m.set(c.key, c.encode(c.Value()), true)
		return
	}
	_ = c.m.set(c.key, c.encode(v), false)
	c.store(v)
}

// store sets the value, and calls the functions that wait for a change if v is
// another one.
func (c *Control[T]) store(v T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.equal(v, c.value) {
		c.value = v
		c.n.notify()
	}
}

// Value returns the current value.
func (c *Control[T]) Value() T {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.value
}

// SetValue sets the value, here and in the front end. Functions passed to
// OnChange, Live and Interact are called if it changes. A value that the control
// cannot have is an error and changes nothing.
func (c *Control[T]) SetValue(v T) error {
	if c.check != nil {
		if err := c.check(v); err != nil {
			return fmt.Errorf("widget: %s: %w", c.name(), err)
		}
	}
	c.order.Lock()
	defer c.order.Unlock()
	c.store(v)
	return c.m.set(c.key, c.encode(v), true)
}

// name names the control in errors.
func (c *Control[T]) name() string {
	if c.description == "" {
		return "the " + c.kind
	}
	return fmt.Sprintf("%s %q", c.kind, c.description)
}

// OnChange makes changes of the value call f with the new one.
func (c *Control[T]) OnChange(f func(T)) { c.n.add(func() { f(c.Value()) }) }

// SetDisabled sets whether the control ignores the user.
func (c *Control[T]) SetDisabled(disabled bool) { _ = c.m.set("disabled", disabled, true) }

// MIMEBundle returns the control's forms; its text form is description and value.
func (c *Control[T]) MIMEBundle() map[string]any {
	return c.m.bundle(describe(c.kind, c.description, c.Value()))
}

func (c *Control[T]) model() *model       { return c.m }
func (c *Control[T]) notifier() *notifier { return &c.n }
func (c *Control[T]) valueKey() string    { return c.key }
func (c *Control[T]) anyValue() any       { return c.Value() }
