package gonb

import (
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// directives has the directives that only notebooks written for GoNB use.
var directives = map[string]bool{
	"%%": true, "%main": true, "%exec": true, "%autoget": true, "%goflags": true, "%track": true, "%untrack": true,
	"%goworkfix": true, "%wasm": true, "%widgets": true, "%widgets_hb": true, "%with_inputs": true, "%with_password": true,
}

const modulePrefix = "github.com/janpfeifer/gonb/"

// IsWrittenFor reports whether a cell is written for GoNB: it has a directive of GoNB or imports a package of GoNB's
// module. Notebooks with such cells rely on automatic actions of GoNB, such as downloads of packages. This kernel
// performs these actions only in such notebooks.
func IsWrittenFor(c *cell.Cell) bool {
	return slices.ContainsFunc(c.Directives, func(d cell.DirectiveLine) bool { return directives[d.Name] }) ||
		slices.ContainsFunc(c.Imports, func(im cell.ImportSpec) bool { return strings.HasPrefix(im.Path, modulePrefix) })
}
