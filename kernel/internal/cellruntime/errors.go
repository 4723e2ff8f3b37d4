package cellruntime

import (
	"errors"
	"html"
	"regexp"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/lib/display"
	"github.com/perijove/perijove/lib/display/displayhost"
	"github.com/perijove/perijove/lib/display/values"
	"github.com/perijove/perijove/lib/mp"
)

// ErrorMetadata is a key in the metadata of a result that is an error. Its value is the error's
// text.
const ErrorMetadata = "perijove_error"

// isError reports whether v is an error without a rich display.
func isError(v any) (error, bool) {
	err, ok := v.(error)
	if !ok || v == nil {
		return nil, false
	}
	return err, !display.HasForm(v) // or the type defines how its values are displayed
}

// errorResult returns the display of an error: its text, the errors that it wraps, and, if it
// reports a panic in a child process, the calls of the panic.
func errorResult(err error) displayhost.Message {
	own := PanicText(err)
	text := errorText(err, own)
	return displayhost.Message{
		Kind:     displayhost.KindShow,
		Data:     display.Bundle{"text/plain": text, "text/html": errorHTML(text)},
		Metadata: map[string]any{ErrorMetadata: own},
	}
}

func errorHTML(text string) string {
	return `<pre style="color:var(--jp-error-color1,#c62828)">` + html.EscapeString(text) + "</pre>"
}

// errorText returns an error's own text, the calls of a panic that it reports, and the errors that it wraps.
func errorText(err error, own string) string {
	lines := []string{own}
	for _, f := range ChildFrames(err) {
		lines = append(lines, f.String())
	}
	return strings.Join(append(lines, values.Causes(err, func(err error) string { return PanicText(err) })...), "\n")
}

// Calls returns the calls that the display of a cell's values lists: the results of ChildFrames for the errors among
// the values.
func Calls(values ...any) (list []control.Frame) {
	for _, v := range values {
		if err, ok := isError(v); ok {
			list = append(list, ChildFrames(err)...)
		}
	}
	return list
}

// childPanic returns the panic in a child process that an error reports, or nil.
func childPanic(v any) *mp.PanicError {
	err, ok := v.(error)
	if !ok {
		return nil
	}
	var p *mp.PanicError
	if !errors.As(err, &p) {
		return nil
	}
	return p
}

// withoutStack returns the text of an error. It removes the stack of a panic in a child
// process if ChildFrames returns the calls.
func withoutStack(v any, text string) string {
	p := childPanic(v)
	if p == nil || len(ChildFrames(v)) == 0 {
		return text
	}
	return strings.Replace(text, "\n\n"+p.Stack, "", 1)
}

// stackLine matches a line of the runtime's stack traces with the position of a call in a
// cell.
var stackLine = regexp.MustCompile(`^\t(?:.*/)?(Cell \[\d+\]):(\d+)(?: \+0x[0-9a-f]+)?$`)

// ChildFrames returns the calls in cells of a panic in a child process, if v is an error that
// reports such a panic.
func ChildFrames(v any) (list []control.Frame) {
	defer func() {
		if recover() != nil { // a method of the error has panicked
			list = nil
		}
	}()
	p := childPanic(v)
	if p == nil {
		return nil
	}
	call := ""
	for line := range strings.Lines(p.Stack) {
		line = strings.TrimSuffix(line, "\n")
		if m := stackLine.FindStringSubmatch(line); m != nil {
			n, _ := strconv.Atoi(m[2])
			if i := strings.LastIndexByte(call, '('); i > 0 {
				call = call[:i]
			}
			list = append(list, control.Frame{Func: mangle.Demangle(strings.TrimPrefix(call, "main.")), File: m[1], Line: n})
		}
		call = line
	}
	return list
}
