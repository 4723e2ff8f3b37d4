package widget

import (
	"errors"
	"fmt"
)

// A Widget can be shown: by display.Show, as a cell's last expression, in a
// [VBox] or [HBox], or by [Interact].
type Widget interface {
	// MIMEBundle returns the widget's forms by MIME type, as package display
	// describes them.
	MIMEBundle() map[string]any

	model() *model
}

// An Input is a widget that the user can change or press: a control with a
// value or a [Button].
type Input interface {
	Widget
	Option
	notifier() *notifier
}

// describe returns the text form of a widget with a value.
func describe(kind, description string, v any) string {
	if description == "" {
		return fmt.Sprintf("%s: %v", kind, v)
	}
	return fmt.Sprintf("%s: %v", description, v)
}

// Close removes a widget, and what it contains, from all pages and from the state
// that pages ask for. Controls keep their values. A widget that is shown many times
// again, as by a cell that runs again and again, is worth closing before.
func Close(w Widget) error {
	errs := []error{w.model().close()}
	if c, ok := w.(interface{ contents() []Widget }); ok {
		for _, child := range c.contents() {
			errs = append(errs, Close(child))
		}
	}
	return errors.Join(errs...)
}
