package session

import (
	"context"
	"fmt"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program"
	"github.com/perijove/perijove/kernel/internal/program/query"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// IsComplete reports, for consoles, whether code is complete or needs more lines.
func (s *Session) IsComplete(code string) output.Completeness {
	if _, _, ok := cell.Question(code); ok {
		return output.Completeness{Status: string(cell.Complete)}
	}
	status, indent := cell.IsComplete(code)
	return output.Completeness{Status: string(status), Indent: indent}
}

// Complete lists the completions at the cursor, which is a byte offset into code. It may be called at any time.
func (s *Session) Complete(_ context.Context, code string, cursor int) (output.Completion, error) {
	if line := code[strings.LastIndexByte(code[:cursor], '\n')+1 : cursor]; strings.HasPrefix(line, "%") && !strings.ContainsAny(line, " \t") && !cell.Measures(line) {
		return completeDirective(line, cursor), nil
	}
	list, start, end := query.Complete(s.program.Load(), code, cursor)
	if from, ok := pathStart(code, cursor); ok && len(list) == 0 {
		return s.completePath(code[from:cursor], from), nil
	}
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

// Inspect describes the name at the cursor, which is a byte offset into code. If detail is at least 1 and the
// notebook declares the name, the text includes the source of the declaration. It may be called at any time.
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
	if len(d.Methods) > 0 {
		list := strings.Join(d.Methods, "\n")
		text += "\n\nmethods\n" + list
		md += "\n\n**methods**\n\n" + goBlock(list)
	}
	if detail > 0 && d.Source != "" {
		text += fmt.Sprintf("\n\nFrom cell %d:\n\n%s", d.Cell, d.Source)
		md += fmt.Sprintf("\n\nFrom cell %d:\n\n%s", d.Cell, goBlock(d.Source))
	}
	return output.Inspection{Found: true, Data: output.Bundle{"text/plain": text, "text/markdown": md}}, nil
}

// goBlock returns Markdown for Go code. The space at its end is for JupyterLab 4.0, which drops a last character that
// it does not colour, such as a closing parenthesis (EditorLanguageRegistry.highlight).
func goBlock(code string) string { return "```go\n" + code + " \n```" }

// help returns the text about a name for the front end's pager.
func (s *Session) help(ctx context.Context, name string, source bool) (output.Bundle, *output.Error) {
	if text, ok := directiveHelp(name); ok && (strings.HasPrefix(name, "%") || strings.HasPrefix(name, "!")) {
		return output.Bundle{"text/plain": text}, nil
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
		return nil, traceback.New("HelpError", fmt.Sprintf("%s is not known: it is neither declared in this notebook nor exported by a package that can be imported by its name", name))
	}
	s.addValue(ctx, name, found.Data)
	return found.Data, nil
}

// addValue adds a variable's value to the text about it.
func (s *Session) addValue(ctx context.Context, name string, data output.Bundle) {
	if !slices.ContainsFunc(s.program.Load().Variables(), func(v program.Variable) bool { return v.Name == name }) {
		return
	}
	value, ok := s.evaluate(ctx, name).Data["text/plain"].(string)
	if !ok {
		return
	}
	if text, ok := data["text/plain"].(string); ok {
		data["text/plain"] = text + "\n\nvalue\n" + value
	}
	if md, ok := data["text/markdown"].(string); ok {
		fence := "```"
		for strings.Contains(value, fence) {
			fence += "`"
		}
		data["text/markdown"] = md + "\n\n**value**\n\n" + fence + "text\n" + value + "\n" + fence
	}
}

// maxPaths is the maximum number of files that a completion lists.
const maxPaths = 500

// pathStart returns the offset at which the file path before a cursor begins. It returns false unless the cursor is in
// an argument of a shell command or directive, or in a string.
func pathStart(code string, cursor int) (int, bool) {
	line := code[strings.LastIndexByte(code[:cursor], '\n')+1 : cursor]
	if strings.HasPrefix(line, "!") || strings.HasPrefix(line, "%") && !cell.Measures(line) {
		i := strings.LastIndexAny(line, " \t\"'=")
		return cursor - len(line) + max(i, 0) + 1, i > 0 || strings.HasPrefix(line, "!")
	}
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(code))
	s.Init(file, []byte(code), func(token.Position, string) {}, 0)
	for {
		pos, tok, lit := s.Scan()
		off := file.Offset(pos)
		if tok == token.EOF || off >= cursor {
			return 0, false
		}
		if tok == token.STRING && cursor <= off+len(lit) && !(cursor == off+len(lit) && isClosed(lit)) {
			return off + 1, true
		}
	}
}

// isClosed reports whether a string literal has its closing quotation mark.
func isClosed(lit string) bool { return len(lit) > 1 && lit[len(lit)-1] == lit[0] }

// completePath lists the files whose paths begin with prefix, which begins at byte start
// of the code.
func (s *Session) completePath(prefix string, start int) output.Completion {
	dir, base := filepath.Split(prefix)
	out := output.Completion{Start: start + len(dir), End: start + len(prefix)}
	folder := dir
	if home, err := os.UserHomeDir(); err == nil && strings.HasPrefix(dir, "~/") {
		folder = filepath.Join(home, dir[2:])
	}
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(s.completionDir(), folder)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return out
	}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, base) || base == "" && strings.HasPrefix(name, ".") || len(out.Matches) == maxPaths {
			continue
		}
		if st, err := os.Stat(filepath.Join(folder, name)); err == nil && st.IsDir() {
			name += "/"
		}
		out.Matches = append(out.Matches, output.Match{Text: name, Type: "path"})
	}
	return out
}

// completionDir returns the folder in which cells run. It may be called at any time.
func (s *Session) completionDir() string {
	if dir := s.cellDir.Load(); dir != nil {
		return *dir
	}
	return s.startDir()
}
