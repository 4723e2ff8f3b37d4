package query

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// A Description describes the meaning of a name.
type Description struct {
	Text string // the declaration of the name, without a body
	Doc  string // the documentation of the name; empty if it has none
	// Methods are the names and signatures of the methods of a type or a variable.
	Methods []string

	// Source and Cell are the text of a declaration of the notebook and the number of its cell.
	Source string
	Cell   int
}

// Describe describes the name at a cursor, which is a byte offset into src. If there is no known name at the cursor,
// it describes the function whose arguments contain the cursor. It returns false if there is no such function either.
func Describe(p *program.Program, src string, cursor int) (Description, bool) {
	q := newQuery(p)
	if start, end := wordAt(src, cursor); start < end {
		if d, ok := q.describeWord(src, start, end); ok {
			return d, true
		}
	}
	for _, b := range slices.Backward(openBrackets(src[:cursor])) {
		if b.operand < 0 { // a block or a parenthesized expression
			break
		}
		if b.tok == token.LPAREN {
			_, end := wordAt(src, b.operand)
			return q.describeWord(src, b.operand, end)
		}
	}
	return Description{}, false
}

func (q query) describeWord(src string, start, end int) (Description, bool) {
	r := q.check(src, start)
	var obj types.Object
	if r != nil {
		obj = objectAt(r, cell.PosAt(src, start))
	}
	word := src[start:end]
	if obj == nil && q.table.Names[word] == nil && (start == 0 || src[start-1] != '.') { // perhaps a package whose members the text does not use
		if r = q.check(word+".X", 0); r != nil {
			if pn, ok := objectAt(r, cell.Pos{Line: 1, Col: 1}).(*types.PkgName); ok {
				obj = pn
			}
		}
	}
	if obj == nil {
		return Description{}, false
	}
	return q.describeObject(r, obj, word), true
}

// objectAt returns the object of the identifier at a position of the text, or nil.
func objectAt(r *program.Checked, at cell.Pos) types.Object {
	id, sel := findIdent(r, func(id *ast.Ident) bool {
		pos := r.Fset.Position(id.Pos())
		n, ok := cell.Number(pos.Filename)
		return ok && n == queryCell && pos.Line == at.Line && pos.Column == at.Col
	})
	if id == nil {
		return nil
	}
	if obj := r.Info.ObjectOf(id); obj != nil {
		return obj
	}
	if sel != nil && r.Info.Types[sel.X].IsType() { // T.M, where M is a method of *T, is invalid Go, but users ask for it
		obj, _, _ := types.LookupFieldOrMethod(r.Info.TypeOf(sel.X), true, r.Pkg, id.Name)
		return obj
	}
	return nil
}

func (q query) describeObject(r *program.Checked, obj types.Object, word string) Description {
	if obj.Name() == symtab.ContextFunc {
		return contextDescription
	}
	text := mangle.Demangle(types.ObjectString(obj, qualifier(r.Pkg)))
	if pn, ok := obj.(*types.PkgName); ok {
		return Description{Text: text, Doc: packageDoc(q.packages, pn.Imported())}
	}
	d := Description{Text: text, Doc: docOf(q.packages, obj), Methods: methods(obj, r.Pkg)}
	if obj.Pkg() == r.Pkg {
		d.Doc = q.notebookDoc(obj)
	} else if text, ok := typeSource(q.packages, obj); ok {
		d.Text = text
	}
	if s := q.table.Names[word]; s != nil && s.Decl != nil && s.Origin != nil && obj.Parent() == r.Pkg.Scope() {
		d.Source, d.Cell = strings.TrimSpace(s.Decl.Text), s.Origin.Cell
		if s.Kind == cell.Type && !strings.HasPrefix(d.Source, "type") {
			d.Source = "type " + d.Source
		}
	}
	return d
}

// methods lists the methods of a variable or type that code of the notebook can call.
func methods(obj types.Object, main *types.Package) []string {
	switch obj.(type) {
	case *types.Var, *types.TypeName:
	default:
		return nil
	}
	t := obj.Type()
	if _, ok := t.Underlying().(*types.Pointer); !ok && !types.IsInterface(t) {
		t = types.NewPointer(t)
	}
	var list []string
	set := types.NewMethodSet(t)
	for i := range set.Len() {
		m := set.At(i).Obj()
		if !m.Exported() && m.Pkg() != main {
			continue
		}
		sig := types.TypeString(m.Type(), qualifier(main))
		list = append(list, mangle.Demangle(m.Name()+strings.TrimPrefix(sig, "func")))
	}
	return list
}

var contextDescription = Description{
	Text: "var ctx context.Context",
	Doc: "ctx is the context of the cell: an interrupt cancels it, and the cell then has a moment to return.\n" +
		"Goroutines that a cell starts keep its ctx after it has ended. A variable ctx that the notebook declares hides it.",
}
