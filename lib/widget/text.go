package widget

// A Text is a line of text. Its value changes when the user presses Enter or
// leaves the field.
type Text struct{ Control[string] }

// NewText returns a text field that holds value.
func NewText(description, value string) *Text {
	t := &Text{}
	t.open("Text", "TextStyle", description, value, textState())
	return t
}

// A Textarea is a text of several lines. Its value changes when the user leaves
// the field.
type Textarea struct{ Control[string] }

// NewTextarea returns a text field that holds value and shows the given number of rows.
func NewTextarea(description, value string, rows int) *Textarea {
	t := &Textarea{}
	state := textState()
	state["rows"] = max(rows, 1)
	t.open("Textarea", "TextStyle", description, value, state)
	return t
}

func textState() map[string]any { return map[string]any{"continuous_update": false, "placeholder": ""} }

// An IntText is a field for a whole number. Its value changes when the user
// presses Enter or leaves the field.
type IntText struct{ Control[int] }

// NewIntText returns a field that holds value.
func NewIntText(description string, value int) *IntText {
	t := &IntText{}
	t.open("IntText", "DescriptionStyle", description, value, map[string]any{"continuous_update": false, "step": 1})
	return t
}

// A FloatText is a field for a number. Its value changes when the user presses
// Enter or leaves the field.
type FloatText struct{ Control[float64] }

// NewFloatText returns a field that holds value.
func NewFloatText(description string, value float64) *FloatText {
	t := &FloatText{}
	t.check = finite
	t.open("FloatText", "DescriptionStyle", description, value, map[string]any{"continuous_update": false, "step": nil})
	return t
}
