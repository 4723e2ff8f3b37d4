package program

import (
	"go/types"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/effects"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// changes is what Commit applies.
type changes struct {
	origin  *origin
	define  []*symbol           // new meanings
	loaded  []*symbol           // older ones that this unit loads (again)
	bodies  []string            // functions whose bodies the unit holds
	updates map[*symbol]*symbol // older symbol to its recompiled form
	aside   []*asideSymbol
	imports map[string]string
	dots    []string
	blanks  []string
	links   map[string]linkName
	checked *checked
	altered effects.Names // variables
	sharing [][]string    // sets of variables that share memory

	instances []instance
	holders   []*symbol // statements with literals that follow constants
	former    []*symbol // those of them that holders take the place of
	stubbed   []string  // link symbols of function literals
	retry     []string
	structs   []*typetext.Text
	valued    []string
}

// checked is what go/types found out about the last good cell.
type checked struct {
	pkg  *types.Package
	info *types.Info
}

// commit makes what a unit declares live.
func (t *state) commit(c *changes) {
	if c.origin.n > 0 {
		t.sources[c.origin.n] = c.origin
	}
	t.commitSymbols(c)
	for name, path := range c.imports {
		if s := t.names[name]; s == nil || s.origin != c.origin { // else the cell itself means something else from there on
			t.imports[name] = path
		}
	}
	for _, path := range c.retry {
		t.uninit.retry[path] = true
	}
	t.dots = append(t.dots, c.dots...)
	t.allBlank = append(t.allBlank, c.blanks...)
	t.blanks = nil
	t.noteInstances(c.instances)
	for _, s := range c.structs {
		t.structs[s.Key()] = s
	}
	for _, m := range c.valued {
		t.valued[m] = true
	}
	clear(t.removed)
	t.last = c.checked
}

// commitSymbols makes the symbols live that a unit declares or changes.
func (t *state) commitSymbols(c *changes) {
	for _, a := range c.aside {
		t.remove(a.symbol)
		if a.kind != cell.Var {
			t.aside[a.key] = a
		}
	}
	for name, l := range c.links {
		t.links[name] = l
	}
	for old, s := range c.updates {
		t.remove(old)
		t.add(s)
	}
	for _, s := range c.define {
		t.define(s)
		delete(t.altered, s.key)
	}
	for name := range c.altered {
		t.altered[name] = true
	}
	t.sharing = append(t.sharing, c.sharing...)
	for _, s := range c.loaded {
		s.loaded, s.renew = true, false
		t.sees(s, c.bodies)
	}
	for _, name := range c.stubbed {
		t.stubbed[name] = true
	}
	for _, s := range c.former {
		t.remove(s)
		delete(t.holders, s)
	}
	for _, s := range c.holders {
		t.add(s)
		t.holders[s] = true
	}
}
