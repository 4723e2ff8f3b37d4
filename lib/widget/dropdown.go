package widget

import (
	"encoding/json"
	"fmt"
	"slices"
)

// A Dropdown chooses one of several options.
type Dropdown[T comparable] struct{ Control[T] }

// NewDropdown returns a menu of the options, which are shown as fmt.Sprint
// formats them. Its value is the first one; without options, the zero value.
func NewDropdown[T comparable](description string, options ...T) *Dropdown[T] {
	labels := make([]string, len(options))
	for i, o := range options {
		labels[i] = fmt.Sprint(o)
	}
	var first T
	if len(options) > 0 {
		first = options[0]
	}
	d := &Dropdown[T]{}
	d.key = "index"
	d.encode = func(v T) any {
		if i := slices.Index(options, v); i >= 0 {
			return i
		}
		return nil
	}
	d.decode = func(raw json.RawMessage) (v T, ok bool) {
		i, ok := fromJSON[int](raw)
		if !ok || i < 0 || i >= len(options) {
			return v, false
		}
		return options[i], true
	}
	d.open("Dropdown", "DescriptionStyle", description, first, map[string]any{"_options_labels": labels})
	return d
}
