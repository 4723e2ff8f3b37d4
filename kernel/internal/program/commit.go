package program

import (
	"go/types"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/effects"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
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
	done    bool

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

// Commit makes the unit's declarations live: the worker has loaded it. A
// second Commit of the same unit does nothing.
func (p *Program) Commit(u *Unit) {
	defer p.change()()
	c := u.changes
	if c == nil || c.done || u.program != p {
		return
	}
	c.done = true
	if c.origin.n > 0 {
		p.sources[c.origin.n] = c.origin
	}
	p.commitSymbols(c)
	for name, path := range c.imports {
		if s := p.names[name]; s == nil || s.origin != c.origin { // else the cell itself means something else from there on
			p.imports[name] = path
		}
	}
	for _, path := range c.retry {
		p.uninit.retry[path] = true
	}
	p.dots = append(p.dots, c.dots...)
	p.allBlank = append(p.allBlank, c.blanks...)
	p.blanks = nil
	p.noteInstances(c.instances)
	for _, t := range c.structs {
		p.structs[t.Key()] = t
	}
	for _, m := range c.valued {
		p.valued[m] = true
	}
	clear(p.removed)
	p.last = c.checked
}

// commitSymbols makes the symbols live that a unit declares or changes.
func (p *Program) commitSymbols(c *changes) {
	for _, a := range c.aside {
		p.remove(a.symbol)
		if a.kind != cell.Var {
			p.aside[a.key] = a
		}
	}
	for name, l := range c.links {
		p.links[name] = l
	}
	for old, s := range c.updates {
		p.remove(old)
		p.add(s)
	}
	for _, s := range c.define {
		p.define(s)
		delete(p.altered, s.key)
	}
	for name := range c.altered {
		p.altered[name] = true
	}
	p.sharing = append(p.sharing, c.sharing...)
	for _, s := range c.loaded {
		s.loaded, s.renew = true, false
		p.sees(s, c.bodies)
	}
	for _, name := range c.stubbed {
		p.stubbed[name] = true
	}
	for _, s := range c.former {
		p.remove(s)
		delete(p.holders, s)
	}
	for _, s := range c.holders {
		p.add(s)
		p.holders[s] = true
	}
}

// sees notes which bodies the compiler had when it compiled s.
func (p *Program) sees(s *symbol, bodies []string) {
	for _, key := range bodies {
		if key == s.key {
			continue
		}
		if p.saw[key] == nil {
			p.saw[key] = map[*symbol]bool{}
		}
		p.saw[key][s] = true
	}
	s.bodies = bodies
}

// define gives s's names their new meaning.
func (p *Program) define(s *symbol) {
	for _, name := range s.names() {
		if old := p.names[name]; old != nil {
			p.override(old, name)
		}
		p.replaceAside(name)
		delete(p.lost, name)
		if s.recv == "" {
			delete(p.imports, name)
		}
	}
	p.add(s)
}

// override takes one name from an older symbol. A group of constants stays for
// its other names.
func (p *Program) override(old *symbol, name string) {
	p.remove(old)
	if rest := old.without(name); rest != nil {
		p.add(rest)
	}
}

// replaceAside forgets a name that is set aside, and keeps the constants beside it.
func (p *Program) replaceAside(name string) {
	for key, a := range p.aside {
		if !slices.Contains(a.names(), name) {
			continue
		}
		delete(p.aside, key)
		if rest := a.without(name); rest != nil {
			p.aside[rest.key] = &asideSymbol{rest, a.reason}
		}
	}
}

// without returns a group of constants without one of them, or nil if that was
// all. The key is the first name that is left.
func (s *symbol) without(name string) *symbol {
	rest := *s
	rest.replaced = append(s.replaced[:len(s.replaced):len(s.replaced)], name)
	names := rest.names()
	if s.kind != cell.Const || len(names) == 0 {
		return nil
	}
	rest.key, rest.ename = names[0], mangle.Name(names[0])
	return &rest
}

func (p *Program) add(s *symbol) {
	delete(p.dropped, s.linkSymbol())
	for _, name := range s.names() {
		p.names[name] = s
	}
	if s.recv != "" {
		if p.methods[s.recv] == nil {
			p.methods[s.recv] = map[string]*symbol{}
		}
		p.methods[s.recv][s.key] = s
	}
	for _, name := range s.references() {
		if p.users[name] == nil {
			p.users[name] = map[*symbol]bool{}
		}
		p.users[name][s] = true
	}
}

func (p *Program) remove(s *symbol) {
	if s.kind == cell.Var || s.kind == cell.Func {
		p.dropped[s.linkSymbol()] = true
	}
	for _, name := range s.names() {
		if p.names[name] == s {
			delete(p.names, name)
		}
	}
	if m := p.methods[s.recv]; m != nil && m[s.key] == s {
		delete(m, s.key)
	}
	for _, name := range s.references() {
		delete(p.users[name], s)
	}
	for _, key := range s.bodies {
		delete(p.saw[key], s)
	}
}

// names are the notebook names that the symbol gives a meaning to.
func (s *symbol) names() []string {
	switch s.kind {
	case cell.Const:
	case cell.Statement:
		return nil
	default:
		return []string{s.key}
	}
	var out []string
	for _, r := range s.decl.Names {
		if r.Name != "_" && !slices.Contains(s.replaced, r.Name) {
			out = append(out, r.Name)
		}
	}
	return out
}

// references are the notebook names that the symbol's source mentions, and the
// methods and receiver that it depends on.
func (s *symbol) references() []string {
	seen := map[string]bool{}
	var out []string
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	if s.recv != "" {
		add(s.recv)
	}
	if s.kind == cell.Var {
		if s.typ != nil {
			for _, name := range s.typ.Names {
				add(name)
			}
		}
		if s.witness != nil {
			for _, r := range s.witness.refs {
				add(r.Name)
			}
		}
	}
	if s.decl != nil && (s.kind != cell.Var || s.static) {
		for _, r := range s.decl.Refs {
			if s.binds[r.Name].kind == notebook && !slices.ContainsFunc(s.decl.Names, func(n cell.Ref) bool { return n.Off == r.Off }) {
				add(r.Name)
			}
		}
	}
	if s.kind == cell.Statement {
		for _, r := range s.heldRefs() {
			if s.binds[r.Name].kind == notebook {
				add(r.Name)
			}
		}
	}
	for _, name := range s.uses {
		add(name)
	}
	return out
}
