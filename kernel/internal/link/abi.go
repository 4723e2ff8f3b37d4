package link

import (
	"reflect"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/platform"
)

// Offsets into internal/abi.Type and the structures that begin with it.
const (
	typeSizeOff     = 0
	typePtrBytesOff = 8
	typeHashOff     = 16
	typeTFlagOff    = 20
	typeKindOff     = 23
	typeEqualOff    = 24
	typeGCDataOff   = 32
	typeStrOff      = 40
	typePtrThisOff  = 44
	typeHeader      = 48

	tflagUncommon  = 1 << 0
	tflagExtraStar = 1 << 1
	tflagNamed     = 1 << 2

	structFieldsOff = 56
	structFieldSize = 24

	uncommonSize = 16
	methodSize   = 16
)

const (
	kindArray     = 17
	kindChan      = 18
	kindFunc      = 19
	kindInterface = 20
	kindMap       = 21
	kindPointer   = 22
	kindSlice     = 23
	kindString    = 24
	kindStruct    = 25
	kindUnsafePtr = 26
)

// uncommonOff is where the uncommonType of a type of this kind stands.
func uncommonOff(kind uint8) int {
	switch kind {
	case kindPointer, kindSlice, kindFunc:
		return 56
	case kindChan:
		return 64
	case kindArray:
		return 72
	case kindInterface, kindStruct:
		return 80
	case kindMap:
		return mapTypeSize
	}
	return typeHeader
}

func typeHash(t uintptr) uint32 { return platform.Read[uint32](t + typeHashOff) }

func typeKind(t uintptr) uint8 { return platform.Read[uint8](t+typeKindOff) & 31 }

// pointerMask calls set with the offset of every word of type t that may hold
// a pointer.
func pointerMask(t, off uintptr, set func(off uintptr)) {
	if platform.Read[uintptr](t+typePtrBytesOff) == 0 {
		return
	}
	switch typeKind(t) {
	case kindArray:
		elem, n := platform.Read[uintptr](t+48), platform.Read[uintptr](t+64)
		for i := range n {
			pointerMask(elem, off+i*platform.Read[uintptr](elem), set)
		}
	case kindStruct:
		fields, n := platform.Read[uintptr](t+structFieldsOff), platform.Read[uintptr](t+structFieldsOff+8)
		for i := range n {
			f := fields + i*structFieldSize
			pointerMask(platform.Read[uintptr](f+8), off+platform.Read[uintptr](f+16), set)
		}
	case kindInterface:
		set(off)
		set(off + 8)
	default: // pointers, and strings and slices, whose pointer comes first
		set(off)
	}
}

// typeAt makes a reflect.Type of the descriptor at p.
func typeAt(p unsafe.Pointer) reflect.Type {
	var v any
	(*[2]unsafe.Pointer)(unsafe.Pointer(&v))[0] = p
	return reflect.TypeOf(v)
}

// descriptorOf is the address of a type's descriptor.
func descriptorOf(t reflect.Type) uintptr {
	return uintptr((*[2]unsafe.Pointer)(unsafe.Pointer(&t))[1])
}

func methodCount(t uintptr) uint16 {
	if platform.Read[uint8](t+typeTFlagOff)&tflagUncommon == 0 {
		return 0
	}
	return platform.Read[uint16](t + uintptr(uncommonOff(typeKind(t))) + 4)
}

// nameText decodes an internal/abi.Name at p, and says where its text ends.
func nameText(p uintptr) (text string, end uintptr) {
	n, shift := 0, 0
	for p++; ; shift += 7 {
		c := platform.Read[byte](p)
		p++
		n |= int(c&0x7f) << shift
		if c < 0x80 {
			break
		}
	}
	return string(platform.Bytes(p, n)), p + uintptr(n)
}

// nameAt is the text of a name, given by its offset from the module's types; 0 stands for none.
func (md *moduleData) nameAt(off int32) string {
	if off == 0 {
		return ""
	}
	s, _ := nameText(md.types + uintptr(off))
	return s
}

// typeString is the string that reflect knows a type by.
func (md *moduleData) typeString(t uintptr) string {
	s := md.nameAt(platform.Read[int32](t + typeStrOff))
	if platform.Read[uint8](t+typeTFlagOff)&tflagExtraStar != 0 {
		s = s[1:]
	}
	return s
}
