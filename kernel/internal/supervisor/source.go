package supervisor

import (
	"html"
	"strings"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// withSource adds source lines to the text forms of a value, below the calls that they name. The worker process, which
// writes the forms, does not know the source of cells.
func withSource(data output.Bundle, calls []control.Frame, style traceback.Style) output.Bundle {
	for _, form := range []struct {
		mime   string
		escape func(string) string
	}{{"text/plain", strings.Clone}, {"text/html", html.EscapeString}} {
		if text, ok := data[form.mime].(string); ok {
			data[form.mime] = addSource(text, calls, style, form.escape)
		}
	}
	return data
}

func addSource(text string, calls []control.Frame, style traceback.Style, escape func(string) string) string {
	var done strings.Builder
	for _, call := range calls {
		line := escape(call.String())
		before, after, found := strings.Cut(text, line)
		lines := style.Calls([]control.Frame{call})
		if !found || len(lines) < 2 {
			continue
		}
		done.WriteString(before + line + "\n" + escape(lines[1]))
		text = after
	}
	return done.String() + text
}
