package widget

// A Text is a line of text. Its value changes when the user presses Enter or
// leaves the field.
type Text struct{ Control[string] }

// NewText returns a text field that holds value.
func NewText(description, value string) *Text {
	t := &Text{}
	t.open("Text", "TextStyle", description, value, map[string]any{"continuous_update": false, "placeholder": ""})
	return t
}

// An IntText is a field for a whole number. Its value changes when the user
// presses Enter or leaves the field.
type IntText struct{ Control[int] }

// NewIntText returns a field that holds value.
func NewIntText(description string, value int) *IntText {
	t := &IntText{}
	t.open("IntText", "DescriptionStyle", description, value, map[string]any{"continuous_update": false, "step": 1})
	return t
}
