package build

import (
	"fmt"
	"go/types"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// WorkerLost forgets all variables, since they lived in the worker, and
// returns them. Functions, types and constants stay as source and are compiled
// again when a cell next reaches them.
func (p *Program) WorkerLost() []Variable {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Variable
	for _, s := range p.symbols() {
		s.loaded = false
		if s.kind == cell.Var {
			out = append(out, Variable{s.key, s.text, s.origin.n})
			p.remove(s)
			p.lost[s.key] = s.origin.n
		}
	}
	p.blanks = append([]string(nil), p.allBlank...)
	return out
}

// Reimport forgets what is known of compiled packages: they may have changed.
func (p *Program) Reimport() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pkgs.forget()
}

// Variables lists the live variables in the order of their cells.
func (p *Program) Variables() []Variable {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Variable
	for _, s := range p.symbols() {
		if s.kind == cell.Var {
			out = append(out, Variable{s.key, s.text, s.origin.n})
		}
	}
	return out
}

// Declarations lists all live declarations in the order of their cells, then
// those that are set aside.
func (p *Program) Declarations() []Declaration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Declaration
	for _, s := range p.symbols() {
		for _, name := range s.names() {
			if p.names[name] == s {
				out = append(out, Declaration{Name: name, Kind: s.kindName(), Type: s.text, Cell: s.origin.n})
			}
		}
	}
	for _, a := range sortedAside(p.aside) {
		out = append(out, Declaration{Name: a.key, Kind: a.kindName(), Type: a.text, Cell: a.origin.n, Aside: a.reason})
	}
	return out
}

func (s *symbol) kindName() string {
	switch {
	case s.recv != "":
		return "method"
	case s.kind == cell.Func:
		return "func"
	case s.kind == cell.Type:
		return "type"
	case s.kind == cell.Const:
		return "const"
	}
	return "var"
}

// Remove forgets a declaration. Older functions that use it go on running as
// they are; recompiling one of them needs a new definition.
func (p *Program) Remove(name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.names[name]; s != nil {
		p.override(s, name)
		delete(p.names, name)
		return nil
	}
	if _, ok := p.aside[name]; ok {
		delete(p.aside, name)
		return nil
	}
	if _, ok := p.imports[name]; ok {
		delete(p.imports, name)
		return nil
	}
	return fmt.Errorf("%s is not declared in this notebook", name)
}

// Source returns the text of an executed cell.
func (p *Program) Source(n int) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	o, ok := p.sources[n]
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
	if p.last == nil {
		return nil, nil
	}
	return p.last.pkg, p.last.info
}
