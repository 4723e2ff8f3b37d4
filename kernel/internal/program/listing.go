package program

import (
	"fmt"
	"go/types"
	"maps"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// WorkerLost forgets all variables, since they lived in the worker, and
// returns them. Functions, types and constants stay as source and are compiled
// again when a cell next reaches them.
func (p *Program) WorkerLost() []Variable {
	defer p.change()()
	var out []Variable
	for _, s := range p.table.Symbols() {
		s.IsLoaded = false
		if s.Kind == cell.Var {
			out = append(out, Variable{s.Key, s.TypeString, s.Origin.Cell})
			p.table.Remove(s)
			p.table.Lost[s.Key] = s.Origin.Cell
		}
	}
	for s := range p.table.LiteralHolders {
		p.table.Remove(s)
	}
	clear(p.table.LiteralHolders)
	clear(p.table.Unnamed)
	p.table.PendingBlanks = append([]string(nil), p.table.BlankImports...)
	p.table.Uninitialized = symtab.Uninitialized{Retry: map[string]bool{}}
	return out
}

// Lost lists the variables that went with a worker and were not made again,
// with the cells that made them.
func (p *Program) Lost() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.table.Lost)
}

// MarkLost counts variables that exist among the lost: their content is not
// what the cells in n made of it. A new declaration ends that.
func (p *Program) MarkLost(n map[string]int) {
	defer p.change()()
	maps.Copy(p.table.Lost, n)
}

// ClearLost ends MarkLost for all variables that exist.
func (p *Program) ClearLost() {
	defer p.change()()
	maps.DeleteFunc(p.table.Lost, func(name string, _ int) bool {
		s := p.table.Names[name]
		return s != nil && s.Kind == cell.Var
	})
}

// Reimport forgets what is known of compiled packages: they may have changed.
func (p *Program) Reimport() {
	p.building.Lock()
	defer p.building.Unlock()
	p.pkgs.Forget()
}

// Dropped lists the link symbols of variables and functions that no name means
// any more, sorted.
func (p *Program) Dropped() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.table.Unnamed))
}

// Variables lists the live variables in the order of their cells.
func (p *Program) Variables() []Variable {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Variable
	for _, s := range p.table.Symbols() {
		if s.Kind == cell.Var {
			out = append(out, Variable{s.Key, s.TypeString, s.Origin.Cell})
		}
	}
	return out
}

// Declarations lists imports, all live declarations in the order of their
// cells, and those that are set aside.
func (p *Program) Declarations() []Declaration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Declaration
	for _, name := range slices.Sorted(maps.Keys(p.table.Imports)) {
		out = append(out, Declaration{Name: name, Kind: "import", Type: p.table.Imports[name]})
	}
	for _, path := range slices.Compact(slices.Sorted(slices.Values(p.table.DotImports))) {
		out = append(out, Declaration{Name: ".", Kind: "import", Type: path})
	}
	for _, s := range p.table.Symbols() {
		for _, name := range s.Names() {
			if p.table.Names[name] == s {
				out = append(out, Declaration{Name: name, Kind: s.KindName(), Type: s.TypeString, Cell: s.Origin.Cell, Signature: s.PlainType})
			}
		}
	}
	for _, a := range symtab.SortedAside(p.table.Aside) {
		out = append(out, Declaration{Name: a.Key, Kind: a.KindName(), Type: a.TypeString, Cell: a.Origin.Cell, Aside: a.Reason})
	}
	return out
}

// Remove forgets a declaration, a type with its methods, and returns the
// declarations that need it. Those that are loaded go on as they are, but do
// not compile again without it.
func (p *Program) Remove(name string) ([]Declaration, error) {
	defer p.change()()
	if s := p.table.Names[name]; s != nil {
		if s.Kind == cell.Type {
			for _, m := range p.table.Methods[name] {
				p.table.Remove(m)
			}
		}
		if s.Recv != "" {
			p.table.RemovedMethods[name] = s
		}
		var users []Declaration
		for _, user := range p.table.UsersOf(name) {
			users = append(users, Declaration{Name: user.Key, Kind: user.KindName(), Type: user.TypeString, Cell: user.Origin.Cell})
		}
		p.table.Override(s, name)
		delete(p.table.Names, name)
		return users, nil
	}
	_, lost := p.table.Lost[name]
	_, aside := p.table.Aside[name]
	_, imported := p.table.Imports[name]
	if !lost && !aside && !imported {
		return nil, fmt.Errorf("%s is not declared in this notebook", name)
	}
	delete(p.table.Lost, name)
	delete(p.table.Aside, name)
	delete(p.table.Imports, name)
	return nil, nil
}

// Source returns the text of an executed cell.
func (p *Program) Source(n int) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	o, ok := p.table.Cells[n]
	if !ok {
		return "", false
	}
	return o.Source, true
}

// Checked returns what go/types knows of the last committed cell and what it
// reached: nil before the first.
func (p *Program) Checked() (*types.Package, *types.Info) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.table.LastCheck == nil {
		return nil, nil
	}
	return p.table.LastCheck.Pkg, p.table.LastCheck.Info
}
