package symtab

import (
	"fmt"
	"maps"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// A Variable is a notebook variable in a listing. Cell is the number of the cell that declares it.
type Variable struct {
	Name, Type string
	Cell       int
}

// A Declaration is a notebook declaration in a listing. Kind is "func",
// "method", "type", "const", "var", or "import". For an import, Type is the import path.
type Declaration struct {
	Name, Kind, Type string
	Cell             int
	Aside            string // the reason why the declaration is set aside; "" if it is live
	// Signature is the type of a function without the names of its parameters,
	// with packages by their paths.
	Signature string
}

// WorkerLost removes all variables, since they were lost with the worker process, and returns them. Functions, types
// and constants stay as source and are compiled again when a cell next uses them.
func (t *Table) WorkerLost() []Variable {
	var out []Variable
	for _, s := range t.Symbols() {
		s.IsLoaded = false
		if s.Kind == cell.Var {
			out = append(out, Variable{s.Key, s.TypeString, s.Origin.Cell})
			t.Remove(s)
			t.Lost[s.Key] = s.Origin.Cell
		}
	}
	for s := range t.LiteralHolders {
		t.Remove(s)
	}
	clear(t.LiteralHolders)
	clear(t.Unnamed)
	t.PendingBlanks = append([]string(nil), t.BlankImports...)
	t.Uninitialized = Uninitialized{Retry: map[string]bool{}}
	return out
}

// Variables lists the live variables in the order of their cells.
func (t *Table) Variables() []Variable {
	var out []Variable
	for _, s := range t.Symbols() {
		if s.Kind == cell.Var {
			out = append(out, Variable{s.Key, s.TypeString, s.Origin.Cell})
		}
	}
	return out
}

// Declarations lists the imports, then all live declarations in the order of their cells, then the declarations that
// are set aside.
func (t *Table) Declarations() []Declaration {
	var out []Declaration
	for _, name := range slices.Sorted(maps.Keys(t.Imports)) {
		out = append(out, Declaration{Name: name, Kind: "import", Type: t.Imports[name]})
	}
	for _, path := range slices.Compact(slices.Sorted(slices.Values(t.DotImports))) {
		out = append(out, Declaration{Name: ".", Kind: "import", Type: path})
	}
	for _, s := range t.Symbols() {
		for _, name := range s.Names() {
			if t.Names[name] == s {
				out = append(out, Declaration{Name: name, Kind: s.KindName(), Type: s.TypeString, Cell: s.Origin.Cell, Signature: s.PlainType})
			}
		}
	}
	for _, a := range SortedAside(t.Aside) {
		out = append(out, Declaration{Name: a.Key, Kind: a.KindName(), Type: a.TypeString, Cell: a.Origin.Cell, Aside: a.Reason})
	}
	return out
}

// RemoveName removes a declaration, and for a type also its methods. It returns the declarations that need the
// removed one. Those of them that are loaded keep their code, but cannot be compiled again without the removed
// declaration.
func (t *Table) RemoveName(name string) ([]Declaration, error) {
	if s := t.Names[name]; s != nil {
		if s.Kind == cell.Type {
			for _, m := range t.Methods[name] {
				t.Remove(m)
			}
		}
		if s.Recv != "" {
			t.RemovedMethods[name] = s
		}
		var users []Declaration
		for _, user := range t.UsersOf(name) {
			users = append(users, Declaration{Name: user.Key, Kind: user.KindName(), Type: user.TypeString, Cell: user.Origin.Cell})
		}
		t.Override(s, name)
		delete(t.Names, name)
		return users, nil
	}
	_, lost := t.Lost[name]
	_, aside := t.Aside[name]
	_, imported := t.Imports[name]
	if !lost && !aside && !imported {
		return nil, fmt.Errorf("%s is not declared in this notebook", name)
	}
	delete(t.Lost, name)
	delete(t.Aside, name)
	delete(t.Imports, name)
	return nil, nil
}
