package program

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// A Candidate is a name that can stand at a cursor.
type Candidate struct {
	Name, Kind, Signature string // Kind as Jupyter names it: "function", "variable", …
}

// cursorName marks the cursor in text that is checked for completion.
const cursorName = "perijoveCursor"

// Complete lists what can stand at a cursor, a byte offset into src, and the
// range that a candidate replaces. Text that cannot be parsed has none.
func (p *Program) Complete(src string, cursor int) (list []Candidate, start, end int) {
	p = p.snapshot()
	if start, end, ok := importPath(src, cursor); ok {
		return p.paths(src[start:cursor]), start, end
	}
	start, end = wordAt(src, cursor)
	prefix := src[start:cursor]
	r := p.checkText(src[:start]+cursorName+src[end:], start)
	if r == nil {
		return nil, cursor, cursor
	}
	id, sel := findIdent(r, func(id *ast.Ident) bool { return id.Name == cursorName })
	switch {
	case id == nil:
		return nil, cursor, cursor
	case sel != nil:
		list = members(r, sel.X)
	default:
		if list = withPrefix(fields(r, id), prefix); len(list) == 0 {
			list = p.visible(r, id.Pos())
		}
	}
	list = withPrefix(list, prefix)
	slices.SortFunc(list, func(a, b Candidate) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(list, func(a, b Candidate) bool { return a.Name == b.Name }), start, end
}

func withPrefix(list []Candidate, prefix string) []Candidate {
	return slices.DeleteFunc(list, func(c Candidate) bool { return !strings.HasPrefix(c.Name, prefix) })
}

// A Description tells what a name means.
type Description struct {
	Text string // its declaration, without a body
	Doc  string // its documentation; empty if it has none

	// Of what the notebook declares, the text and the cell that it is from.
	Source string
	Cell   int
}

// Describe explains the name at a cursor, a byte offset into src; where there is none that is known, the function in
// whose arguments the cursor stands.
func (p *Program) Describe(src string, cursor int) (Description, bool) {
	p = p.snapshot()
	if start, end := wordAt(src, cursor); start < end {
		if d, ok := p.describeWord(src, start, end); ok {
			return d, true
		}
	}
	for _, b := range slices.Backward(openBrackets(src[:cursor])) {
		if b.operand < 0 { // a block or a parenthesis
			break
		}
		if b.tok == token.LPAREN {
			_, end := wordAt(src, b.operand)
			return p.describeWord(src, b.operand, end)
		}
	}
	return Description{}, false
}

func (p *Program) describeWord(src string, start, end int) (Description, bool) {
	r := p.checkText(src, start)
	var obj types.Object
	if r != nil {
		obj = r.objectAt(cell.PosAt(src, start))
	}
	word := src[start:end]
	if obj == nil && p.table.Names[word] == nil && (start == 0 || src[start-1] != '.') { // a package, of which nothing is used
		if r = p.checkText(word+".X", 0); r != nil {
			if pn, ok := r.objectAt(cell.Pos{Line: 1, Col: 1}).(*types.PkgName); ok {
				obj = pn
			}
		}
	}
	if obj == nil {
		return Description{}, false
	}
	return p.describeObject(r, obj, word), true
}

// objectAt returns what the identifier at a place of the text means, or nil.
func (r *result) objectAt(at cell.Pos) types.Object {
	id, sel := findIdent(r, func(id *ast.Ident) bool {
		pos := r.fset.Position(id.Pos())
		n, ok := cellNumber(pos.Filename)
		return ok && n == queryCell && pos.Line == at.Line && pos.Column == at.Col
	})
	if id == nil {
		return nil
	}
	if obj := r.info.ObjectOf(id); obj != nil {
		return obj
	}
	if sel != nil && r.info.Types[sel.X].IsType() { // T.M of a method of *T is no valid Go, but a question
		obj, _, _ := types.LookupFieldOrMethod(r.info.TypeOf(sel.X), true, r.pkg, id.Name)
		return obj
	}
	return nil
}

func (p *Program) describeObject(r *result, obj types.Object, word string) Description {
	if obj.Name() == contextName {
		return contextDescription
	}
	text := mangle.Demangle(types.ObjectString(obj, qualifier(r.pkg)))
	if pn, ok := obj.(*types.PkgName); ok {
		return Description{Text: text, Doc: packageDoc(p.pkgs, pn.Imported())}
	}
	d := Description{Text: text, Doc: docOf(p.pkgs, obj)}
	if obj.Pkg() == r.pkg {
		d.Doc = p.notebookDoc(obj)
	}
	if s := p.table.Names[word]; s != nil && s.Decl != nil && s.Origin != nil && obj.Parent() == r.pkg.Scope() {
		d.Source, d.Cell = strings.TrimSpace(s.Decl.Text), s.Origin.Cell
		if s.Kind == cell.Type && !strings.HasPrefix(d.Source, "type") {
			d.Source = "type " + d.Source
		}
	}
	return d
}

func qualifier(main *types.Package) types.Qualifier {
	return func(q *types.Package) string {
		if q == main {
			return ""
		}
		return q.Name()
	}
}

// wordAt returns the range of the identifier around a cursor.
func wordAt(src string, cursor int) (start, end int) {
	start, end = cursor, cursor
	for start > 0 {
		r, n := utf8.DecodeLastRuneInString(src[:start])
		if !isWord(r) {
			break
		}
		start -= n
	}
	for end < len(src) {
		r, n := utf8.DecodeRuneInString(src[end:])
		if !isWord(r) {
			break
		}
		end += n
	}
	return start, end
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
