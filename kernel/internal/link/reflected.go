package link

import (
	"strings"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/goruntime"
)

// Types that reflect makes, with functions such as SliceOf, are on the heap, and only
// reflect's caches refer to them. If a descriptor of the same type is loaded later, the two must be the same type,
// since values of the older one may exist. So code and data refer to the older descriptor, on the heap. The descriptor
// from the object is then called the copy: 32-bit offsets, which do not reach the heap, refer to the copy. The module's
// typemap maps a copy to the type on the heap.

// bindReflected finds the descriptors of this load for types that
// reflect made before. It repeats the search until it finds no more: types are equal only if their parts
// are the same types, so one match can make further matches possible.
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

// mayBeReflected reports whether n is the descriptor of a new type without a name: reflect
// may have made that type.
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

// commitReflected enters the copies of types on the heap into the module's typemap.
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
