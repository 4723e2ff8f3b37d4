package emit

import (
	"fmt"
	"go/types"

	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// ShowAs has the statement show its value, of static type t.
func (st *Stmt) ShowAs(t types.Type, main *types.Package) {
	st.Show, st.Result = ShowModeOf(t), nil
	if tuple, ok := t.(*types.Tuple); ok { // a value and an error, of which nil is not shown
		if tuple.Len() != 2 || !isError(tuple.At(1).Type()) {
			return
		}
		t = tuple.At(0).Type()
	}
	if t = types.Default(t); t != types.Typ[types.UntypedNil] {
		st.Result = &symtab.Result{Type: typetext.Of(t, main), IsInterface: types.IsInterface(t)}
	}
}

// ResultOf returns what the cell with these statements shows, or nil.
func ResultOf(list []*Stmt) *symtab.Result {
	for _, st := range list {
		if st.IsResult && st.Show > Discarded {
			return st.Result
		}
	}
	return nil
}

// earlier returns what to write for the result of an earlier cell.
func (f *File) earlier(bd symtab.Binding) string {
	f.e.helpers[symtab.EarlierFunc] = true
	call := symtab.EarlierFunc + "(" + bd.Path + ")"
	switch {
	case bd.Result.Type == nil:
		return call
	case bd.Result.IsInterface: // nil is no value of it
		return fmt.Sprintf("func() (x %s) { x, _ = %s.(%[1]s); return }()", f.typeText(bd.Result.Type), call)
	}
	return call + ".(" + f.typeText(bd.Result.Type) + ")"
}

// ShowModeOf decides how a value of a static type is shown.
func ShowModeOf(t types.Type) ShowMode {
	switch {
	case isError(t):
		return ShownAsError
	case t == types.Universe.Lookup("rune").Type(): // written so: int32 is another Type
		return ShownAsRune
	}
	return Shown
}

func isError(t types.Type) bool {
	return t != nil && types.Identical(t, types.Universe.Lookup("error").Type())
}
