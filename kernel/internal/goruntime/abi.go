package goruntime

import (
	"reflect"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/platform"
)

// Offsets and sizes of internal/abi.Type and of the structures that begin with it, in bytes.
const (
	typeSizeOff     = 0
	typePtrBytesOff = 8
	typeHashOff     = 16
	TypeTFlagOff    = 20
	TypeKindOff     = 23
	TypeEqualOff    = 24
	TypeGCDataOff   = 32
	typeStrOff      = 40
	TypePtrThisOff  = 44
	TypeHeader      = 48

	TFlagUncommon  = 1 << 0
	tflagExtraStar = 1 << 1
	TFlagNamed     = 1 << 2

	StructFieldsOff = 56
	StructFieldSize = 24

	UncommonSize = 16
	MethodSize   = 16
)

const (
	KindArray     = 17
	KindChan      = 18
	KindFunc      = 19
	kindInterface = 20
	KindMap       = 21
	KindPointer   = 22
	KindSlice     = 23
	kindString    = 24
	KindStruct    = 25
	kindUnsafePtr = 26
)

// UncommonOff returns the byte offset of the abi.UncommonType in the descriptor of a type of the given kind.
func UncommonOff(kind uint8) int {
	switch kind {
	case KindPointer, KindSlice, KindFunc:
		return 56
	case KindChan:
		return 64
	case KindArray:
		return 72
	case kindInterface, KindStruct:
		return 80
	case KindMap:
		return mapTypeSize
	}
	return TypeHeader
}

// TypeHash returns the hash of the type whose descriptor is at t.
func TypeHash(t uintptr) uint32 { return platform.Read[uint32](t + typeHashOff) }

// TypeKind returns the reflect.Kind of the type whose descriptor is at t.
func TypeKind(t uintptr) uint8 { return platform.Read[uint8](t+TypeKindOff) & 31 }

// PointerMask calls set for every word of a value of type t that may hold a pointer. The argument of set is off plus
// the offset of the word.
func PointerMask(t, off uintptr, set func(off uintptr)) {
	if platform.Read[uintptr](t+typePtrBytesOff) == 0 {
		return
	}
	switch TypeKind(t) {
	case KindArray:
		elem, n := platform.Read[uintptr](t+48), platform.Read[uintptr](t+64)
		for i := range n {
			PointerMask(elem, off+i*platform.Read[uintptr](elem), set)
		}
	case KindStruct:
		fields, n := platform.Read[uintptr](t+StructFieldsOff), platform.Read[uintptr](t+StructFieldsOff+8)
		for i := range n {
			f := fields + i*StructFieldSize
			PointerMask(platform.Read[uintptr](f+8), off+platform.Read[uintptr](f+16), set)
		}
	case kindInterface:
		set(off)
		set(off + 8)
	default: // pointers, and strings and slices, whose pointer comes first
		set(off)
	}
}

// TypeAt returns the reflect.Type for the type descriptor at p.
func TypeAt(p unsafe.Pointer) reflect.Type {
	var v any
	(*[2]unsafe.Pointer)(unsafe.Pointer(&v))[0] = p
	return reflect.TypeOf(v)
}

// descriptorOf returns the address of a type's descriptor.
func descriptorOf(t reflect.Type) uintptr {
	return uintptr((*[2]unsafe.Pointer)(unsafe.Pointer(&t))[1])
}

// MethodCount returns the number of methods in the descriptor at t.
func MethodCount(t uintptr) uint16 {
	if platform.Read[uint8](t+TypeTFlagOff)&TFlagUncommon == 0 {
		return 0
	}
	return platform.Read[uint16](t + uintptr(UncommonOff(TypeKind(t))) + 4)
}

// NameText returns the text of the internal/abi.Name at p, and the address after the name.
func NameText(p uintptr) (text string, end uintptr) {
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

// NameAt returns the text of the name at offset off from the module's types. It returns "" for offset 0.
func (md *ModuleData) NameAt(off int32) string {
	if off == 0 {
		return ""
	}
	s, _ := NameText(md.Types + uintptr(off))
	return s
}

// TypeString returns the string of the type whose descriptor is at t, as reflect.Type.String does.
func (md *ModuleData) TypeString(t uintptr) string {
	s := md.NameAt(platform.Read[int32](t + typeStrOff))
	if platform.Read[uint8](t+TypeTFlagOff)&tflagExtraStar != 0 {
		s = s[1:]
	}
	return s
}
