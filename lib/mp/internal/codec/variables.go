package codec

import (
	"encoding/binary"
	"reflect"
	"slices"
	"sync"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/program"
)

// An error that a package variable holds, such as io.EOF, is the same error in every
// process that runs the same binary. It is recognized by its address: it is in a
// variable that held it when the program began, or it is an object in the binary's
// data. An error that was assigned to a variable later is not recognized.
//
// All variables of a binary lie in its writable segments. Variables of type error are
// found by the type in their interface table, also in a stripped binary. The type of a
// variable that holds a pointer is not recorded in the binary: the sender sends the
// type, with a checksum.

// The first byte of an id says where the error was found.
const (
	foundKnown    byte = iota // an index in known
	foundVariable             // a variable of type error
	foundPointer              // a variable that holds a pointer
	foundObject               // an object in the binary's data: a variable, or the initial value of one
)

// errorVariables records the values of this process's variables after initialization.
var errorVariables struct {
	once     sync.Once
	mu       sync.Mutex
	errors   []errorAt
	pointers []pointerAt
}

type errorAt struct {
	addr uintptr
	err  error
}

// A pointerAt records a variable that holds a pointer into the heap. It does not keep
// the object alive: the record is valid while the variable still holds value.
type pointerAt struct{ addr, value uintptr }

// RecordAll records the errors that the binary's variables hold. Only the first call has an
// effect; it must precede the first call of a user's function.
func RecordAll() {
	errorVariables.once.Do(func() {
		for _, s := range program.VariableRanges() {
			RecordRange(s)
		}
	})
}

func RecordRange(r program.Range) {
	v := &errorVariables
	v.mu.Lock()
	defer v.mu.Unlock()
	v.errors = slices.DeleteFunc(v.errors, func(e errorAt) bool { return r.Contains(e.addr) })
	v.pointers = slices.DeleteFunc(v.pointers, func(p pointerAt) bool { return r.Contains(p.addr) })
	scanVariables(r.Start, r.End, addressOfHeap())
}

// scanVariables records the errors and heap pointers among the words from start to end.
// heap is the result of addressOfHeap. It tests first whether a word points to an
// interface table. The runtime places the heap at a random address, which is next to the
// binary in about one of a thousand processes; then interface tables are among the
// addresses that count as the heap.
func scanVariables(start, end, heap uintptr) {
	errorType := descriptorOf(reflect.TypeFor[error]())
	constants, _ := program.Loaded()
	low, high := program.Ends()
	readable := func(addr uintptr) bool {
		return low <= addr && addr < high && program.InSegment(addr) || constants.Contains(addr)
	}
	end = min(end, start+program.MaxScan) &^ (program.WordSize - 1)
	for p := start; p < end; p += program.WordSize {
		word := program.WordAt(p)
		switch {
		case word == 0 || word%program.WordSize != 0:
		case p+program.WordSize < end && program.WordAt(p+program.WordSize) != 0 && readable(word) && readable(word+program.WordSize) && program.WordAt(word) == errorType:
			errorVariables.errors = append(errorVariables.errors, errorAt{p, *(*error)(program.PointerTo(p))})
		case word-heap < heapSize:
			errorVariables.pointers = append(errorVariables.pointers, pointerAt{p, word})
		}
	}
}

// heapSize is a size, in bytes, of an address range that contains Go's heap.
const heapSize = 1 << 36 >> (4 * (8 - program.WordSize))

// addressOfHeap returns an address that is before the heap, by less than half of heapSize.
func addressOfHeap() uintptr {
	return uintptr(unsafe.Pointer(new([64]byte))) - heapSize/2
}

// variableID returns an id of the package variable that holds err, or of the object in
// the binary's data that err points to, or "" if there is neither.
func variableID(err error) string {
	v := reflect.ValueOf(err)
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return ""
	}
	for i, k := range known() {
		if isSame(err, k) {
			return string([]byte{foundKnown, byte(i)})
		}
	}
	RecordAll()
	errorVariables.mu.Lock()
	defer errorVariables.mu.Unlock()
	for _, v := range errorVariables.errors {
		if isSame(err, v.err) {
			return string([]byte{foundVariable}) + placeID(v.addr, "")
		}
	}
	if v.Kind() != reflect.Pointer || v.Type().Elem().Size() == 0 {
		return ""
	}
	found, addr := foundObject, v.Pointer()
	if !program.IsVariable(addr) {
		if found, addr = foundPointer, pointerVariable(addr); addr == 0 {
			return ""
		}
	}
	id, e := typeID(v.Type())
	if e != nil {
		return ""
	}
	return string([]byte{found}) + placeID(addr, string(id)) + string(id)
}

// isSame reports whether a and b have the same type and address.
func isSame(a, b error) bool {
	return (*[2]uintptr)(unsafe.Pointer(&a))[1] == (*[2]uintptr)(unsafe.Pointer(&b))[1] && reflect.TypeOf(a) == reflect.TypeOf(b)
}

// pointerVariable returns the address of a variable that has held value since
// initialization, or 0.
func pointerVariable(value uintptr) uintptr {
	for _, v := range errorVariables.pointers {
		if v.value == value && program.WordAt(v.addr) == value {
			return v.addr
		}
	}
	return 0
}

// variableAt returns the error that an id of variableID names, or nil if there is no
// such variable. The caller compares it with the error that was sent.
func variableAt(id string) error {
	if len(id) == 2 && id[0] == foundKnown && int(id[1]) < len(known()) {
		return known()[id[1]]
	}
	if len(id) < 1+placeSize {
		return nil
	}
	RecordAll()
	errorVariables.mu.Lock()
	defer errorVariables.mu.Unlock()
	addr, description, err := placeAt(id[1 : 1+placeSize])
	if err != nil || addr%program.WordSize != 0 {
		return nil
	}
	if id[0] == foundVariable {
		i := slices.IndexFunc(errorVariables.errors, func(v errorAt) bool { return v.addr == addr })
		if i < 0 {
			return nil
		}
		return errorVariables.errors[i].err
	}
	name := id[1+placeSize:]
	if describedBy(name) != description {
		return nil
	}
	return pointedTo(id[0], addr, name)
}

// pointedTo returns the error of a pointer type that was found at addr, or nil.
// typeName is the encoding of the type.
func pointedTo(found byte, addr uintptr, typeName string) error {
	r := Reader{B: binary.AppendUvarint(nil, uint64(len(typeName)+1))}
	r.B = append(r.B, typeName...)
	t := r.takeType()
	if r.Err != nil || t.Kind() != reflect.Pointer || !t.Implements(reflect.TypeFor[error]()) {
		return nil
	}
	if found == foundPointer {
		i := slices.IndexFunc(errorVariables.pointers, func(v pointerAt) bool { return v.addr == addr })
		if i < 0 || program.WordAt(addr) != errorVariables.pointers[i].value {
			return nil
		}
		addr = program.WordAt(addr)
	} else if !program.IsVariable(addr) || !program.IsVariable(addr+t.Elem().Size()-1) {
		return nil
	}
	err, _ := reflect.NewAt(t.Elem(), program.PointerTo(addr)).Convert(t).Interface().(error)
	return err
}
