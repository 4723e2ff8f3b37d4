package codec

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"reflect"
	"sync"
	"unsafe"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/program"
)

// A value in an interface is sent with its type. Parent and child run the same code, so
// the address of its descriptor in the binary names a type. Types that reflect made are
// on the heap; they are sent as descriptions.
const (
	typeBasic  byte = iota // an index in basicTypes
	typePlaced             // the place of a descriptor in the binary
	typePointer
	typeSlice
	typeArray
	typeMap
	typeChan
	typeStruct
)

// basicTypes are encoded in two bytes. Their order is part of the encoding.
var basicTypes = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[string](), reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int16](),
	reflect.TypeFor[int32](), reflect.TypeFor[int64](), reflect.TypeFor[uint](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](),
	reflect.TypeFor[uint32](), reflect.TypeFor[uint64](), reflect.TypeFor[uintptr](), reflect.TypeFor[float32](), reflect.TypeFor[float64](),
	reflect.TypeFor[complex64](), reflect.TypeFor[complex128](), reflect.TypeFor[any](), reflect.TypeFor[[]byte](), reflect.TypeFor[[]any](),
	reflect.TypeFor[[]int](), reflect.TypeFor[[]string](), reflect.TypeFor[map[string]any](), reflect.TypeFor[error](),
}

// typeNames caches the encodings of types, and typesNamed the types of encodings. Both
// stay small.
var (
	typeNames  sync.Map // reflect.Type → typeNaming
	typesNamed sync.Map // string → reflect.Type
)

type typeNaming struct {
	id  []byte
	err error
}

// maxTypeDepth is how deep a type that reflect made may be nested, and maxTypeFields
// how many fields it may have.
const (
	maxTypeDepth  = 100
	maxTypeFields = 1 << 12
)

// typeID returns an encoding of t for another process.
func typeID(t reflect.Type) ([]byte, error) {
	if n, ok := typeNames.Load(t); ok {
		return n.(typeNaming).id, n.(typeNaming).err
	}
	id, err := appendType(nil, t, 0)
	typeNames.Store(t, typeNaming{id, err})
	return id, err
}

func appendType(b []byte, t reflect.Type, depth int) ([]byte, error) {
	if depth > maxTypeDepth {
		return nil, fmt.Errorf("the type %v is nested more than %d levels deep", t, maxTypeDepth)
	}
	for i, known := range basicTypes {
		if t == known {
			return append(b, typeBasic, byte(i)), nil
		}
	}
	if name, err := placeOfType(t); err == nil {
		return AppendStrings(append(b, typePlaced), name), nil
	}
	if t.Name() != "" {
		return nil, fmt.Errorf("the type %v was made at run time, so other processes do not have it", t)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return appendType(append(b, typePointer), t.Elem(), depth+1)
	case reflect.Slice:
		return appendType(append(b, typeSlice), t.Elem(), depth+1)
	case reflect.Array:
		return appendType(binary.AppendUvarint(append(b, typeArray), uint64(t.Len())), t.Elem(), depth+1)
	case reflect.Chan:
		return appendType(append(b, typeChan, byte(t.ChanDir())), t.Elem(), depth+1)
	case reflect.Map:
		b, err := appendType(append(b, typeMap), t.Key(), depth+1)
		if err != nil {
			return nil, err
		}
		return appendType(b, t.Elem(), depth+1)
	case reflect.Struct:
		return appendStruct(b, t, depth)
	}
	return nil, fmt.Errorf("the type %v was made at run time, so other processes do not have it", t)
}

