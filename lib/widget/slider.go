package widget

import (
	"encoding/json"
	"fmt"
	"math"
)

// An IntSlider chooses a whole number from a range.
type IntSlider struct{ Control[int] }

// NewIntSlider returns a slider from low to high. A value outside of this range is
// replaced by the nearer end.
func NewIntSlider(description string, low, high, value int) *IntSlider {
	high = max(low, high)
	s := &IntSlider{}
	s.check = within(low, high)
	s.open("IntSlider", "SliderStyle", description, min(max(value, low), high), sliderState(low, high, 1, "d"))
	return s
}

// A FloatSlider chooses a number from a range, in steps.
type FloatSlider struct{ Control[float64] }

// NewFloatSlider returns a slider from low to high that moves by step. A value outside
// of this range is replaced by the nearer end.
func NewFloatSlider(description string, low, high, step, value float64) *FloatSlider {
	high = max(low, high)
	s := &FloatSlider{}
	s.check = within(low, high)
	s.open("FloatSlider", "SliderStyle", description, min(max(value, low), high), sliderState(low, high, step, "~g"))
	return s
}

// An IntRangeSlider chooses a range of whole numbers. Its value holds the lowest and
// the highest number.
type IntRangeSlider struct{ Control[[2]int] }

// NewIntRangeSlider returns a slider from low to high with two handles, at from and to.
// A handle outside of the range moves to the nearer end. If to is below from, it moves to
// from.
func NewIntRangeSlider(description string, low, high, from, to int) *IntRangeSlider {
	high = max(low, high)
	s := &IntRangeSlider{}
	s.decode, s.check = decodePair[int], ordered(within(low, high))
	from = min(max(from, low), high)
	s.open("IntRangeSlider", "SliderStyle", description, [2]int{from, min(max(to, from), high)}, sliderState(low, high, 1, "d"))
	return s
}

// A FloatRangeSlider chooses a range of numbers. Its value holds the lowest and the
// highest number.
type FloatRangeSlider struct{ Control[[2]float64] }

// NewFloatRangeSlider returns a slider from low to high with two handles, at from and
// to, that move by step. A handle outside of the range moves to the nearer end. If to is
// below from, it moves to from.
func NewFloatRangeSlider(description string, low, high, step, from, to float64) *FloatRangeSlider {
	high = max(low, high)
	s := &FloatRangeSlider{}
	s.decode, s.check = decodePair[float64], ordered(within(low, high))
	from = min(max(from, low), high)
	s.open("FloatRangeSlider", "SliderStyle", description, [2]float64{from, min(max(to, from), high)}, sliderState(low, high, step, "~g"))
	return s
}

// decodePair decodes a list of exactly two numbers.
func decodePair[T any](raw json.RawMessage) (pair [2]T, ok bool) {
	list, ok := fromJSON[[]T](raw)
	if !ok || len(list) != 2 {
		return pair, false
	}
	return [2]T(list), true
}

// within returns a check that a value is between low and high.
func within[T int | float64](low, high T) func(T) error {
	return func(v T) error {
		if v < low || v > high || math.IsNaN(float64(v)) {
			return fmt.Errorf("the value %v is not between the control's limits %v and %v", v, low, high)
		}
		return nil
	}
}

// ordered returns a check of both ends of a range, and of their order.
func ordered[T int | float64](check func(T) error) func([2]T) error {
	return func(v [2]T) error {
		for _, end := range v {
			if err := check(end); err != nil {
				return err
			}
		}
		if v[0] > v[1] {
			return fmt.Errorf("the range begins at %v, which is above its end %v: pass the smaller number first", v[0], v[1])
		}
		return nil
	}
}

// sliderState returns the part of the state that all sliders have. format is the format
// of the number beside the slider, in the notation of d3-format.
func sliderState[T any](low, high, step T, format string) map[string]any {
	return map[string]any{
		"min": low, "max": high, "step": step, "orientation": "horizontal", "readout": true, "readout_format": format,
		"continuous_update": true, "behavior": "drag-tap",
	}
}

// finite checks that v is a number that JSON can represent.
func finite(v float64) error { return within(-math.MaxFloat64, math.MaxFloat64)(v) }
