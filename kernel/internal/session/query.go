package session

import (
	"context"
	"fmt"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program/query"
)

// IsComplete tells consoles whether code can be run as it is.
func (s *Session) IsComplete(code string) output.Completeness {
	if _, _, ok := askedFor(code); ok {
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
