package link

import (
	"strings"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/goruntime"
)

// Types that reflect made, by SliceOf and its kin, live on the heap and are
// known to reflect's caches alone. When a descriptor of the same type is loaded
// later, the two must be one: values of the first exist. So code and data refer
// to the older one, on the heap, and the descriptor from the object becomes its
// copy: what 32-bit offsets, which do not reach the heap, name instead. The
// module's typemap leads from a copy to the type.

// bindReflected finds the descriptors of this load that describe a type which
// reflect made. Reflect itself compares them: the parts of both must be the
// same types, so one that is found may lead to others made of it.
func (ld *load) bindReflected() error {
	var todo []*node
	for _, n := range ld.nodes {
		if ld.mayBeReflected(n) {
			todo = append(todo, n)
		}
	}
	if len(todo) == 0 {
		return nil
	}
	made := ld.reflected.TypesByString()
	for again := len(made) > 0; again; {
		again = false
		if err := ld.writeNodes(func(n *node) bool { return n.kind.IsROData() }); err != nil {
			return err
		}
		for _, n := range todo {
			if n.reflectType != nil {
				continue
			}
			n.reflectType = ld.reflected.Find(made[ld.mod.ModuleData.TypeString(n.addr)], n.addr)
			again = again || n.reflectType != nil
		}
	}
	return nil
}

// mayBeReflected reports whether n describes a type without a name that the
// load is about to add.
func (ld *load) mayBeReflected(n *node) bool {
	if !isType(n.sym, n.name) || strings.HasPrefix(n.name, "type:noalg.") || ld.decidedTypes[n.name] != nil {
		return false
	}
	b := n.sym.Content()
	if len(b) < goruntime.TypeHeader || b[goruntime.TypeTFlagOff]&goruntime.TFlagNamed != 0 {
		return false
	}
	switch b[goruntime.TypeKindOff] & 31 {
	case goruntime.KindArray, goruntime.KindChan, goruntime.KindFunc, goruntime.KindMap, goruntime.KindPointer, goruntime.KindSlice, goruntime.KindStruct:
		return true
	}
	return false
}

// commitReflected makes the types on the heap known by the offsets of their copies.
func (ld *load) commitReflected() {
	made := map[uintptr]unsafe.Pointer{}
	for _, n := range ld.nodes {
		if n.reflectType != nil {
			made[n.addr] = n.reflectType
		}
	}
	if len(made) > 0 {
		ld.reflected.Bind(ld.mod.ModuleData, made)
	}
}
