package symtab

import (
	"go/types"
	"maps"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/effects"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// Changes are the changes that a unit makes to a Table; Commit applies them.
type Changes struct {
	Origin       *Origin
	Define       []*Symbol           // symbols that become the meanings of their names
	Loaded       []*Symbol           // functions that the unit loads, new or again
	Bodies       []string            // keys of functions whose bodies the unit contains
	Updates      map[*Symbol]*Symbol // older symbols, with their recompiled copies
	Aside        []*AsideSymbol
	Imports      map[string]string
	DotImports   []string
	BlankImports []string
	LinkNames    map[string]LinkName
	Check        *Check
	Altered      effects.Names // variables that the cell changes after they get their initial values
	Sharing      [][]string    // sets of variables that share memory

	Instances       []Instance
	LiteralHolders  []*Symbol // statements with literals that follow a declaration, or that would follow one if they captured no variables
	FormerHolders   []*Symbol // older symbols that LiteralHolders replace
	StubbedLiterals []string  // link symbols of function literals that have a stub
	Retry           []string
	Structs         []*typetext.Text
	MethodValues    []string
	Result          *Result // type of the value that the cell shows; nil if Out cannot return the value
}

// Check is the result of go/types for a cell.
type Check struct {
	Pkg  *types.Package
	Info *types.Info
}

// Commit makes the declarations of a unit live.
func (t *Table) Commit(c *Changes) {
	if c.Origin.Cell > 0 {
		t.Cells[c.Origin.Cell] = c.Origin
		if c.Result != nil {
			t.Results[c.Origin.Cell] = c.Result
		}
	}
	t.commitSymbols(c)
	for name, path := range c.Imports {
		if s := t.Names[name]; s == nil || s.Origin != c.Origin { // a declaration of the same name in the cell takes precedence
			t.Imports[name] = path
		}
	}
	for _, path := range c.Retry {
		t.Uninitialized.Retry[path] = true
	}
	t.DotImports = append(t.DotImports, c.DotImports...)
	t.BlankImports = append(t.BlankImports, c.BlankImports...)
	t.PendingBlanks = nil
	t.noteInstances(c.Instances)
	for _, s := range c.Structs {
		t.Structs[s.Key()] = s
	}
	for _, m := range c.MethodValues {
		t.MethodValues[m] = true
	}
	clear(t.RemovedMethods)
	t.LastCheck = c.Check
}

// commitSymbols makes the symbols that a unit declares or changes live.
func (t *Table) commitSymbols(c *Changes) {
	for _, a := range c.Aside {
		t.Remove(a.Symbol)
		if a.Kind != cell.Var {
			t.Aside[a.Key] = a
		}
	}
	for name, l := range c.LinkNames {
		t.LinkNames[name] = l
	}
	t.noteLayouts(c)
	for old, s := range c.Updates {
		t.Remove(old)
		t.add(s)
	}
	for _, s := range c.Define {
		t.define(s)
		delete(t.Altered, s.Key)
	}
	for name := range c.Altered {
		t.Altered[name] = true
	}
	t.Sharing = append(t.Sharing, c.Sharing...)
	for _, s := range c.Loaded {
		s.IsLoaded, s.NeedsNewStub = true, false
		t.noteBodies(s, c.Bodies)
	}
	for _, name := range c.StubbedLiterals {
		t.StubbedLiterals[name] = true
	}
	for _, s := range c.FormerHolders {
		t.Remove(s)
		delete(t.LiteralHolders, s)
	}
	for _, s := range c.LiteralHolders {
		t.add(s)
		t.LiteralHolders[s] = true
	}
}

// noteLayouts records the layouts of types. If one has changed, functions no longer get former link names again:
// code that was compiled for these names has values of the older type.
func (t *Table) noteLayouts(c *Changes) {
	changed := false
	for _, s := range slices.Concat(c.Define, slices.Collect(maps.Values(c.Updates))) {
		if s.Kind == cell.Type {
			old, known := t.TypeLayouts[s.Key]
			changed = changed || known && old != s.Layout
			t.TypeLayouts[s.Key] = s.Layout
		}
	}
	if changed {
		t.ForgetFormerLinks()
	}
}

// ForgetFormerLinks removes the fingerprints of former link names. A function that changes its signature then gets a
// new link name, even if the function has had that signature before.
func (t *Table) ForgetFormerLinks() {
	for name, l := range t.LinkNames {
		former := slices.Clone(l.Former)
		for i := range former {
			former[i].Fingerprint = ""
		}
		l.Former = former
		t.LinkNames[name] = l
	}
}
