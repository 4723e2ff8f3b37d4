package widget

import (
	"errors"
	"fmt"
)

// A Widget is an element of a notebook's page. A Widget appears if it is the last expression
// of a cell, or an argument of display.Show, or in a box such as [VBox]. [Interact] also shows
// widgets.
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

// Close removes a widget, and the widgets in it, from all pages and from the state that a
// reloaded page requests. Controls keep their values. A cell that runs many times should
// close its old widgets before it makes new widgets.
func Close(w Widget) error {
	errs := []error{w.model().close()}
	if c, ok := w.(interface{ contents() []Widget }); ok {
		for _, child := range c.contents() {
			errs = append(errs, Close(child))
		}
	}
	return errors.Join(errs...)
}
