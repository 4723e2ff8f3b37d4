package emit

import (
	"cmp"
	"fmt"
	"go/types"
	"slices"
	"sort"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// A File is a Go file of a unit.
type File struct {
	e            *Emitter
	origin       *symtab.Origin
	Imports      map[string]string // import path by local name
	BlankImports []string
	body         strings.Builder
	regions      []region
	header       int // length of the text before the body
	Name         string
	inserts      []edit // insertions of package instrument, with offsets in the whole text
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

func (e *Emitter) varFile() *File {
	if e.vars == nil {
		e.vars = &File{e: e, Imports: map[string]string{}, Name: "vars.go"}
		e.Files = append(e.Files, e.vars)
	}
	return e.vars
}

// use returns the local name, in this file, of a package that the source uses by name. It is a generated name if name is
// taken by a declaration of the unit, a predeclared identifier or another package.
func (f *File) use(name, path string) string {
	if f.e.taken[name] || types.Universe.Lookup(name) != nil {
		return f.alias(name, path)
	}
	if other := f.Imports[name]; other != "" && other != path {
		return f.alias(name, path)
	}
	return f.bind(name, path)
}

// useOwn returns the local name, in this file, of a package that generated code uses. It is a generated name, which
// cannot occur in the source of a cell.
func (f *File) useOwn(path string) string { return f.alias(f.e.in.Packages.Name(path), path) }

// alias returns a generated name for a package. Package mangle removes the generated part from messages.
func (f *File) alias(name, path string) string {
	alias := name + mangle.Mark + "p"
	for n := 2; f.Imports[alias] != "" && f.Imports[alias] != path; n++ {
		alias = fmt.Sprintf("%s%sp%d", name, mangle.Mark, n)
	}
	return f.bind(alias, path)
}

func (f *File) bind(alias, path string) string {
	f.Imports[alias] = path
	f.e.Paths[path] = true
	return alias
}

// rename returns the text that replaces a reference in generated code.
func (f *File) rename(r cell.Ref, binds map[string]symtab.Binding, lookup func(string) *symtab.Symbol) string {
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
	case symtab.EarlierResult:
		return f.earlier(bd)
	case symtab.EarlierInput:
		return bd.Path
	case symtab.InNotebook:
		if s := lookup(r.Name); s != nil && !r.Key {
			return s.GoNameOf(r.Name)
		}
	}
	return r.Name
}

// put writes a range of a source with edits, after a line directive with
// its position in the cell.
func (f *File) put(owner *symtab.Symbol, before string, src cell.Source, span cell.Span, after string, edits []edit) {
	start := f.body.Len()
	sort.SliceStable(edits, func(i, j int) bool { return edits[i].start < edits[j].start })
	at := src.PosIn(span.Start)
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
			at := src.PosIn(off)
			fmt.Fprintf(&f.body, "/*line :%d:%d*/", at.Line, at.Col)
		}
	}
	f.body.WriteString(src.Text[off:span.End])
	f.body.WriteString(after)
	f.body.WriteString("\n")
	f.regions = append(f.regions, region{start, f.body.Len(), owner})
}

// renames returns the edits that replace the references in a range by their generated names.
func (f *File) renames(src cell.Source, span cell.Span, binds map[string]symtab.Binding, lookup func(string) *symtab.Symbol) []edit {
	var out []edit
	for _, r := range src.Refs {
		if r.Off < span.Start || r.Off >= span.End {
			continue
		}
		text := f.rename(r, binds, lookup)
		if s := f.e.aliasedIn(binds, r, lookup); s != nil && src.InLiteral(r.Off) {
			text = AliasName(s)
		}
		if text != r.Name {
			out = append(out, edit{r.Off, r.Off + len(r.Name), text})
		}
	}
	return out
}

// cut removes the edits that start within a range.
func cut(edits []edit, start, end int) []edit {
	var out []edit
	for _, ed := range edits {
		if ed.start < start || ed.start >= end {
			out = append(out, ed)
		}
	}
	return out
}

// Text returns the text of the file for the compiler, with insertions.
func (f *File) Text() string {
	plain := f.CheckedText()
	if len(f.inserts) == 0 {
		return plain
	}
	return apply(plain, f.inserts)
}

// apply applies edits, which are sorted by offset.
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

// CheckedText returns the text of the file for the type checker. It has no insertions.
func (f *File) CheckedText() string {
	var b strings.Builder
	b.WriteString("package main\n")
	locals := make([]string, 0, len(f.Imports))
	for local := range f.Imports {
		locals = append(locals, local)
	}
	sort.Strings(locals)
	for _, local := range locals {
		fmt.Fprintf(&b, "import %s %q\n", local, f.Imports[local])
	}
	seen := map[string]bool{}
	for _, path := range f.BlankImports {
		if !seen[path] {
			seen[path] = true
			fmt.Fprintf(&b, "import _ %q\n", path)
		}
	}
	f.header = b.Len()
	b.WriteString(f.body.String())
	return b.String()
}

// Owner returns the symbol whose source is at an offset of the checked text, or nil.
func (f *File) Owner(off int) *symtab.Symbol {
	off -= f.header
	i := sort.Search(len(f.regions), func(i int) bool { return f.regions[i].end > off })
	if i < len(f.regions) && f.regions[i].start <= off {
		return f.regions[i].owner
	}
	return nil
}

// Insert inserts text at an offset of the checked text. Offsets must not decrease
// between calls.
func (f *File) Insert(offset int, text string) {
	f.inserts = append(f.inserts, edit{offset, offset, text})
}

// A Replacement replaces a range of the checked text.
type Replacement struct {
	Start, End int
	Text       string
}

// TextWith returns the result of Text with replacements, which are sorted. It returns false if a replaced range has another replacement or an insertion in it, or
// a line break, without which the lines of the rest would have other numbers.
func (f *File) TextWith(list []Replacement) (string, bool) {
	plain := f.CheckedText()
	all := slices.Clone(f.inserts)
	for _, r := range list {
		if strings.Contains(plain[r.Start:r.End], "\n") {
			return "", false
		}
		all = append(all, edit{r.Start, r.End, r.Text})
	}
	slices.SortStableFunc(all, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	for i := 1; i < len(all); i++ {
		if all[i].start < all[i-1].end {
			return "", false
		}
	}
	return apply(plain, all), true
}
