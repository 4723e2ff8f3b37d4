package widget

import (
	"errors"
	"fmt"
)

// A Widget is an element of a notebook's page. It is shown by display.Show, by a cell whose
// last expression it is, by a [VBox] or [HBox] that contains it, and by [Interact].
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

// Close removes a widget and its children from all pages and from the state that the
// kernel keeps. Controls keep their values. A cell that runs many times should close
// its old widgets before it makes new ones.
func Close(w Widget) error {
	errs := []error{w.model().close()}
	if c, ok := w.(interface{ contents() []Widget }); ok {
		for _, child := range c.contents() {
			errs = append(errs, Close(child))
		}
	}
	return errors.Join(errs...)
}
