package session

import (
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
)

// What GoNB does by itself, and notebooks written for it rely on, is done for
// those alone: people who have never heard of it would be surprised.

// gonbWords are directives that only notebooks written for GoNB have.
var gonbWords = map[string]bool{
	"%%": true, "%main": true, "%exec": true, "%autoget": true, "%goflags": true, "%track": true, "%untrack": true,
	"%goworkfix": true, "%wasm": true, "%widgets": true, "%widgets_hb": true, "%with_inputs": true, "%with_password": true,
}

const gonbModule = "github.com/janpfeifer/gonb/"

// noteStyle finds out whether the notebook is written for GoNB. It stays so.
func (s *Session) noteStyle(c *cell.Cell) {
	s.gonbStyle = s.gonbStyle ||
		slices.ContainsFunc(c.Directives, func(d cell.DirectiveLine) bool { return gonbWords[d.Name] }) ||
		slices.ContainsFunc(c.Imports, func(im cell.ImportSpec) bool { return strings.HasPrefix(im.Path, gonbModule) })
}

// byName returns the paths of packages beyond the standard library that a cell
// may mean by a name that it does not declare. GoNB gets them, too.
func byName(c *cell.Cell) []string {
	var paths []string
	look := func(s *cell.Source) {
		for _, ref := range s.Refs {
			if path := exportdata.BeyondStd(ref.Name); path != "" && ref.Sel != "" && !ref.Top && !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	for _, d := range c.Decls {
		look(&d.Source)
	}
	for _, st := range c.Stmts {
		look(&st.Source)
	}
	return paths
}
