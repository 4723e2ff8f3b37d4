package widget

import (
	"context"
	"fmt"
	"reflect"
	"sync"
)

// Interact makes a control for each parameter of f, and shows the controls and the
// result of f, as [Live] does. A change of a control calls f with the new values.
//
//	widget.Interact(func(n int, scale float64, log bool) any { … },
//		widget.Range("points", 1, 500), widget.Range("scale", 0, 2))
//
// The type of a parameter decides which control it gets: a slider for whole numbers (0 to
// 100) and floating-point numbers (0 to 1), a Checkbox for bool, a Text for string, a
// DatePicker for time.Time. The first option is for the first parameter, and so on. An
// option configures the control or is a control; nil stands for no option. A parameter
// that is a struct gets one control for each of its fields, with the field's name:
//
//	func(p struct {
//		Points int    `range:"1,500" start:"20"`
//		Scale  string `options:"linear,log"`
//	}) any
//
// If the first parameter of f is a context.Context, it has no option. A change of a
// control while f runs cancels the context, and the result of that call is not shown. f
// returns nothing, a value, an error, or a value and an error. There may be more options
// than parameters. The additional options must be controls, such as a Button; a change of
// one of them also calls f.
//
// Interact fails if a parameter's type has no control, or if an option does not suit its
// parameter.
func Interact(f any, options ...Option) error {
	c, err := newCall(f, options)
	if err != nil {
		return fmt.Errorf("widget: Interact failed: %w", err)
	}
	l := newLive(nil, c.inputs)
	// notify cancels the running call, whose values are outdated.
	notify := func() {
		c.cancel()
		l.all.notify()
	}
	l.f = c.run
	l.stale = c.stale
	for _, in := range c.inputs {
		in.notifier().add(notify)
	}
	return l.begin()
}

// A call is the function of an Interact with its controls.
type call struct {
	f           reflect.Value
	takesCtx    bool
	args        []func() reflect.Value
	inputs      []Input
	returnsErr  bool
	returnValue bool

	mu       sync.Mutex         // guards the fields below
	stop     context.CancelFunc // cancels the context of the running or last call
	outdated bool               // a value has changed since the running or last call began
}

func newCall(f any, options []Option) (*call, error) {
	v := reflect.ValueOf(f)
	if !v.IsValid() || v.Kind() != reflect.Func || v.IsNil() {
		return nil, fmt.Errorf("the first argument of Interact must be a function that is not nil; this argument has the type %T", f)
	}
	t := v.Type()
	if t.IsVariadic() {
		return nil, fmt.Errorf("the function (%s) is variadic, and Interact needs a fixed number of parameters", t)
	}
	c := &call{f: v}
	if err := c.results(t); err != nil {
		return nil, err
	}
	first := 0
	if t.NumIn() > 0 && t.In(0) == reflect.TypeFor[context.Context]() {
		c.takesCtx, first = true, 1
	}
	for i := first; i < t.NumIn(); i++ {
		var option Option
		if n := i - first; n < len(options) {
			option = options[n]
		}
		if err := c.parameter(t.In(i), i+1, option); err != nil {
			return nil, err
		}
	}
	return c, c.triggers(options[min(len(options), t.NumIn()-first):])
}

// results checks the results of the function's type.
func (c *call) results(t reflect.Type) error {
	errType := reflect.TypeFor[error]()
	n := t.NumOut()
	if n > 0 && t.Out(n-1) == errType {
		c.returnsErr = true
		n--
	}
	c.returnValue = n == 1
	if n > 1 {
		return fmt.Errorf("the function (%s) returns several values, and Interact shows only one: return one value, or one value and an error", t)
	}
	return nil
}

// parameter makes the controls of one parameter.
func (c *call) parameter(t reflect.Type, number int, option Option) error {
	if t.Kind() == reflect.Struct && option == nil && t != timeType {
		return c.fields(t, number)
	}
	p := parameter{typ: t, name: fmt.Sprintf("%s %d", t, number)}
	if in, ok := option.(source); ok {
		p.input = in
		if err := p.useOwn(in); err != nil {
			return fmt.Errorf("parameter %d (%s) gets no control: %w", number, t, err)
		}
	} else if option != nil {
		if err := option.configure(&p); err != nil {
			return fmt.Errorf("parameter %d (%s) gets no control: %w", number, t, err)
		}
	}
	if err := p.open(); err != nil {
		return fmt.Errorf("parameter %d (%s) gets no control: %w", number, t, err)
	}
	c.inputs = append(c.inputs, p.input)
	c.args = append(c.args, p.value)
	return nil
}

// fields makes a control for each field of a struct.
func (c *call) fields(t reflect.Type, number int) error {
	var values []func() reflect.Value
	for i := range t.NumField() {
		field := t.Field(i)
		if !field.IsExported() {
			return fmt.Errorf("parameter %d gets no controls: the field %s of its type %s is not exported, so Interact cannot set the field", number, field.Name, t)
		}
		p := parameter{typ: field.Type, name: field.Name}
		err := p.tags(field.Tag)
		if err == nil {
			err = p.open()
		}
		if err != nil {
			return fmt.Errorf("the field %s (%s) of parameter %d gets no control: %w", field.Name, field.Type, number, err)
		}
		c.inputs = append(c.inputs, p.input)
		values = append(values, p.value)
	}
	c.args = append(c.args, func() reflect.Value {
		v := reflect.New(t).Elem()
		for i, value := range values {
			v.Field(i).Set(value())
		}
		return v
	})
	return nil
}

// triggers adds the options after the options of the parameters. They are inputs that only
// trigger calls.
func (c *call) triggers(options []Option) error {
	for _, o := range options {
		in, ok := o.(Input)
		if !ok {
			return fmt.Errorf("there are more options than parameters, and the option of type %T is not a control", o)
		}
		c.inputs = append(c.inputs, in)
	}
	return nil
}

// run calls the function with the current values and returns its value or error.
func (c *call) run() any {
	var args []reflect.Value
	if c.takesCtx {
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		c.mu.Lock()
		c.stop, c.outdated = stop, false
		c.mu.Unlock()
		args = append(args, reflect.ValueOf(ctx))
	}
	for _, value := range c.args {
		args = append(args, value())
	}
	results := c.f.Call(args)
	if c.returnsErr {
		if err, _ := results[len(results)-1].Interface().(error); err != nil {
			return err
		}
	}
	if c.returnValue {
		return results[0].Interface()
	}
	return nil
}

// cancel cancels the context of the running call, if it has one.
func (c *call) cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop != nil {
		c.stop()
		c.outdated = true
	}
}

// stale reports whether the context of the last call was canceled.
func (c *call) stale() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outdated
}
