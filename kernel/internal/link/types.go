package link

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// A typeRecord remembers the descriptor of a type that involves notebook
// types, as the object had it, so that a later cell's descriptor of the same
// name can be compared.
type typeRecord struct {
	name   string
	addr   uintptr
	data   []byte
	fields []typeRef // relocations, in order
	era    int       // of the linker when it was made
	room   bool      // there is space for an uncommon part, which a type without methods lacks
}

// A typeRef is one relocation of a descriptor.
type typeRef struct {
	off    int32
	add    int64
	target string // name of the symbol referred to
}

// A methodUpdate gives a type that stayed the same a new method table.
type methodUpdate struct {
	rec *typeRecord
	n   *node
}

// typeOf resolves a type descriptor that an object defines. Types must have
// one address in the process: assertions and maps compare addresses.
func (ld *load) typeOf(o *object, i int, name string) (target, error) {
	key := symKey{name, goobj.ABI0}
	if addr, ok := ld.known(key); ok {
		return target{addr: addr}, nil
	}
	if !symname.MentionsNotebook(name) {
		return ld.sharedInLoad(o, i, key, true)
	}
	if _, done := ld.typeDone[name]; !done {
		ld.decideTypes(o, i, name)
	}
	if r := ld.typeDone[name]; r != nil {
		return target{addr: r.addr}, nil
	}
	t, err := ld.sharedInLoad(o, i, key, false)
	if t.node.typ == nil {
		t.node.typ = newTypeRecord(o, i, name)
	}
	return t, err
}

func newTypeRecord(o *object, i int, name string) *typeRecord {
	s := o.Sym(i)
	r := &typeRecord{name: strings.Clone(name), data: bytes.Clone(s.Content())}
	for _, rel := range s.Relocs() {
		if rel.Size() == 0 {
			continue
		}
		f := typeRef{off: rel.Off(), add: rel.Add()}
		if j, ok := o.Index(rel.Sym()); ok {
			f.target = strings.Clone(o.Sym(j).Name())
		} else {
			f.target = strings.Clone(o.RefName(rel.Sym()))
		}
		r.fields = append(r.fields, f)
	}
	return r
}

// decideTypes compares a descriptor, and all notebook types it refers to, with
// those of earlier loads. It assumes that equal names mean equal types and
// then removes what differs, until nothing changes: so recursive types compare
// as Go defines identity. What remains is bound to the old descriptor.
func (ld *load) decideTypes(o *object, i int, name string) {
	group := map[string]*typeRecord{}
	ld.collectTypes(o, i, name, group)
	same := map[string]bool{}
	for n := range group {
		same[n] = ld.types[n] != nil
	}
	equalTarget := func(old *typeRecord, n string) bool {
		if ld.madeAnew(n, old.era) {
			return false
		}
		if !strings.HasPrefix(n, "type:") || !symname.MentionsNotebook(n) || strings.HasPrefix(n, "type:.") {
			return true
		}
		if ok, inGroup := same[n]; inGroup {
			return ok
		}
		return ld.typeDone[n] != nil
	}
	// A type argument need not appear in the layout.
	replaced := func(n string) bool {
		n = "type:" + n
		ok, inGroup := same[n]
		return ld.types[n] != nil && (inGroup && !ok || !inGroup && ld.changed(n))
	}
	for changed := true; changed; {
		changed = false
		for n, r := range group {
			if same[n] && (!sameLayout(ld.types[n], r, equalTarget) || symname.IsInstance(n) && slices.ContainsFunc(symname.NotebookTypes(n), replaced)) {
				same[n] = false
				changed = true
			}
		}
	}
	for n, ok := range same {
		ld.typeDone[n] = nil
		if ok {
			ld.typeDone[n] = ld.types[n]
		}
	}
}

func (ld *load) collectTypes(o *object, i int, name string, group map[string]*typeRecord) {
	if _, seen := group[name]; seen {
		return
	}
	if _, done := ld.typeDone[name]; done {
		return
	}
	group[name] = newTypeRecord(o, i, name)
	for _, rel := range o.Sym(i).Relocs() {
		if j, ok := o.Index(rel.Sym()); ok && j < o.NumDef() {
			s := o.Sym(j)
			if n := s.Name(); isType(s, n) && symname.MentionsNotebook(n) {
				ld.collectTypes(o, j, n, group)
			}
		}
	}
	if !o.main || !symname.IsInstance(name) {
		return
	}
	for _, t := range symname.NotebookTypes(name) {
		if j, ok := ld.descriptor("type:" + t); ok {
			ld.collectTypes(o, j, "type:"+t, group)
		}
	}
}

