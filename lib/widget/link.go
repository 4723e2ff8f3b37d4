package widget

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
)

// Valued is a control whose value is a T.
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
		return errors.New("widget: a control cannot be linked with itself")
	}
	if err := b.SetValue(a.Value()); err != nil {
		return fmt.Errorf("cannot link the controls: %w", err)
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
		return errors.New("widget: a Button has no value to link")
	case a.model() == b.model():
		return errors.New("widget: a control cannot be linked with itself")
	case from.valueKey() != to.valueKey():
		return fmt.Errorf("widget: %T and %T cannot be linked in the page: the page stores a value for one and an index for the other; use Link", a, b)
	case fmt.Sprintf("%T", from.anyValue()) != fmt.Sprintf("%T", to.anyValue()):
		return fmt.Errorf("widget: %T and %T cannot be linked: their values have the types %T and %T", a, b, from.anyValue(), to.anyValue())
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
