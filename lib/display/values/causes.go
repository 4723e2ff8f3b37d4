package values

import (
	"fmt"
	"go/token"
	"reflect"
	"strings"
)

// maxCauses is the maximum number of wrapped errors that Causes lists.
const maxCauses = 20

// Causes lists the errors that err wraps, directly or through others, with one line for each that also has its type.
// It leaves out errors whose types are unexported and not in package main, since a cell cannot name these types. The
// function text must return the text of an error.
func Causes(err error, text func(error) string) []string {
	var lines []string
	seen := 0
	var walk func(err error, indent string)
	walk = func(err error, indent string) {
		for _, wrapped := range unwrap(err) {
			if wrapped == nil {
				continue
			}
			if seen++; seen > maxCauses {
				return
			}
			next := indent
			if isTelling(wrapped) {
				lines = append(lines, indent+"wraps "+strings.ReplaceAll(fmt.Sprintf("%T", wrapped), "interface {}", "any")+": "+text(wrapped))
				next += "  "
			}
			walk(wrapped, next)
		}
	}
	walk(err, "  ")
	return lines
}

// isTelling reports whether the name of an error's type is useful to the user. The name is
// useful if the type is exported, since errors.As can then find it, or if the program
// declares it.
func isTelling(err error) bool {
	t := reflect.TypeOf(err)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == "main" || token.IsExported(t.Name())
}

// unwrap returns the errors that an error wraps.
func unwrap(err error) (list []error) {
	defer func() {
		if recover() != nil {
			list = nil
		}
	}()
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		if w := err.Unwrap(); w != nil {
			return []error{w}
		}
	case interface{ Unwrap() []error }:
		return err.Unwrap()
	}
	return nil
}
