package widget

import (
	"encoding/json"
	"maps"
	"strings"
	"sync"
)

// A Control is the part that widgets with a value have in common. Its methods
// can be called concurrently.
type Control[T comparable] struct {
	kind, description string
	key               string // of the value, in the model's state
	encode            func(T) any
	decode            func(json.RawMessage) (T, bool)
	m                 *model
	n                 notifier

	mu    sync.Mutex // guards value
	value T
}

func fromJSON[T any](raw json.RawMessage) (v T, ok bool) {
	return v, json.Unmarshal(raw, &v) == nil
}

// open makes the model: that of the named widget, which holds its value under
// c.key.
func (c *Control[T]) open(widget, style, description string, value T, state map[string]any) {
	c.kind, c.description, c.value = strings.ToLower(widget), description, value
	if c.key == "" {
		c.key = "value"
		c.encode = func(v T) any { return v }
		c.decode = fromJSON[T]
	}
	full := controlState(description, style)
	maps.Copy(full, state)
	full[c.key] = c.encode(value)
	c.m = newModel(controls, widget, full, c.receive)
	c.m.comm.SetHasHandler(c.n.hasFuncs)
}

func (c *Control[T]) receive(msg message) {
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

// store sets the value, and calls the functions that wait for a change if v is
// another one.
func (c *Control[T]) store(v T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v != c.value {
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
// OnChange and Interact are called if it changes.
func (c *Control[T]) SetValue(v T) {
	c.m.set(c.key, c.encode(v), true)
	c.store(v)
}

// OnChange makes changes of the value call f with the new one.
func (c *Control[T]) OnChange(f func(T)) { c.n.add(func() { f(c.Value()) }) }

// SetDisabled sets whether the control ignores the user.
func (c *Control[T]) SetDisabled(disabled bool) { c.m.set("disabled", disabled, true) }

// MIMEBundle returns the control's forms; its text form is description and value.
func (c *Control[T]) MIMEBundle() map[string]any {
	return c.m.bundle(describe(c.kind, c.description, c.Value()))
}

func (c *Control[T]) model() *model       { return c.m }
func (c *Control[T]) notifier() *notifier { return &c.n }
