package link

import (
	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/goruntime"
)

// updateMethods places new method tables for the types that stay the same but
// gained, lost or changed methods.
func (ld *load) updateMethods() {
	for i := range ld.main.NumDef() {
		s := ld.main.Sym(i)
		name := s.Name()
		if !isType(s, name) {
			continue
		}
		old := ld.types[name]
		if old == nil || !ld.mod.ReadOnly.Contains(old.addr) { // reflect has given a type of its own its methods
			continue
		}
		r := newTypeRecord(ld.main, i, name)
		if sameMethods(old, r) {
			continue
		}
		if _, decided := ld.typeDone[name]; !decided { // nothing here refers to it, but values of it are about
			ld.decideTypes(ld.main, i, name)
		}
		if ld.typeDone[name] != old || ld.byName[symKey{name, goobj.ABIStatic}] != nil {
			continue
		}
		n := ld.place(ld.main, i)
		delete(ld.byDef, defRef{ld.main, i})
		ld.byName[symKey{name, goobj.ABIStatic}] = n
		n.typ = r
		ld.methods = append(ld.methods, methodUpdate{old, n})
	}
}

func sameMethods(a, b *typeRecord) bool {
	x, y := a.methods(), b.methods()
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] != y[i] {
			return false
		}
	}
	return true
}

// methods lists the references of the method table.
func (r *typeRecord) methods() []typeRef {
	var list []typeRef
	if !r.hasUncommon() {
		return nil
	}
	start := int32(len(r.data) - r.methodCount()*goruntime.MethodSize)
	for _, f := range r.fields {
		if f.off >= start {
			list = append(list, typeRef{f.off - start, f.add, f.target})
		}
	}
	return list
}
