package widget

// A Button calls functions when the user presses it.
type Button struct {
	description string
	m           *model
	n           notifier
}

// NewButton returns a button. [Button.OnClick] sets its action.
func NewButton(description string) *Button {
	b := &Button{description: description}
	state := controlState(description, "ButtonStyle")
	state["button_style"], state["icon"] = "", ""
	b.m = newModel(controls, "Button", state, func(msg message) {
		if msg.Content.Event == "click" {
			b.n.notify()
		}
	})
	b.m.comm.SetHasHandler(b.n.hasFuncs)
	return b
}

// OnClick makes presses of the button call f. Presses while f runs count as one.
func (b *Button) OnClick(f func()) { b.n.add(f) }

// SetDisabled sets whether the button is disabled: if so, the user cannot press it.
func (b *Button) SetDisabled(disabled bool) { _ = b.m.set("disabled", disabled, true) }

// MIMEBundle returns the button's forms by MIME type. The text form is the description in
// brackets.
func (b *Button) MIMEBundle() map[string]any { return b.m.bundle("[" + b.description + "]") }

func (b *Button) model() *model       { return b.m }
func (b *Button) notifier() *notifier { return &b.n }
