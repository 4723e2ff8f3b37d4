package widget

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
)

// A Valued is a control whose value has the type T.
type Valued[T any] interface {
	Input
	Value() T
	SetValue(T) error
	OnChange(func(T))
}

// Link keeps the values of two controls equal. This program passes the values on: a
// change of one control sets the other, in Go and in the page. First, Link sets b to the
// value of a. If b does not allow that value, Link fails and links nothing. Later, a
// value that the other control does not allow is not passed on. See [JSLink].
func Link[T any](a, b Valued[T]) error {
	if a.model() == b.model() {
		return errors.New("widget: cannot link a control with itself: pass two different controls")
	}
	if err := b.SetValue(a.Value()); err != nil {
		return fmt.Errorf("widget: cannot link the controls: %w", err)
	}
	var mu sync.Mutex
	last := a.Value() // the value passed on last, which the notification of the other control must not send back
	follow := func(from, to Valued[T]) {
		from.OnChange(func(v T) {
			mu.Lock()
			defer mu.Unlock()
			if !reflect.DeepEqual(v, last) && to.SetValue(v) == nil {
				last = v
			}
		})
	}
	follow(a, b)
	follow(b, a)
	return nil
}

// JSLink keeps the values of two controls equal. The page passes the values on, without a
// delay, and then sends them to this program. First, the page sets b to the value of a.
// JSLink fails if the page stores the two values in different forms, such as for a menu
// and a slider.
func JSLink(a, b Input) error {
	from, ok := a.(valued)
	to, ok2 := b.(valued)
	switch {
	case !ok || !ok2:
		return errors.New("widget: cannot link a Button: it has no value")
	case a.model() == b.model():
		return errors.New("widget: cannot link a control with itself: pass two different controls")
	case from.valueKey() != to.valueKey():
		return fmt.Errorf("widget: JSLink cannot link a %T and a %T: the page stores the value of one and the index of an option of the other; use Link", a, b)
	case fmt.Sprintf("%T", from.anyValue()) != fmt.Sprintf("%T", to.anyValue()):
		return fmt.Errorf("widget: cannot link a %T and a %T: their values have different types, %T and %T", a, b, from.anyValue(), to.anyValue())
	}
	link := func(w Input, v valued) []string { return []string{w.model().reference(), v.valueKey()} }
	newModel(controls, "Link", map[string]any{
		"source": link(a, from), "target": link(b, to), "_view_name": nil, "_view_module": controls,
	}, nil)
	return nil
}

// valued is any Control.
type valued interface {
	valueKey() string
	anyValue() any
}
