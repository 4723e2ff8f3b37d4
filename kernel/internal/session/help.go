package session

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/perijove/perijove/kernel/internal/output"
)

// helpLine is a cell that asks what a name is, as users of other kernels write
// it: "name?" or "?name", with two marks for the source.
var helpLine = regexp.MustCompile(`^(\?{0,2})\s*([%!]*[\pL_][\pL\pN_.]*|[%!][%!*]*)\s*(\?{0,2})$`)

// askedFor returns the name that a cell asks about, and whether for its source.
func askedFor(code string) (name string, source, ok bool) {
	m := helpLine.FindStringSubmatch(strings.TrimSpace(code))
	if m == nil || (m[1] == "") == (m[3] == "") {
		return "", false, false
	}
	return m[2], len(m[1]+m[3]) == 2, true
}

// explain is the text for the front end's pager on a name.
func (s *Session) explain(ctx context.Context, name string, source bool) (output.Bundle, *output.Error) {
	for _, d := range directives() {
		for _, known := range d.names {
			if known == name {
				text := strings.TrimSpace(strings.Join(d.names, ", ")+" "+d.args) + "\n\n" + d.help
				return output.Bundle{"text/plain": text}, nil
			}
		}
	}
	detail := 0
	if source {
		detail = 1
	}
	found, err := s.Inspect(ctx, name, len(name), detail)
	if err != nil {
		return nil, failure("HelpError", err.Error())
	}
	if !found.Found {
		return nil, failure("HelpError", fmt.Sprintf("nothing is known of %s: it is neither declared in this notebook nor exported by a package that can be imported by its name", name))
	}
	return found.Data, nil
}

// goBlock is Markdown for Go code. The blank at its end is for JupyterLab, which loses a last character that it does
// not colour, such as a closing parenthesis (4.0, EditorLanguageRegistry.highlight).
func goBlock(code string) string { return "```go\n" + code + " \n```" }
