package translate

import (
	"fmt"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/resolve"
	"github.com/perijove/perijove/kernel/internal/export/source"
)

// A file is one Go file of the program while it is written.
type file struct {
	b       *translation
	name    string
	text    strings.Builder
	chunks  []chunk
	imports map[string]map[string]bool // path to the names under which it is used
}

// A chunk is a part of the file's text that comes from a cell.
type chunk struct {
	start, end int // in the file
	src        *cell.Source
	from       int
	step       *resolve.Step
	at         int // the step at which names have their meaning
	edits      []placed
	stmt       *resolve.Stmt
}

// A placed is an edit with its offset in the source.
type placed struct {
	off int
	resolve.Edit
}

func (f *file) printf(format string, args ...any) { fmt.Fprintf(&f.text, format, args...) }

// endLine ends the line if it has text.
func (f *file) endLine() {
	if text := strings.TrimRight(f.text.String(), " \t"); text != "" && text[len(text)-1] != '\n' {
		f.text.WriteByte('\n')
	}
}

// pkg returns the name of a package that the exporter itself uses.
func (f *file) pkg(importPath string) string {
	b := f.b
	base := path.Base(importPath)
	if b.packages[importPath][base] {
		return f.imported(importPath, base)
	}
	for _, name := range sortedKeys(b.packages[importPath]) {
		if name != "_" {
			return f.imported(importPath, name)
		}
	}
	b.importAs(importPath, base)
	b.again = true // names must be chosen again
	return f.imported(importPath, base)
}

// imported notes that the file uses a package, and returns its name in the program.
func (f *file) imported(importPath, name string) string {
	full := f.b.importNames[[2]string{importPath, name}]
	if full == "" {
		full = name
	}
	if f.imports[importPath] == nil {
		f.imports[importPath] = map[string]bool{}
	}
	f.imports[importPath][full] = true
	return full
}

// namer returns the Namer of the program for a step.
func (f *file) namer(k int) resolve.Namer {
	return func(r cell.Ref, t resolve.Target) string {
		switch e := t.Entity; {
		case t.Text != "":
			return t.Text
		case t.IsMember:
			return f.imported(t.Path, f.b.Pkgs.Name(t.Path)) + t.Selector(r)
		case t.Path != "":
			name := r.Name
			if name == cell.FlagPackage {
				name = "flag"
			}
			return f.imported(t.Path, name)
		case t.Ctx:
			return f.b.ctxName
		case e == nil:
			return ""
		case e.Kind == cell.Var:
			return e.Variable().GoName
		case e.Kind == cell.Func:
			if fn := f.b.GroupAt(e, k); fn.Dispatch {
				return fn.GoName
			}
			return f.b.InstanceAt(e, k).GoName
		default:
			return f.b.InstanceAt(e, k).GoName
		}
	}
}

// A copier writes parts of one source.
type copier struct {
	f       *file
	src     *cell.Source
	step    *resolve.Step // whose cell has the source
	at      int           // the step at which names have their meaning
	resolve func(cell.Ref) resolve.Target
	stmt    *resolve.Stmt
	facts   *source.Facts
	last    int // the last step at which function literals get new code
}

func (f *file) copyDecl(e *resolve.Entity, at int) copier {
	_, last := f.b.Life(e)
	return copier{
		f: f, src: &e.Decl.Source, step: f.b.Steps[e.Step], at: at, facts: e.Fact, last: last,
		resolve: func(r cell.Ref) resolve.Target { return f.b.Lookup(at, r) },
	}
}

func (f *file) copyStmt(st *resolve.Stmt) copier {
	return copier{
		f: f, src: &st.Source, step: st.Step, at: st.Step.Index, stmt: st, facts: st.Facts, last: len(f.b.Steps) - 1,
		resolve: func(r cell.Ref) resolve.Target { return f.b.LookupIn(st, r) },
	}
}

