package widget

import "github.com/perijove/perijove/lib/display"

// Interact shows the inputs and, below them, what f returns, as display.Show
// does; nil shows nothing. It calls f before it returns, and whenever an input
// has changed. The error is that the inputs or f's first result cannot be shown.
func Interact(f func() any, inputs ...Input) error {
	children := make([]Widget, len(inputs))
	for i, in := range inputs {
		children[i] = in
	}
	if len(children) > 0 {
		if err := display.Show(NewVBox(children...)); err != nil {
			return err
		}
	}
	var h display.Handle
	all := &notifier{}
	all.add(func() {
		if v := f(); v != nil {
			_ = h.Show(v) // an error of the display shows at the first call, below
		}
	})
	for _, in := range inputs {
		in.notifier().add(all.notify)
	}
	if v := f(); v != nil {
		return h.Show(v)
	}
	return nil
}
