package program

import (
	"fmt"
	"go/types"
	"maps"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// WorkerLost forgets all variables, since they lived in the worker, and
// returns them. Functions, types and constants stay as source and are compiled
// again when a cell next reaches them.
func (p *Program) WorkerLost() []Variable {
	defer p.change()()
	var out []Variable
	for _, s := range p.table.symbols() {
		s.loaded = false
		if s.kind == cell.Var {
			out = append(out, Variable{s.key, s.text, s.origin.n})
			p.table.remove(s)
			p.table.lost[s.key] = s.origin.n
		}
	}
	for s := range p.table.holders {
		p.table.remove(s)
	}
	clear(p.table.holders)
	clear(p.table.dropped)
	p.table.blanks = append([]string(nil), p.table.allBlank...)
	p.table.uninit = uninitialized{retry: map[string]bool{}}
	return out
}

// Lost lists the variables that went with a worker and were not made again,
// with the cells that made them.
func (p *Program) Lost() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.table.lost)
}

// MarkLost counts variables that exist among the lost: their content is not
// what the cells in n made of it. A new declaration ends that.
func (p *Program) MarkLost(n map[string]int) {
	defer p.change()()
	maps.Copy(p.table.lost, n)
}

// Regained ends MarkLost for all variables that exist.
func (p *Program) Regained() {
	defer p.change()()
	maps.DeleteFunc(p.table.lost, func(name string, _ int) bool {
		s := p.table.names[name]
		return s != nil && s.kind == cell.Var
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
	return slices.Sorted(maps.Keys(p.table.dropped))
}

// Variables lists the live variables in the order of their cells.
func (p *Program) Variables() []Variable {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Variable
	for _, s := range p.table.symbols() {
		if s.kind == cell.Var {
			out = append(out, Variable{s.key, s.text, s.origin.n})
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
	for _, name := range slices.Sorted(maps.Keys(p.table.imports)) {
		out = append(out, Declaration{Name: name, Kind: "import", Type: p.table.imports[name]})
	}
	for _, path := range slices.Compact(slices.Sorted(slices.Values(p.table.dots))) {
		out = append(out, Declaration{Name: ".", Kind: "import", Type: path})
	}
	for _, s := range p.table.symbols() {
		for _, name := range s.names() {
			if p.table.names[name] == s {
				out = append(out, Declaration{Name: name, Kind: s.kindName(), Type: s.text, Cell: s.origin.n, Signature: s.plainType})
			}
		}
	}
	for _, a := range sortedAside(p.table.aside) {
		out = append(out, Declaration{Name: a.key, Kind: a.kindName(), Type: a.text, Cell: a.origin.n, Aside: a.reason})
	}
	return out
}

// Remove forgets a declaration, a type with its methods, and returns the
// declarations that need it. Those that are loaded go on as they are, but do
// not compile again without it.
func (p *Program) Remove(name string) ([]Declaration, error) {
	defer p.change()()
	if s := p.table.names[name]; s != nil {
		if s.kind == cell.Type {
			for _, m := range p.table.methods[name] {
				p.table.remove(m)
			}
		}
		if s.recv != "" {
			p.table.removed[name] = s
		}
		var users []Declaration
		for _, user := range p.table.usersOf(name) {
			users = append(users, Declaration{Name: user.key, Kind: user.kindName(), Type: user.text, Cell: user.origin.n})
		}
		p.table.override(s, name)
		delete(p.table.names, name)
		return users, nil
	}
	_, lost := p.table.lost[name]
	_, aside := p.table.aside[name]
	_, imported := p.table.imports[name]
	if !lost && !aside && !imported {
		return nil, fmt.Errorf("%s is not declared in this notebook", name)
	}
	delete(p.table.lost, name)
	delete(p.table.aside, name)
	delete(p.table.imports, name)
	return nil, nil
}

// Source returns the text of an executed cell.
func (p *Program) Source(n int) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	o, ok := p.table.sources[n]
	if !ok {
		return "", false
	}
	return o.src, true
}

// Checked returns what go/types knows of the last committed cell and what it
// reached: nil before the first.
func (p *Program) Checked() (*types.Package, *types.Info) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.table.last == nil {
		return nil, nil
	}
	return p.table.last.pkg, p.table.last.info
}
