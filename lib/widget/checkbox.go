package widget

// A Checkbox is on or off.
type Checkbox struct{ Control[bool] }

// NewCheckbox returns a check box that is on if value is true.
func NewCheckbox(description string, value bool) *Checkbox {
	c := &Checkbox{}
	c.open("Checkbox", "CheckboxStyle", description, value, map[string]any{"indent": false})
	return c
}
