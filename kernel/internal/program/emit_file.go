package program

import (
	"fmt"
	"go/types"
	"sort"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

type file struct {
	e       *emitter
	origin  *symtab.Origin
	aliases map[string]string // import path by local name
	effects []string
	body    strings.Builder
	regions []region
	header  int // length of what precedes the body in the text
	name    string
	inserts []edit // of instrument, in the whole text
}

// A region is the range of a file's body that came from one symbol.
type region struct {
	start, end int
	owner      *symtab.Symbol // nil for the cell's statements
}

type edit struct {
	start, end int
	text       string
}

func (e *emitter) varFile() *file {
	if e.vars == nil {
		e.vars = &file{e: e, aliases: map[string]string{}, name: "vars.go"}
		e.order = append(e.order, e.vars)
	}
	return e.vars
}

// use returns the local name in this file of a package that the source calls by name. It is another one if the notebook
// means something else by that, or Go does: the file may contain declarations of both.
func (f *file) use(name, path string) string {
	if f.e.taken[name] || types.Universe.Lookup(name) != nil {
		return f.alias(name, path)
	}
	if other := f.aliases[name]; other != "" && other != path {
		return f.alias(name, path)
	}
	return f.bind(name, path)
}

// useOwn returns the local name in this file of a package that the source does not call by a name of its own. It is one
// that no source can have.
func (f *file) useOwn(path string) string { return f.alias(f.e.b.p.pkgs.Name(path), path) }

// alias returns a generated name for a package. Messages show it without what follows the mark.
func (f *file) alias(name, path string) string {
	alias := name + mangle.Mark + "p"
	for n := 2; f.aliases[alias] != "" && f.aliases[alias] != path; n++ {
		alias = fmt.Sprintf("%s%sp%d", name, mangle.Mark, n)
	}
	return f.bind(alias, path)
}

func (f *file) bind(alias, path string) string {
	f.aliases[alias] = path
	f.e.paths[path] = true
	return alias
}

// rename returns what to write for a reference.
func (f *file) rename(r cell.Ref, binds map[string]symtab.Binding, lookup func(string) *symtab.Symbol) string {
	switch bd := binds[r.Name]; bd.Kind {
	case symtab.Imported:
		return f.use(r.Name, bd.Path)
	case symtab.DotImported:
		if r.Key {
			return r.Name
		}
		return f.useOwn(bd.Path) + "." + r.Name
	case symtab.CellContext:
		if !r.Key {
			return f.context()
		}
	case symtab.InNotebook:
		if s := lookup(r.Name); s != nil && !r.Key {
			return f.e.b.nameIn(s, r.Name)
		}
	}
	return r.Name
}

// put writes a range of a source with edits, under a line directive that gives
// its place in the cell.
func (f *file) put(owner *symtab.Symbol, before string, src cell.Source, span cell.Span, after string, edits []edit) {
	start := f.body.Len()
	sort.SliceStable(edits, func(i, j int) bool { return edits[i].start < edits[j].start })
	at := posIn(src, span.Start)
	fmt.Fprintf(&f.body, "\n%s\n//line %s:%d:%d\n", before, cell.Name(f.origin.Cell), at.Line, at.Col)
	off := span.Start
	for _, ed := range edits {
		if ed.start < off || ed.end > span.End {
			continue
		}
		f.body.WriteString(src.Text[off:ed.start])
		f.body.WriteString(ed.text)
		off = ed.end
		if len(ed.text) != ed.end-ed.start && off < span.End && src.Text[off] != '\n' {
			at := posIn(src, off)
			fmt.Fprintf(&f.body, "/*line :%d:%d*/", at.Line, at.Col)
		}
	}
	f.body.WriteString(src.Text[off:span.End])
	f.body.WriteString(after)
	f.body.WriteString("\n")
	f.regions = append(f.regions, region{start, f.body.Len(), owner})
}

// posIn converts an offset in a source's text to a place in its cell.
func posIn(src cell.Source, off int) cell.Pos {
	before := src.Text[:off]
	n := strings.Count(before, "\n")
	if n == 0 {
		return cell.Pos{Line: src.Pos.Line, Col: src.Pos.Col + off}
	}
	return cell.Pos{Line: src.Pos.Line + n, Col: off - strings.LastIndexByte(before, '\n')}
}

// renames are the edits that give the references of a range their generated names.
func (f *file) renames(src cell.Source, span cell.Span, binds map[string]symtab.Binding, lookup func(string) *symtab.Symbol) []edit {
	var out []edit
	for _, r := range src.Refs {
		if r.Off < span.Start || r.Off >= span.End {
			continue
		}
		text := f.rename(r, binds, lookup)
		if s := f.e.aliasedIn(binds, r, lookup); s != nil && src.InLiteral(r.Off) {
			text = aliasName(s)
		}
		if text != r.Name {
			out = append(out, edit{r.Off, r.Off + len(r.Name), text})
		}
	}
	return out
}

// cut drops the edits within a range.
func cut(edits []edit, start, end int) []edit {
	var out []edit
	for _, ed := range edits {
		if ed.start < start || ed.start >= end {
			out = append(out, ed)
		}
	}
	return out
}

// text returns the whole file.
func (f *file) text() string {
	plain := f.plainText()
	if len(f.inserts) == 0 {
		return plain
	}
	return apply(plain, f.inserts)
}

// apply carries out edits, in the order of their places.
func apply(text string, edits []edit) string {
	var b strings.Builder
	at := 0
	for _, ed := range edits {
		b.WriteString(text[at:ed.start] + ed.text)
		at = ed.end
	}
	b.WriteString(text[at:])
	return b.String()
}

// plainText returns the file as it is checked.
func (f *file) plainText() string {
	var b strings.Builder
	b.WriteString("package main\n")
	locals := make([]string, 0, len(f.aliases))
	for local := range f.aliases {
		locals = append(locals, local)
	}
	sort.Strings(locals)
	for _, local := range locals {
		fmt.Fprintf(&b, "import %s %q\n", local, f.aliases[local])
	}
	seen := map[string]bool{}
	for _, path := range f.effects {
		if !seen[path] {
			seen[path] = true
			fmt.Fprintf(&b, "import _ %q\n", path)
		}
	}
	f.header = b.Len()
	b.WriteString(f.body.String())
	return b.String()
}
