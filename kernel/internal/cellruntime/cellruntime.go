// Package cellruntime has the run-time support of cells that the worker process and standalone programs share. It
// renders values and panics, and applies a control.Setup.
package cellruntime

import (
	"errors"
	"fmt"
	"html"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/lib/display"
	"github.com/perijove/perijove/lib/display/displayhost"
)

// Result returns the display of the values of a cell's last expression. It omits a nil that follows other values,
// since such a nil is usually the error result of a call that succeeded.
func Result(values ...any) displayhost.Message {
	if n := len(values); n > 1 && values[n-1] == nil {
		values = values[:n-1]
	}
	if len(values) == 1 {
		if err, ok := isError(values[0]); ok {
			return errorResult(err)
		}
		return display.Render(values[0])
	}
	return severalResults(values)
}

// severalResults returns the display of several results of a call. If there is an error or a picture among them, it has a form in
// HTML, where errors are red; otherwise all values are shown as text.
func severalResults(values []any) displayhost.Message {
	m := displayhost.Message{Kind: displayhost.KindShow}
	var text []string
	var page strings.Builder
	hasPage := false
	for _, v := range values {
		if err, ok := isError(v); ok {
			own := PanicText(err)
			text = append(text, errorText(err, own))
			page.WriteString(errorHTML(text[len(text)-1]))
			m.Metadata = map[string]any{ErrorMetadata: own}
			hasPage = true
			continue
		}
		plain, form, isPicture := oneOfSeveral(v)
		text = append(text, plain)
		page.WriteString(form)
		hasPage = hasPage || isPicture
	}
	m.Data = display.Bundle{"text/plain": strings.Join(text, "\n")}
	if hasPage {
		m.Data["text/html"] = page.String()
	}
	return m
}

// oneOfSeveral returns the text and the HTML of a value, and whether the HTML has a picture.
func oneOfSeveral(v any) (text, form string, isPicture bool) {
	shown := display.Render(v)
	text, _ = shown.Data["text/plain"].(string)
	if data, ok := shown.Data["image/png"].(string); ok {
		size := ""
		if meta, ok := shown.Metadata["image/png"].(map[string]any); ok {
			size = fmt.Sprintf(` width="%v" height="%v"`, meta["width"], meta["height"])
		}
		return text, fmt.Sprintf(`<div><img alt="%s" src="data:image/png;base64,%s"%s></div>`, html.EscapeString(text), data, size), true
	}
	if form, ok := shown.Data["text/html"].(string); ok {
		return text, form, false
	}
	return text, "<pre>" + html.EscapeString(text) + "</pre>", false
}

// RuneResult returns the display of a value whose type is rune in the source: its number and
// its character.
func RuneResult(r rune) displayhost.Message {
	if !strconv.IsPrint(r) {
		return Result(r)
	}
	return Result(display.Bundle{"text/plain": fmt.Sprintf("%d %q", r, r)})
}

// PanicText returns the text of a panic's value as the runtime prints it. If the value is an error of another
// process, the text does not contain that process's stack.
func PanicText(v any) (s string) {
	defer func() {
		if r := recover(); r != nil {
			s = fmt.Sprintf("(%T) without a text: its Error or String method panicked", v)
		}
	}()
	switch v := v.(type) {
	case runtime.Error:
		return v.Error()
	case error:
		return withoutStack(v, v.Error())
	case fmt.Stringer:
		return v.String()
	case string:
		return v
	case bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, uintptr, float32, float64, complex64, complex128:
		return fmt.Sprintf("%T(%v)", v, v)
	}
	return fmt.Sprintf("(%T) %+v", v, v)
}

// MaxDepth is the maximum number of calls in a stack.
const MaxDepth = 200

// Frames lists the calls of the calling goroutine, innermost first. The list begins with the caller of Frames, or
// with a call that is skip levels further out. It ends before the first frame for which isLast is true.
func Frames(skip int, isLast func(runtime.Frame) bool) []control.Frame {
	pc := make([]uintptr, MaxDepth)
	n := runtime.Callers(skip+2, pc)
	var list []control.Frame
	for it := runtime.CallersFrames(pc[:n]); ; {
		f, more := it.Next()
		if isLast(f) {
			break
		}
		list = append(list, control.Frame{Func: f.Function, File: f.File, Line: f.Line, PC: f.PC})
		if !more {
			break
		}
	}
	return list
}

// ApplySetup changes the folder, environment and arguments of this process as m says.
func ApplySetup(m control.Setup) error {
	var errs []error
	if m.Dir != "" {
		errs = append(errs, os.Chdir(m.Dir))
	}
	for _, v := range m.Env {
		if name, value, ok := strings.Cut(v, "="); ok {
			errs = append(errs, os.Setenv(name, value))
		} else {
			errs = append(errs, os.Unsetenv(v))
		}
	}
	if m.Args != nil {
		os.Args = append(os.Args[:1:1], m.Args[1:]...)
	}
	return errors.Join(errs...)
}
