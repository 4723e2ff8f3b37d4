package widget

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A Dropdown chooses one of several options from a menu.
type Dropdown[T comparable] struct{ selection[T] }

// NewDropdown returns a menu of the options, formatted by fmt.Sprint. Its value is the
// first option, or the zero value if there are none.
func NewDropdown[T comparable](description string, options ...T) *Dropdown[T] {
	d := &Dropdown[T]{}
	d.choose("Dropdown", "DescriptionStyle", description, options, nil)
	return d
}

// RadioButtons choose one of several options, all of which are shown.
type RadioButtons[T comparable] struct{ selection[T] }

// NewRadioButtons returns a button for each option. The options and the value are like
// those of [NewDropdown].
func NewRadioButtons[T comparable](description string, options ...T) *RadioButtons[T] {
	r := &RadioButtons[T]{}
	r.choose("RadioButtons", "DescriptionStyle", description, options, map[string]any{"orientation": "vertical"})
	return r
}

// ToggleButtons choose one of several options, which are shown beside each other.
type ToggleButtons[T comparable] struct{ selection[T] }

// NewToggleButtons returns a button for each option. The options and the value are like
// those of [NewDropdown].
func NewToggleButtons[T comparable](description string, options ...T) *ToggleButtons[T] {
	b := &ToggleButtons[T]{}
	b.choose("ToggleButtons", "ToggleButtonsStyle", description, options,
		map[string]any{"button_style": "", "icons": []string{}, "tooltips": []string{}})
	return b
}

// A selection is a control whose value is one of its options.
type selection[T comparable] struct{ Control[T] }

func (s *selection[T]) choose(widget, style, description string, options []T, state map[string]any) {
	options = slices.Clone(options)
	var first T
	if len(options) > 0 {
		first = options[0]
	}
	s.key = "index"
	s.check = func(v T) error { return notAmong(v, options) }
	s.encode = func(v T) any {
		if i := slices.Index(options, v); i >= 0 {
			return i
		}
		return nil
	}
	s.decode = func(raw json.RawMessage) (v T, ok bool) {
		i, ok := fromJSON[int](raw)
		if !ok || i < 0 || i >= len(options) {
			return v, false
		}
		return options[i], true
	}
	full := map[string]any{"_options_labels": labels(options)}
	for k, v := range state {
		full[k] = v
	}
	s.open(widget, style, description, first, full)
}

// A SelectMultiple chooses any number of options.
type SelectMultiple[T comparable] struct{ Control[[]T] }

// NewSelectMultiple returns a list of the options, formatted by fmt.Sprint. At first no
// option is chosen. The user's choice is in the order of the options.
func NewSelectMultiple[T comparable](description string, options ...T) *SelectMultiple[T] {
	options = slices.Clone(options)
	s := &SelectMultiple[T]{}
	s.key, s.equal = "index", slices.Equal[[]T]
	s.check = func(chosen []T) error {
		for _, v := range chosen {
			if err := notAmong(v, options); err != nil {
				return err
			}
		}
		return nil
	}
	s.encode = func(chosen []T) any { return indexes(chosen, options) }
	s.decode = func(raw json.RawMessage) ([]T, bool) {
		list, ok := fromJSON[[]int](raw)
		chosen := make([]T, 0, len(list))
		slices.Sort(list)
		for _, i := range list {
			if i < 0 || i >= len(options) {
				return nil, false
			}
			chosen = append(chosen, options[i])
		}
		return chosen, ok
	}
	s.open("SelectMultiple", "DescriptionStyle", description, nil, map[string]any{
		"_options_labels": labels(options), "rows": min(max(len(options), 2), 8),
	})
	return s
}

// Value returns the chosen options, in a new slice.
func (s *SelectMultiple[T]) Value() []T { return slices.Clone(s.Control.Value()) }

// SetValue chooses options. If the list does not have all of them, SetValue fails and
// changes nothing.
func (s *SelectMultiple[T]) SetValue(chosen []T) error {
	return s.Control.SetValue(slices.Clone(chosen))
}

// notAmong returns an error if v is not one of the options.
func notAmong[T comparable](v T, options []T) error {
	if slices.Contains(options, v) {
		return nil
	}
	if len(options) == 0 {
		return fmt.Errorf("the value %v cannot be chosen: the control has no options", v)
	}
	return fmt.Errorf("the value %v is not one of the control's options: %s", v, strings.Join(labels(options), ", "))
}

func labels[T any](options []T) []string {
	all := make([]string, len(options))
	for i, o := range options {
		all[i] = fmt.Sprint(o)
	}
	return all
}

func indexes[T comparable](chosen, options []T) []int {
	all := []int{}
	for i, o := range options {
		if slices.Contains(chosen, o) {
			all = append(all, i)
		}
	}
	return all
}