// sameLayout compares two descriptors of one name, methods aside: a type that
// gained or lost methods is still the same type.
func sameLayout(old, r *typeRecord, equalTarget func(*typeRecord, string) bool) bool {
	if !bytes.Equal(old.comparable(), r.comparable()) {
		return false
	}
	a, b := old.identity(), r.identity()
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] || !equalTarget(old, b[i].target) {
			return false
		}
	}
	return true
}

func (r *typeRecord) kind() uint8 { return r.data[goruntime.TypeKindOff] & 31 }
func (r *typeRecord) hasUncommon() bool {
	return r.data[goruntime.TypeTFlagOff]&goruntime.TFlagUncommon != 0
}

func (r *typeRecord) methodCount() int {
	if !r.hasUncommon() {
		return 0
	}
	return int(binary.LittleEndian.Uint16(r.data[goruntime.UncommonOff(r.kind())+4:]))
}

// unnamedStruct reports whether r describes a struct type without a name. It
// gets an uncommon part, before its fields, with its first promoted method.
func (r *typeRecord) unnamedStruct() bool {
	return r.kind() == goruntime.KindStruct && r.data[goruntime.TypeTFlagOff]&goruntime.TFlagNamed == 0
}

// methodsOff is where the method table begins, at the end of the descriptor.
func (r *typeRecord) methodsOff() int {
	end := len(r.data)
	if !r.hasUncommon() {
		return end
	}
	end -= r.methodCount() * goruntime.MethodSize
	if r.kind() == goruntime.KindPointer {
		return goruntime.UncommonOff(goruntime.KindPointer) // a pointer type gets its uncommon part with its first method
	}
	return end
}

// comparable is the descriptor without what the set of methods changes.
func (r *typeRecord) comparable() []byte {
	b := bytes.Clone(r.data[:r.methodsOff()])
	b[goruntime.TypeTFlagOff] &^= goruntime.TFlagUncommon
	u := goruntime.UncommonOff(r.kind())
	switch {
	case !r.hasUncommon() || u+goruntime.UncommonSize > len(b):
	case r.unnamedStruct():
		b = append(b[:u], b[u+goruntime.UncommonSize:]...)
	default:
		clear(b[u+4 : u+12])
	}
	return b
}

// identity lists the references that make the type what it is.
func (r *typeRecord) identity() []typeRef {
	var list []typeRef
	end := int32(r.methodsOff())
	fields := int32(goruntime.UncommonOff(goruntime.KindStruct))
	for _, f := range r.fields {
		switch {
		case f.off == goruntime.TypeEqualOff, f.off == goruntime.TypeGCDataOff, f.off == goruntime.TypePtrThisOff, f.off >= end:
			continue
		case r.unnamedStruct() && f.off == goruntime.StructFieldsOff:
			f.add = 0 // the place of its own fields
		case r.unnamedStruct() && r.hasUncommon() && f.off >= fields:
			if f.off < fields+goruntime.UncommonSize {
				continue
			}
			f.off -= goruntime.UncommonSize
		}
		list = append(list, f)
	}
	return list
}

// itabOf resolves an interface table. The runtime knows one per pair of
// interface and concrete type, and code compares addresses.
func (ld *load) itabOf(o *object, i int) (target, error) {
	var pair [2]target
	for _, r := range o.Sym(i).Relocs() {
		if r.Size() != 8 || r.Off() != 0 && r.Off() != 8 {
			continue
		}
		t, err := ld.resolve(o, r.Sym())
		if err != nil {
			return target{}, err
		}
		pair[r.Off()/8] = t
	}
	if n := ld.itabs[pair]; n != nil {
		return target{node: n}, nil
	}
	if pair[0].node == nil && pair[1].node == nil {
		m := ld.host.FindItab(pair[0].addr, pair[1].addr)
		if r := ld.retired[typePair{pair[0].addr, pair[1].addr}]; r != nil {
			m = r.m // this load brings the methods back
		}
		if m != nil {
			if m.Hash == 0 { // made by the runtime, which leaves out what type switches need
				m.Hash = goruntime.TypeHash(m.Typ)
			}
			return target{addr: goruntime.AddressOf(m)}, nil
		}
	}
	n := ld.place(o, i)
	n.itab = pair
	ld.itabs[pair] = n
	return target{node: n}, nil
}