func appendStruct(b []byte, t reflect.Type, depth int) (_ []byte, err error) {
	b = binary.AppendUvarint(append(b, typeStruct), uint64(t.NumField()))
	for i := range t.NumField() {
		f := t.Field(i)
		b = append(AppendStrings(b, f.Name, f.PkgPath, string(f.Tag)), boolByte(f.Anonymous))
		if b, err = appendType(b, f.Type, depth+1); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// takeType reads a type that typeID encoded.
func (r *Reader) takeType() reflect.Type {
	n, isNil := r.takeLen(1)
	id := r.take(uintptr(max(n, 0)))
	if r.Err != nil || isNil {
		r.fail(failure.ErrMalformed)
		return nil
	}
	if t, ok := typesNamed.Load(string(id)); ok && (!r.Portable || isPortable(t.(reflect.Type))) {
		return t.(reflect.Type)
	}
	p := Reader{B: id, Portable: r.Portable}
	t, err := p.parseType(0)
	if err == nil && len(p.B) > 0 {
		err = failure.ErrMalformed
	}
	if err != nil {
		r.fail(err)
		return nil
	}
	typesNamed.Store(string(id), t)
	return t
}

// parseType decodes what appendType encoded. For an invalid type reflect panics; that
// becomes an error.
func (r *Reader) parseType(depth int) (t reflect.Type, err error) {
	defer func() {
		if v := recover(); v != nil {
			t, err = nil, fmt.Errorf("%w: the type in the message cannot be made: %v", failure.ErrMalformed, v)
		}
	}()
	form := r.takeByte()
	if depth > maxTypeDepth || r.Err != nil {
		return nil, failure.ErrMalformed
	}
	switch form {
	case typeBasic:
		if i := int(r.takeByte()); r.Err == nil && i < len(basicTypes) {
			return basicTypes[i], nil
		}
		return nil, failure.ErrMalformed
	case typePlaced:
		name := r.takeString()
		if r.Err != nil || r.Portable {
			return nil, cmp.Or(r.Err, failure.ErrMalformed)
		}
		addr, err := typeAt(name)
		if err != nil {
			return nil, err
		}
		return typeOfDescriptor(addr), nil
	case typeStruct:
		return r.parseStruct(depth)
	}
	return r.parseComposite(form, depth)
}

func (r *Reader) parseComposite(form byte, depth int) (reflect.Type, error) {
	var n uint64
	switch form {
	case typeArray:
		if n = r.takeUvarint(); n > maxLen {
			return nil, failure.ErrMalformed
		}
	case typeChan:
		n = uint64(r.takeByte())
	case typePointer, typeSlice, typeMap:
	default:
		return nil, failure.ErrMalformed
	}
	elem, err := r.parseType(depth + 1)
	if err != nil {
		return nil, err
	}
	switch form {
	case typePointer:
		return reflect.PointerTo(elem), nil
	case typeSlice:
		return reflect.SliceOf(elem), nil
	case typeArray:
		return reflect.ArrayOf(int(n), elem), nil
	case typeChan:
		return reflect.ChanOf(reflect.ChanDir(n), elem), nil
	}
	value, err := r.parseType(depth + 1)
	if err != nil {
		return nil, err
	}
	return reflect.MapOf(elem, value), nil
}

func (r *Reader) parseStruct(depth int) (reflect.Type, error) {
	n := r.takeUvarint()
	if n > maxTypeFields {
		return nil, failure.ErrMalformed
	}
	var fields []reflect.StructField
	for range n {
		f := reflect.StructField{Name: r.takeString(), PkgPath: r.takeString(), Tag: reflect.StructTag(r.takeString()), Anonymous: r.takeByte() == 1}
		if r.Err != nil {
			return nil, r.Err
		}
		t, err := r.parseType(depth + 1)
		if err != nil {
			return nil, err
		}
		f.Type = t
		fields = append(fields, f)
	}
	return reflect.StructOf(fields), r.Err
}

func (r *Reader) takeByte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *Reader) takeUvarint() uint64 {
	u, k := binary.Uvarint(r.B)
	if k <= 0 {
		r.fail(failure.ErrMalformed)
		return 0
	}
	r.B = r.B[k:]
	return u
}

// takeString reads one string that AppendStrings wrote.
func (r *Reader) takeString() string {
	n := r.takeUvarint()
	if n > uint64(len(r.B)) {
		r.fail(failure.ErrMalformed)
		return ""
	}
	return string(r.take(uintptr(n)))
}

// descriptorOf returns the address of t's descriptor.
func descriptorOf(t reflect.Type) uintptr {
	return (*[2]uintptr)(unsafe.Pointer(&t))[1]
}

// typeOfDescriptor returns the type whose descriptor is at addr, which must not be on
// the heap.
func typeOfDescriptor(addr uintptr) reflect.Type {
	var v any
	(*[2]unsafe.Pointer)(unsafe.Pointer(&v))[0] = program.PointerTo(addr)
	return reflect.TypeOf(v)
}

// A place is the name of an address in the binary: its offset from a fixed point, a
// hash of a description, and a checksum of both. The hash detects another binary, the
// checksum bytes that are not a place. placeSize is its size in bytes.
const placeSize = 8 + 4 + 8

func placeID(addr uintptr, description string) string {
	b := binary.LittleEndian.AppendUint64(nil, uint64(addr-program.Base()))
	b = binary.LittleEndian.AppendUint32(b, describedBy(description))
	return string(binary.LittleEndian.AppendUint64(b, checksum(b)))
}

var errNoPlace = errors.New("mp: cannot find a type or variable of the program: the reference to it in a message is malformed")

// placeAt decodes what placeID encoded: the address and the hash of the description.
func placeAt(id string) (addr uintptr, description uint32, err error) {
	b := []byte(id)
	if len(b) != placeSize || binary.LittleEndian.Uint64(b[12:]) != checksum(b[:12]) {
		return 0, 0, errNoPlace
	}
	return program.Base() + uintptr(binary.LittleEndian.Uint64(b)), binary.LittleEndian.Uint32(b[8:]), nil
}

func describedBy(s string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(s))
	return h.Sum32()
}

func checksum(b []byte) uint64 {
	h := fnv.New64a()
	h.Write([]byte("mp place "))
	h.Write(b)
	return h.Sum64()
}

var errOtherBinary = errors.New("mp: parent and child run different binaries, since a type has another address in the child: start both from the same executable")

// placeOfType returns the place of a type that is in the binary, or in code that a Host
// has loaded.
func placeOfType(t reflect.Type) (string, error) {
	addr := descriptorOf(t)
	if !program.IsConstant(addr) {
		return "", errNoPlace
	}
	return placeID(addr, t.String()), nil
}

// typeAt returns the address of the type whose place placeOfType returned.
func typeAt(id string) (uintptr, error) {
	addr, description, err := placeAt(id)
	if err != nil {
		return 0, err
	}
	if !program.IsConstant(addr) || addr%program.WordSize != 0 {
		return 0, errOtherBinary
	}
	if t := typeOfDescriptor(addr); describedBy(t.String()) != description {
		return 0, errOtherBinary
	}
	return addr, nil
}
