package exportdata

import (
	"fmt"
	"go/types"
	"strings"
)

// API returns a text with the types that a package declares and the signatures of its functions and methods, since
// compiled code depends on these. The text does not contain variables and constants.
func API(pkg *types.Package) string {
	var b strings.Builder
	for _, name := range pkg.Scope().Names() {
		switch obj := pkg.Scope().Lookup(name).(type) {
		case *types.Func:
			fmt.Fprintln(&b, name, obj.Type())
		case *types.TypeName:
			fmt.Fprintln(&b, name, obj.IsAlias(), types.Unalias(obj.Type()), obj.Type().Underlying())
			methods := types.NewMethodSet(types.NewPointer(obj.Type()))
			for i := range methods.Len() {
				fmt.Fprintln(&b, methods.At(i).Obj().Name(), methods.At(i).Type())
			}
		}
	}
	return b.String()
}
