package widget

// An HTML shows a fragment of HTML.
type HTML struct{ stringView }

// NewHTML returns a widget that shows markup.
func NewHTML(markup string) *HTML { return &HTML{newStringView("HTML", markup)} }

// A Label shows text. As in a Label of ipywidgets, text between dollar signs is a
// formula.
type Label struct{ stringView }

// NewLabel returns a widget that shows text unchanged: "<" begins no markup.
func NewLabel(text string) *Label { return &Label{newStringView("Label", text)} }

// A stringView shows a string that the user cannot change.
type stringView struct {
	value string
	m     *model
}

func newStringView(name, value string) stringView {
	state := controlState("", name+"Style")
	state["value"] = value
	return stringView{value, newModel(controls, name, state, nil)}
}

// SetValue replaces the text. It must not be called concurrently with other methods.
func (s *stringView) SetValue(value string) {
	s.value = value
	_ = s.m.set("value", value, true)
}

// MIMEBundle returns the widget's forms by MIME type. The text form is the value.
func (s *stringView) MIMEBundle() map[string]any { return s.m.bundle(s.value) }

func (s *stringView) model() *model { return s.m }