// write writes a range of the source with the names of the program.
func (c copier) write(from, to int, overrides map[int]string) {
	whole := chunk{start: c.f.text.Len(), src: c.src, from: from, step: c.step, stmt: c.stmt, at: c.at}
	at := from
	for {
		l, list := c.following(at, to)
		if list == nil {
			break
		}
		c.part(at, l.Lbrace+1, overrides)
		c.cases(l, list)
		at = l.Rbrace
	}
	c.part(at, to, overrides)
	if at > from {
		whole.end = c.f.text.Len()
		c.f.chunks = append(c.f.chunks, whole)
	}
}

// part writes a range of the source without function literals that follow constants.
func (c copier) part(from, to int, overrides map[int]string) {
	name := c.f.namer(c.at)
	edits := map[int]resolve.Edit{}
	for _, r := range c.src.Refs {
		if r.Off < from || r.Off >= to || r.Key && !c.f.b.valueKeys[keyAt{c.src, r.Off}] {
			continue
		}
		text := name(r, c.resolve(r))
		if v := c.current(r); v != nil {
			text = v.use(c.f.b)
		}
		if text != "" && text != r.Name {
			edits[r.Off] = resolve.Edit{Length: len(r.Name), Text: text}
		}
	}
	for off, text := range overrides {
		n := off
		for n < len(c.src.Text) && source.IsNameByte(c.src.Text[n]) {
			n++
		}
		edits[off] = resolve.Edit{Length: n - off, Text: text}
	}
	ch := chunk{start: c.f.text.Len(), src: c.src, from: from, step: c.step, stmt: c.stmt, at: c.at}
	at := from
	for _, off := range slices.Sorted(maps.Keys(edits)) {
		if off < from || off >= to {
			continue
		}
		c.f.text.WriteString(c.src.Text[at:off] + edits[off].Text)
		ch.edits = append(ch.edits, placed{off, edits[off]})
		at = off + edits[off].Length
	}
	c.f.text.WriteString(c.src.Text[at:to])
	ch.end = c.f.text.Len()
	c.f.chunks = append(c.f.chunks, ch)
}

// A keyAt is a key of a composite literal.
type keyAt struct {
	src *cell.Source
	off int
}

// find returns the chunk that contains an offset of the file, and the offset in the
// chunk's source.
func (f *file) find(off int) (chunk, int, bool) {
	for _, c := range f.chunks {
		if off < c.start || off >= c.end {
			continue
		}
		at, src := c.start, c.from
		for _, e := range c.edits {
			if off < at+e.off-src {
				break
			}
			at += e.off - src + len(e.Text)
			src = e.off + e.Length
			if off < at {
				return c, e.off, true
			}
		}
		return c, src + off - at, true
	}
	return chunk{}, 0, false
}

// complete returns the file's text with its package clause and imports, and the length of what it adds.
func (f *file) complete(head string) (string, int) {
	var std, other []string
	for _, p := range sortedKeys(f.imports) {
		for _, name := range sortedKeys(f.imports[p]) {
			if name == "_" && len(f.imports[p]) > 1 {
				continue
			}
			line := fmt.Sprintf("%q", p)
			if name != f.b.Pkgs.Name(p) || name != path.Base(p) && !token.IsIdentifier(path.Base(p)) {
				line = name + " " + line
			}
			if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") {
				other = append(other, line)
			} else {
				std = append(std, line)
			}
		}
	}
	head += "package main\n\n"
	lines := std
	if len(std) > 0 && len(other) > 0 {
		lines = append(lines, "")
	}
	lines = append(lines, other...)
	switch {
	case len(lines) == 1:
		head += "import " + lines[0] + "\n\n"
	case len(lines) > 1:
		head += "import (\n" + strings.Join(lines, "\n") + "\n)\n\n"
	}
	return head + f.text.String(), len(head)
}

func (b *translation) importAs(path, name string) {
	if b.packages[path] == nil {
		b.packages[path] = map[string]bool{}
	}
	b.packages[path][name] = true
}
