package gonb

import (
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// directives are those that only notebooks written for GoNB have.
var directives = map[string]bool{
	"%%": true, "%main": true, "%exec": true, "%autoget": true, "%goflags": true, "%track": true, "%untrack": true,
	"%goworkfix": true, "%wasm": true, "%widgets": true, "%widgets_hb": true, "%with_inputs": true, "%with_password": true,
}

const modulePrefix = "github.com/janpfeifer/gonb/"

// IsWrittenFor reports whether a cell is written for GoNB: it has one of GoNB's
// directives or imports its module. Such notebooks rely on what GoNB does
// without being asked, which would surprise other users.
func IsWrittenFor(c *cell.Cell) bool {
	return slices.ContainsFunc(c.Directives, func(d cell.DirectiveLine) bool { return directives[d.Name] }) ||
		slices.ContainsFunc(c.Imports, func(im cell.ImportSpec) bool { return strings.HasPrefix(im.Path, modulePrefix) })
}
