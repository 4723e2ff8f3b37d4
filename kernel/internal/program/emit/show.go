package emit

import (
	"fmt"
	"go/types"

	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// ShowAs makes the statement show the value of its expression, which has the static type t.
func (st *Stmt) ShowAs(t types.Type, main *types.Package) {
	st.Show, st.Result = ShowModeOf(t), nil
	if tuple, ok := t.(*types.Tuple); ok { // a value and an error; a nil error is not shown
		if tuple.Len() != 2 || !isError(tuple.At(1).Type()) {
			return
		}
		t = tuple.At(0).Type()
	}
	if t = types.Default(t); t != types.Typ[types.UntypedNil] {
		st.Result = &symtab.Result{Type: typetext.Of(t, main), IsInterface: types.IsInterface(t)}
	}
}

// ResultOf returns the type of the value that a cell with these statements shows, or nil if it shows none.
func ResultOf(list []*Stmt) *symtab.Result {
	for _, st := range list {
		if st.IsResult && st.Show > Discarded {
			return st.Result
		}
	}
	return nil
}

// earlier returns the expression for the result of an earlier cell, Out[n].
func (f *File) earlier(bd symtab.Binding) string {
	f.e.helpers[symtab.EarlierFunc] = true
	call := symtab.EarlierFunc + "(" + bd.Path + ")"
	switch {
	case bd.Result.Type == nil:
		return call
	case bd.Result.IsInterface: // a type assertion to an interface fails for nil
		return fmt.Sprintf("func() (x %s) { x, _ = %s.(%[1]s); return }()", f.typeText(bd.Result.Type), call)
	}
	return call + ".(" + f.typeText(bd.Result.Type) + ")"
}

// ShowModeOf returns the way in which a value of static type t is shown.
func ShowModeOf(t types.Type) ShowMode {
	switch {
	case isError(t):
		return ShownAsError
	case t == types.Universe.Lookup("rune").Type(): // declared as rune: go/types has another Type for int32
		return ShownAsRune
	}
	return Shown
}

func isError(t types.Type) bool {
	return t != nil && types.Identical(t, types.Universe.Lookup("error").Type())
}
