package identity

import (
	"encoding/binary"
	"go/ast"
	"go/token"
	"hash"
	"reflect"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// A writer writes a syntax tree to a hash: each node as its type and its fields, so that different trees are written
// differently.
type writer struct {
	hash  hash.Hash
	scope Scope
	at    map[token.Pos]Meaning // meanings of free names, by position
	uses  map[string]bool
}

// refs records the meanings of the free names of a text, whose first byte is at the position shift.
func (w *writer) refs(refs []cell.Ref, shift int) {
	w.at = map[token.Pos]Meaning{}
	for _, r := range refs {
		w.at[token.Pos(r.Off+shift)] = w.scope.Meaning(r)
	}
}

func (w *writer) number(n int) {
	var b [binary.MaxVarintLen64]byte
	w.hash.Write(b[:binary.PutVarint(b[:], int64(n))])
}

func (w *writer) text(s string) {
	w.number(len(s))
	w.hash.Write([]byte(s))
}

// node writes a node, or a value that is no node.
func (w *writer) node(n any) {
	switch n := n.(type) {
	case *ast.ParenExpr:
		w.node(n.X)
	case *ast.Ident:
		w.ident(n)
	case *ast.SelectorExpr:
		if id, ok := n.X.(*ast.Ident); ok && w.at[id.Pos()].Path != "" && !w.at[id.Pos()].Dot {
			w.qualified(w.at[id.Pos()].Path, n.Sel.Name)
			return
		}
		w.text("SelectorExpr")
		w.node(n.X)
		w.text(n.Sel.Name)
	case *ast.CompositeLit:
		w.fields(n)
		w.fieldsOf(reflect.ValueOf(n).Elem())
	case *ast.CallExpr:
		w.flag(n.Ellipsis)
		w.fieldsOf(reflect.ValueOf(n).Elem())
	case *ast.TypeSpec:
		w.flag(n.Assign)
		w.fieldsOf(reflect.ValueOf(n).Elem())
	default:
		w.fieldsOf(reflect.ValueOf(n).Elem())
	}
}

// flag writes whether the source contains a token that changes the meaning; at is then its position.
func (w *writer) flag(at token.Pos) {
	if at.IsValid() {
		w.text("flag")
	}
}

func (w *writer) ident(id *ast.Ident) {
	m, free := w.at[id.Pos()]
	if free && m.Dot {
		w.qualified(m.Path, id.Name)
		return
	}
	if m.Declared {
		w.uses[id.Name] = true
	}
	w.text("Ident")
	w.text(id.Name)
}

// qualified writes a name of a package.
func (w *writer) qualified(path, name string) {
	w.uses[PackageName(path)] = true
	w.text("Qualified")
	w.text(path)
	w.text(name)
}

// The types of fields that do not matter: positions, comments, and results of the parser.
var ignored = map[reflect.Type]bool{
	reflect.TypeFor[token.Pos](): true, reflect.TypeFor[*ast.CommentGroup](): true, reflect.TypeFor[[]*ast.CommentGroup](): true,
	//lint:ignore SA1019 nodes have fields of these types
	reflect.TypeFor[*ast.Object](): true, reflect.TypeFor[*ast.Scope](): true,
}

// fieldsOf writes the type of a node and its fields.
func (w *writer) fieldsOf(v reflect.Value) {
	w.text(v.Type().Name())
	for i := range v.NumField() {
		if !ignored[v.Field(i).Type()] {
			w.value(v.Field(i))
		}
	}
}

func (w *writer) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			w.text("nil")
			return
		}
		w.node(v.Interface())
	case reflect.Slice:
		w.number(v.Len())
		for i := range v.Len() {
			w.value(v.Index(i))
		}
	case reflect.Bool:
		if v.Bool() {
			w.text("true")
		}
	case reflect.String:
		w.text(v.String())
	case reflect.Int:
		w.number(int(v.Int()))
	}
}
