package link

import (
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// notebookSymbol resolves a symbol of package main that the cell's object defines.
func (ld *load) notebookSymbol(o *object, i int, name string) (target, error) {
	s := o.Sym(i)
	plain := symname.WithoutTypeArgs(name)
	generic := plain != name
	switch {
	case s.Kind().IsText() && generic && ld.isStubbedLiteral(plain):
		return ld.notebookFunc(o, i, name)
	case s.Kind().IsText() && generic && !ld.isMethodWrapper(o, s, name):
		key := symKey{name, s.ABI()}
		if addr, ok := ld.globals[key]; ok && !ld.isOutdated(name, plain) {
			return target{addr: addr}, nil
		}
		return ld.sharedInLoad(o, i, key, true)
	case s.Kind().IsText():
		return ld.notebookFunc(o, i, name)
	case s.Kind().IsVar() && !strings.Contains(name, "..") && s.ABI() != goobj.ABIStatic && !s.Local():
		return ld.notebookVar(o, i, name)
	}
	return target{node: ld.addNode(o, i)}, nil
}

// isStubbedLiteral reports whether a function literal of generic code has a stub in each instance, since it is compiled again
// when a constant changes. plain is its name without type arguments.
func (ld *load) isStubbedLiteral(plain string) bool {
	return ld.literals[plain] || ld.genericLiterals[plain]
}

func (ld *load) notebookFunc(o *object, i int, name string) (target, error) {
	s := o.Sym(i)
	old, plain := ld.Linker.stubs[name], symname.WithoutTypeArgs(name)
	fresh := ld.fresh[name] || ld.fresh[plain]
	if old != nil && !fresh {
		return target{addr: old.addr}, nil
	}
	if !fresh && !ld.isMethodWrapper(o, s, name) && !ld.isStubbedLiteral(plain) {
		return target{node: ld.addNode(o, i)}, nil // a closure or an init function
	}
	n := ld.addNode(o, i)
	ld.byName[symKey{name, s.ABI()}] = n
	n.stub = old
	if old == nil || ld.renewed[name] || ld.renewed[plain] && ld.literals[plain] || ld.hasNewSignature(name, old) { // the old stub may be that of a promoted method
		typ := ld.methodType(name)
		if n.stub = ld.formerStub(name, typ); n.stub != nil {
			ld.returnedStubs = append(ld.returnedStubs, n.stub)
		} else {
			n.stub = &stub{name: strings.Clone(name), typ: typ} // name is part of the object's bytes, which must not stay in memory
			ld.stubs = append(ld.stubs, n.stub)
		}
	}
	return target{node: n}, nil
}

func (ld *load) notebookVar(o *object, i int, name string) (target, error) {
	s := o.Sym(i)
	old := ld.vars[name]
	if old != nil {
		same, err := ld.sameType(o, s, old)
		if err != nil {
			return target{}, err
		}
		switch {
		case !same && ld.fresh[name]:
			// The cell gets a new variable; older code keeps the old one.
		case !same:
			ld.reset = append(ld.reset, strings.TrimPrefix(name, "main."))
		case ld.fresh[name]: // its content, even if it is zero, becomes the value of the old variable
			n := ld.addNode(o, i)
			n.assignTo = old
			delete(ld.byDef, defRef{o, i})
			return target{addr: old.addr}, nil
		default:
			return target{addr: old.addr}, nil
		}
	}
	n := ld.addNode(o, i)
	ld.byName[symKey{name, goobj.ABI0}] = n
	return target{node: n}, nil
}

// sameType reports whether a variable of the cell has the same type as the existing
// variable of that name.
func (ld *load) sameType(o *object, s goobj.Sym, old *variable) (bool, error) {
	ref, ok := s.Aux(goobj.AuxGotype)
	if !ok {
		return uintptr(s.Size()) == old.size, nil
	}
	t, err := ld.resolve(o, ref)
	return err == nil && t.node == nil && t.addr == old.typ, err
}
