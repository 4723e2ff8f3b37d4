package session

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program/query"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// IsComplete tells consoles whether code can be run as it is.
func (s *Session) IsComplete(code string) output.Completeness {
	if _, _, ok := parseHelp(code); ok {
		return output.Completeness{Status: string(cell.Complete)}
	}
	status, indent := cell.IsComplete(code)
	return output.Completeness{Status: string(status), Indent: indent}
}

// Complete lists what can stand at the cursor.
func (s *Session) Complete(_ context.Context, code string, cursor int) (output.Completion, error) {
	if line := code[strings.LastIndexByte(code[:cursor], '\n')+1 : cursor]; strings.HasPrefix(line, "%") && !cell.Measures(line) {
		return completeDirective(line, cursor), nil
	}
	list, start, end := query.Complete(s.program.Load(), code, cursor)
	out := output.Completion{Start: start, End: end}
	for _, c := range list {
		out.Matches = append(out.Matches, output.Match{Text: c.Name, Type: c.Kind, Signature: c.Signature})
	}
	return out, nil
}

// completeDirective lists the directives that begin with line.
func completeDirective(line string, cursor int) output.Completion {
	out := output.Completion{Start: cursor - len(line), End: cursor}
	for _, d := range directives() {
		for _, name := range d.names {
			if strings.HasPrefix(name, line) {
				out.Matches = append(out.Matches, output.Match{Text: name, Type: "keyword", Signature: d.args})
			}
		}
	}
	return out
}

// Inspect describes the name at the cursor. From detail 1 on it shows the source
// of what the notebook declares.
func (s *Session) Inspect(_ context.Context, code string, cursor, detail int) (output.Inspection, error) {
	d, ok := query.Describe(s.program.Load(), code, cursor)
	if !ok {
		return output.Inspection{}, nil
	}
	text, md := d.Text, goBlock(d.Text)
	if d.Doc != "" {
		text += "\n\n" + d.Doc
		md += "\n\n" + d.Doc
	}
	if detail > 0 && d.Source != "" {
		text += fmt.Sprintf("\n\nFrom cell %d:\n\n%s", d.Cell, d.Source)
		md += fmt.Sprintf("\n\nFrom cell %d:\n\n%s", d.Cell, goBlock(d.Source))
	}
	return output.Inspection{Found: true, Data: output.Bundle{"text/plain": text, "text/markdown": md}}, nil
}

// goBlock is Markdown for Go code. The blank at its end is for JupyterLab, which loses a last character that it does
// not colour, such as a closing parenthesis (4.0, EditorLanguageRegistry.highlight).
func goBlock(code string) string { return "```go\n" + code + " \n```" }

// helpLine is a cell that asks what a name is, as users of other kernels write
// it: "name?" or "?name", with two marks for the source.
var helpLine = regexp.MustCompile(`^(\?{0,2})\s*([%!]*[\pL_][\pL\pN_.]*|[%!][%!*]*)\s*(\?{0,2})$`)

// parseHelp returns the name that a cell asks about, and whether for its source.
func parseHelp(code string) (name string, source, ok bool) {
	m := helpLine.FindStringSubmatch(strings.TrimSpace(code))
	if m == nil || (m[1] == "") == (m[3] == "") {
		return "", false, false
	}
	return m[2], len(m[1]+m[3]) == 2, true
}

// help is the text for the front end's pager on a name.
func (s *Session) help(ctx context.Context, name string, source bool) (output.Bundle, *output.Error) {
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
		return nil, traceback.New("HelpError", err.Error())
	}
	if !found.Found {
		return nil, traceback.New("HelpError", fmt.Sprintf("nothing is known of %s: it is neither declared in this notebook nor exported by a package that can be imported by its name", name))
	}
	return found.Data, nil
}
