package display

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/perijove/perijove/lib/display/values"
)

// Values shows values as a cell shows the values of its last line: one value in its richest form, several values as
// text, one below the other. It leaves out a nil that follows other values, since such a nil is usually the error
// result of a call. An error is shown with the errors that it wraps.
func Values(list ...any) error {
	if n := len(list); n > 1 && list[n-1] == nil {
		list = list[:n-1]
	}
	if len(list) == 1 {
		if _, ok := plainError(list[0]); !ok {
			return Show(list[0])
		}
	}
	var text []string
	for _, v := range list {
		if err, ok := plainError(v); ok {
			causes := values.Causes(err, error.Error)
			text = append(text, strings.Join(append([]string{err.Error()}, causes...), "\n"))
			continue
		}
		text = append(text, Text(v))
	}
	return show(Bundle{"text/plain": strings.Join(text, "\n")}, nil)
}

// Rune shows a character: its number and its Go literal.
func Rune(r rune) error {
	if !strconv.IsPrint(r) {
		return Show(r)
	}
	return show(Bundle{"text/plain": fmt.Sprintf("%d %q", r, r)}, nil)
}

// plainError returns v as an error if its only form is its text.
func plainError(v any) (error, bool) {
	err, ok := v.(error)
	if !ok {
		return nil, false
	}
	for mime := range Render(v).Data {
		if mime != "text/plain" {
			return nil, false
		}
	}
	return err, true
}
