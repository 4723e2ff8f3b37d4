// Package hoist moves var specifications of a cell before the statements that use their variables, since in a Go file
// the order of declarations does not matter.
package hoist

import (
	"maps"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// Hoist moves each var specification before the first statement that uses its variables, by name or through the
// cell's functions. Other specifications that the moved one needs move with it. A specification stays in place if it
// depends on another kind of statement in between. The earlier use then means an older variable, if there is one.
// decls are the cell's declarations by name, and methods its methods by receiver. Hoist returns the new order of the
// statements.
func Hoist(stmts []*emit.Stmt, decls map[string]*symtab.Symbol, methods map[string][]*symtab.Symbol) []*emit.Stmt {
	h := hoister{stmts: stmts, decls: decls, methods: methods, moved: map[*emit.Stmt]bool{}}
	for i := 0; i < len(h.stmts); {
		if !h.advance(i) {
			i++
		}
	}
	return h.stmts
}

// advance moves one specification that statement i needs to a place before statement i,
// and reports whether there was such a specification. The moved specification is then the next to be examined.
func (h *hoister) advance(i int) bool {
	for _, name := range slices.Sorted(maps.Keys(h.needs(h.stmts[i]))) {
		j := h.specOf(name, i+1)
		if j < 0 || h.moved[h.stmts[j]] { // if it was moved already, the two need each other
			continue
		}
		st := h.stmts[j]
		if h.move(j, i) > i {
			h.moved[st] = true
			return true
		}
	}
	return false
}

// A hoister moves the specifications of one cell.
type hoister struct {
	stmts   []*emit.Stmt
	decls   map[string]*symtab.Symbol
	methods map[string][]*symtab.Symbol
	moved   map[*emit.Stmt]bool
}

// needs returns the names that running a statement may use before it defines them.
func (h *hoister) needs(st *emit.Stmt) map[string]bool {
	out := map[string]bool{}
	h.collect(st.Refs, out, map[*symtab.Symbol]bool{})
	if st.Var != nil || st.Define >= 0 {
		for i, n := range st.Names {
			if st.New[i] {
				delete(out, n.Name)
			}
		}
	}
	return out
}

func (h *hoister) collect(refs []cell.Ref, out map[string]bool, seen map[*symtab.Symbol]bool) {
	for _, r := range refs {
		if r.Key {
			continue
		}
		out[r.Name] = true
		s := h.decls[r.Name]
		if s == nil || seen[s] {
			continue
		}
		seen[s] = true
		h.collect(s.Decl.Refs, out, seen)
		for _, m := range h.methods[s.Key] {
			if !seen[m] {
				seen[m] = true
				h.collect(m.Decl.Refs, out, seen)
			}
		}
	}
}

// specOf returns the index of the var specification, at or after from, that declares the name, or -1.
func (h *hoister) specOf(name string, from int) int {
	for j := from; j < len(h.stmts); j++ {
		if h.stmts[j].Var == nil {
			continue
		}
		for _, n := range h.stmts[j].Names {
			if n.Name == name {
				return j
			}
		}
	}
	return -1
}

// move moves specification j, with the specifications that it needs, before statement i. If j needs a statement in between
// that is not a var specification, directly or through others, j stays. move returns the new index of statement i.
func (h *hoister) move(j, i int) int {
	for name := range h.needs(h.stmts[j]) {
		if k := h.definedBetween(name, i, j); k >= 0 {
			if h.stmts[k].Var == nil {
				return i
			}
			moved := h.move(k, i)
			if moved == i {
				return i
			}
			i = moved
		}
	}
	st := h.stmts[j]
	list := append([]*emit.Stmt(nil), h.stmts[:i]...)
	list = append(list, st)
	list = append(list, h.stmts[i:j]...)
	h.stmts = append(list, h.stmts[j+1:]...)
	h.retarget(st, i+1, j+1)
	return i + 1
}

func (h *hoister) definedBetween(name string, i, j int) int {
	for k := i; k < j; k++ {
		for n, r := range h.stmts[k].Names {
			if r.Name == name && h.stmts[k].New[n] {
				return k
			}
		}
	}
	return -1
}

// retarget makes the statements that st has passed refer to the variables of st.
func (h *hoister) retarget(st *emit.Stmt, from, to int) {
	names := map[string]bool{}
	for _, n := range st.Names {
		names[n.Name] = true
	}
	for _, other := range h.stmts[from:to] {
		for i, r := range other.Refs {
			if names[r.Name] && !r.Key {
				other.Refs[i].Top = true
			}
		}
	}
}
