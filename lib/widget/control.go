package widget

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
)

// A Control is the common part of all widgets with a value. Its methods can be called
// concurrently.
type Control[T any] struct {
	kind, description string
	key               string // key of the value in the model's state
	encode            func(T) any
	decode            func(json.RawMessage) (T, bool)
	check             func(T) error // returns why a value is not allowed; nil if all values are allowed
	equal             func(a, b T) bool
	m                 *model
	n                 notifier

	order sync.Mutex // held while a value is stored and sent, so that both sides end with the same value

	mu    sync.Mutex // guards value
	value T
}

func fromJSON[T any](raw json.RawMessage) (v T, ok bool) {
	return v, string(raw) != "null" && json.Unmarshal(raw, &v) == nil
}

// open opens the model of the named widget of ipywidgets. state adds to the state that
// all controls have.
func (c *Control[T]) open(widget, style, description string, value T, state map[string]any) {
	full := controlState(description, style)
	maps.Copy(full, state)
	c.openWith(widget, description, value, full, c.receive)
}

// openWith opens the model with the whole state. receive handles its messages.
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
		c.equal = func(a, b T) bool { return any(a) == any(b) } // T is comparable where equal is not set
	}
	state[c.key] = c.encode(value)
	c.m = newModel(controls, widget, state, receive)
	c.m.comm.SetHasHandler(c.n.hasFuncs)
}

// receive stores a value from the front end. If the value is not allowed, it sends the
// current value back.
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

// store sets the value. If the value changes, store calls the functions that were passed to
// OnChange, Live and Interact.
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

// SetValue sets the value, here and in the front end. If that changes the value, the
// functions passed to OnChange, Live and Interact are called. If the control does not
// allow the value, SetValue fails and changes nothing.
func (c *Control[T]) SetValue(v T) error {
	if c.check != nil {
		if err := c.check(v); err != nil {
			return fmt.Errorf("widget: cannot set the value of %s: %w", c.name(), err)
		}
	}
	c.order.Lock()
	defer c.order.Unlock()
	c.store(v)
	return c.m.set(c.key, c.encode(v), true)
}

// name returns the name of the control for errors.
func (c *Control[T]) name() string {
	if c.description == "" {
		return "the " + c.kind
	}
	return fmt.Sprintf("%s %q", c.kind, c.description)
}

// OnChange makes every change of the value call f with the new value. Changes while f
// runs count as one.
func (c *Control[T]) OnChange(f func(T)) { c.n.add(func() { f(c.Value()) }) }

// SetDisabled sets whether the control is disabled: if so, the user cannot change it.
func (c *Control[T]) SetDisabled(disabled bool) { _ = c.m.set("disabled", disabled, true) }

// MIMEBundle returns the control's forms by MIME type. The text form has the description and
// the value.
func (c *Control[T]) MIMEBundle() map[string]any {
	return c.m.bundle(describe(c.kind, c.description, c.Value()))
}

func (c *Control[T]) model() *model       { return c.m }
func (c *Control[T]) notifier() *notifier { return &c.n }
func (c *Control[T]) valueKey() string    { return c.key }
func (c *Control[T]) anyValue() any       { return c.Value() }
