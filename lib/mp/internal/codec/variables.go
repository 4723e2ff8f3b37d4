package codec

import (
	"encoding/binary"
	"reflect"
	"slices"
	"sync"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/program"
)

// An error that a package variable holds, such as io.EOF, is the same in every
// process that runs the same binary: it arrives as that. It is found by where
// it is: in a variable that held it when the program began, or in the
// binary's data. A variable that was given another error since is not meant.
//
// All variables of a binary lie in its writable segments. Those of the type
// error are found by the type in their interface table, as is true of a
// stripped binary. Of a variable of a pointer type only the sender knows the
// type; it sends that, with a checksum.

// The place where an error was found, as the first byte of an id.
const (
	foundKnown    byte = iota // a place in known
	foundVariable             // a variable of type error
	foundPointer              // a variable of a pointer type
	foundObject               // in the data of the binary: a variable's address, or what one was initialized with
)

// errorVariables is what variables of this process held when they had been
// initialized.
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

// A pointerAt is a variable that may hold a pointer to the heap. It does not
// keep what that points to: it counts while the variable holds it.
type pointerAt struct{ addr, value uintptr }

// RecordAll looks at the variables of the binary. It must be called
// before a user's function runs.
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
	scanVariables(r.Start, r.End)
}

// scanVariables finds errors among the words between two addresses.
func scanVariables(start, end uintptr) {
	errorType := descriptorOf(reflect.TypeFor[error]())
	heap := addressOfHeap()
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
		case word-heap < heapSize:
			errorVariables.pointers = append(errorVariables.pointers, pointerAt{p, word})
		case p+program.WordSize < end && program.WordAt(p+program.WordSize) != 0 && readable(word) && readable(word+program.WordSize) && program.WordAt(word) == errorType:
			errorVariables.errors = append(errorVariables.errors, errorAt{p, *(*error)(program.PointerTo(p))})
		}
	}
}

// heapSize is an upper limit of the size of Go's address range for the heap.
const heapSize = 1 << 36 >> (4 * (8 - program.WordSize))

// addressOfHeap returns an address that is before the heap, by less than half of heapSize.
func addressOfHeap() uintptr {
	return uintptr(unsafe.Pointer(new([64]byte))) - heapSize/2
}

// variableID names the package variable, or the object of the binary, that err
// is, or returns "".
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

// isSame reports whether two errors are one: of one type, in one place.
func isSame(a, b error) bool {
	return (*[2]uintptr)(unsafe.Pointer(&a))[1] == (*[2]uintptr)(unsafe.Pointer(&b))[1] && reflect.TypeOf(a) == reflect.TypeOf(b)
}

// pointerVariable returns the address of a variable that has always held value.
func pointerVariable(value uintptr) uintptr {
	for _, v := range errorVariables.pointers {
		if v.value == value && program.WordAt(v.addr) == value {
			return v.addr
		}
	}
	return 0
}

// variableAt undoes variableID. It returns nil if there is no such variable; the
// caller compares the error with the one that was sent.
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

// pointedTo makes the error of a pointer type that was found at addr.
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
