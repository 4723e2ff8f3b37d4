package widget

// An IntSlider chooses a whole number from a range.
type IntSlider struct{ Control[int] }

// NewIntSlider returns a slider from low to high. A value outside of them is
// moved to the nearer one.
func NewIntSlider(description string, low, high, value int) *IntSlider {
	high = max(low, high)
	s := &IntSlider{}
	s.open("IntSlider", "SliderStyle", description, min(max(value, low), high), sliderState(low, high, 1, "d"))
	return s
}

// A FloatSlider chooses a number from a range, in steps.
type FloatSlider struct{ Control[float64] }

// NewFloatSlider returns a slider from low to high that moves by step. A value
// outside of them is moved to the nearer one.
func NewFloatSlider(description string, low, high, step, value float64) *FloatSlider {
	high = max(low, high)
	s := &FloatSlider{}
	s.open("FloatSlider", "SliderStyle", description, min(max(value, low), high), sliderState(low, high, step, "~g"))
	return s
}

// sliderState returns the part of the state that is common to sliders; format
// is that of the number beside the slider, in the notation of d3-format.
func sliderState[T any](low, high, step T, format string) map[string]any {
	return map[string]any{
		"min": low, "max": high, "step": step, "orientation": "horizontal", "readout": true, "readout_format": format,
		"continuous_update": true, "behavior": "drag-tap",
	}
}
