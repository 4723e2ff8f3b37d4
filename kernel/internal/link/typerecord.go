package link

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goruntime"
)

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

// sameLayout reports whether two descriptors of one name are equal except for methods: a type that
// gains or loses methods is still the same type. equalTarget compares the types that they refer to.
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

// unnamedStruct reports whether r describes a struct type without a name. Such a descriptor has
// an uncommon part, before its fields, only if the type has promoted methods.
func (r *typeRecord) unnamedStruct() bool {
	return r.kind() == goruntime.KindStruct && r.data[goruntime.TypeTFlagOff]&goruntime.TFlagNamed == 0
}

// methodsOff returns the offset of the part of the descriptor that depends on the methods: the method table at the end, for a
// pointer type also the uncommon part before it.
func (r *typeRecord) methodsOff() int {
	end := len(r.data)
	if !r.hasUncommon() {
		return end
	}
	end -= r.methodCount() * goruntime.MethodSize
	if r.kind() == goruntime.KindPointer {
		return goruntime.UncommonOff(goruntime.KindPointer) // a pointer type has an uncommon part only if it has methods
	}
	return end
}

// comparable returns the descriptor without the parts that depend on the methods.
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

// identity returns the references that determine the identity of the type, without those of methods.
func (r *typeRecord) identity() []typeRef {
	var list []typeRef
	end := int32(r.methodsOff())
	fields := int32(goruntime.UncommonOff(goruntime.KindStruct))
	for _, f := range r.fields {
		switch {
		case f.off == goruntime.TypeEqualOff, f.off == goruntime.TypeGCDataOff, f.off == goruntime.TypePtrThisOff, f.off >= end:
			continue
		case r.unnamedStruct() && f.off == goruntime.StructFieldsOff:
			f.add = 0 // ignore the offset of the fields, which depends on the uncommon part
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

// methods returns the references of the method table, with offsets from its beginning.
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

// noteMethodTypes adds the types of r's methods to types, with the symbols of their functions as keys. An entry of the
// method table has four fields of 4 bytes: the name, the type, and two functions.
func (r *typeRecord) noteMethodTypes(types map[string]string) {
	typ := ""
	for _, f := range r.methods() {
		switch f.off % goruntime.MethodSize {
		case 4:
			typ = f.target
		case 8, 12:
			types[f.target] = typ
		}
	}
}

// reserveUncommon returns the number of bytes to reserve after a descriptor for an uncommon part
// that the type may need later.
func (r *typeRecord) reserveUncommon() uintptr {
	if r.hasUncommon() {
		return 0
	}
	switch {
	case r.kind() == goruntime.KindPointer:
		r.hasRoom = true
		return goruntime.UncommonSize
	case r.unnamedStruct() && len(r.data) > goruntime.UncommonOff(goruntime.KindStruct):
		r.hasRoom = true
		return uintptr(len(r.data) - goruntime.UncommonOff(goruntime.KindStruct) + goruntime.StructFieldSize)
	}
	return 0
}
