package check

import (
	"go/ast"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// SameNames reports whether ids and names are the same names in the same order, and at least one of them is not
// blank.
func SameNames(ids []*ast.Ident, names []cell.Ref) bool {
	if len(ids) != len(names) {
		return false
	}
	named := false
	for i, id := range ids {
		if id.Name != names[i].Name {
			return false
		}
		named = named || id.Name != "_"
	}
	return named
}
