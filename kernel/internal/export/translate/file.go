package translate

import (
	"fmt"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/source"
)

// A file is one Go file of the program while it is written.
type file struct {
	b       *book
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
	step       *step
	edits      []placed
	stmt       *stmt
}

// A placed is an edit with its offset in the source.
type placed struct {
	off int
	edit
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

// namer is the namer of the program at a step.
func (f *file) namer(k int) namer {
	return func(r cell.Ref, t target) string {
		switch e := t.entity; {
		case t.text != "":
			return t.text
		case t.isMember:
			return f.imported(t.path, f.b.pkgs.Name(t.path)) + t.selector(r)
		case t.path != "":
			name := r.Name
			if name == cell.FlagPackage {
				name = "flag"
			}
			return f.imported(t.path, name)
		case t.ctx:
			return f.b.ctxName
		case e == nil:
			return ""
		case e.kind == cell.Var:
			return e.variable().goName
		case e.kind == cell.Func:
			if fn := f.b.groupAt(e, k); fn.dispatch {
				return fn.goName
			}
			return f.b.instanceAt(e, k).goName
		default:
			return f.b.instanceAt(e, k).goName
		}
	}
}

// A copier writes parts of one source.
type copier struct {
	f       *file
	src     *cell.Source
	step    *step // whose cell has the source
	at      int   // the step at which names have their meaning
	resolve func(cell.Ref) target
	stmt    *stmt
	facts   *source.Facts
	last    int // the last step at which function literals get new code
}

func (f *file) copyDecl(e *entity, at int) copier {
	_, last := f.b.life(e)
	return copier{
		f: f, src: &e.decl.Source, step: f.b.steps[e.step], at: at, facts: e.fact, last: last,
		resolve: func(r cell.Ref) target { return f.b.lookup(at, r) },
	}
}

func (f *file) copyStmt(st *stmt) copier {
	return copier{
		f: f, src: &st.Source, step: st.step, at: st.step.index, stmt: st, facts: st.facts, last: len(f.b.steps) - 1,
		resolve: func(r cell.Ref) target { return f.b.lookupIn(st, r) },
	}
}

// write writes a range of the source with the names of the program.
func (c copier) write(from, to int, overrides map[int]string) {
	whole := chunk{start: c.f.text.Len(), src: c.src, from: from, step: c.step, stmt: c.stmt}
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
	edits := map[int]edit{}
	for _, r := range c.src.Refs {
		if r.Off < from || r.Off >= to || r.Key && !c.f.b.valueKeys[keyAt{c.src, r.Off}] {
			continue
		}
		text := name(r, c.resolve(r))
		if v := c.current(r); v != nil {
			text = v.use(c.f.b)
		}
		if text != "" && text != r.Name {
			edits[r.Off] = edit{len(r.Name), text}
		}
	}
	for off, text := range overrides {
		n := off
		for n < len(c.src.Text) && source.IsNameByte(c.src.Text[n]) {
			n++
		}
		edits[off] = edit{n - off, text}
	}
	ch := chunk{start: c.f.text.Len(), src: c.src, from: from, step: c.step, stmt: c.stmt}
	at := from
	for _, off := range slices.Sorted(maps.Keys(edits)) {
		if off < from || off >= to {
			continue
		}
		c.f.text.WriteString(c.src.Text[at:off] + edits[off].text)
		ch.edits = append(ch.edits, placed{off, edits[off]})
		at = off + edits[off].length
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
			at += e.off - src + len(e.text)
			src = e.off + e.length
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
			if name != f.b.pkgs.Name(p) || name != path.Base(p) && !token.IsIdentifier(path.Base(p)) {
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
