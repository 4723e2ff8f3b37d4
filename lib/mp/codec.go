package mp

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"unsafe"
)

// A codec writes and reads the values of one type. Parent and child run the
// same code, so nothing describes the type on the wire, and values without
// pointers are their own encoding.
type codec struct {
	typ    reflect.Type
	fixed  bool // the memory of the value is its encoding
	size   uintptr
	least  uintptr // bytes that a value takes when encoded, at least
	encode func(w *writer, p unsafe.Pointer)
	decode func(r *reader, p unsafe.Pointer)
	elem   *codec // of a slice whose elements are their own encoding
}

// A writer collects encoded values. The first error stays, with the place in
// the value: the codecs that it passes on its way out put their part before it.
type writer struct {
	b     []byte
	depth int
	wraps int // errors that others wrap
	err   error
	path  string
}

// maxPath bounds the length of a place: a cycle's has no end.
const maxPath = 200

func (w *writer) within(part string) {
	w.path = part + w.path[:min(len(w.path), maxPath)]
}

// failure is the error of the value that was just written with c.
func (w *writer) failure(c *codec) error {
	if w.err == nil {
		return nil
	}
	return fmt.Errorf("mp: %s%s %w", typeName(c.typ), w.path, w.err)
}

// A reader takes values off b. The first error stays, and stops reading. bad
// is why a part of the current value was refused by its own type: what follows
// can still be read.
type reader struct {
	b     []byte
	depth int
	err   error
	bad   error
}

// outcome is the error of the value that was just read.
func (r *reader) outcome() error {
	err := r.err
	if err == nil {
		err, r.bad = r.bad, nil
	}
	return err
}

// maxDepth bounds how deeply pointers, slices and maps may be nested in one
// value; what is deeper is taken for a cycle.
const maxDepth = 10_000

// codecs caches a codec or an error for each type. Types are few and live as
// long as the process.
var codecs sync.Map // reflect.Type → cached

type cached struct {
	c   *codec
	err error
}

func codecOf(t reflect.Type) (*codec, error) {
	if v, ok := codecs.Load(t); ok {
		return v.(cached).c, v.(cached).err
	}
	b := builder{building: make(map[reflect.Type]*codec)}
	c, err := b.build(t, typeName(t))
	if err != nil {
		c, err = nil, fmt.Errorf("mp: cannot send a %v to another process: %w", t, err)
	}
	codecs.Store(t, cached{c, err})
	return c, err
}

// codecLike is codecOf for what pointer points to. Generic code calls it: with
// reflect.Type in it, each package that calls that would compile the methods of
// reflect's types.
//
//go:noinline
func codecLike(pointer any) (*codec, error) { return codecOf(reflect.TypeOf(pointer).Elem()) }

// encode encodes a value at p.
func (e *elem) encode(p unsafe.Pointer) ([]byte, error) {
	c, err := codecLike(e.like)
	if err != nil {
		return nil, err
	}
	var w writer
	c.put(&w, p)
	return w.b, w.failure(c)
}

// decode reads one value that fills b to p.
func (e *elem) decode(b []byte, p unsafe.Pointer) error {
	c, err := codecLike(e.like)
	if err != nil {
		return err
	}
	r := reader{b: b}
	c.get(&r, p)
	if r.err == nil && len(r.b) != 0 {
		r.err = errMalformed
	}
	return c.cannotReceive(r.outcome())
}

// cannotReceive wraps an outcome that is not nil.
func (c *codec) cannotReceive(err error) error {
	if err == nil {
		return nil
	}
	return within(fmt.Sprintf("cannot receive a %v", c.typ), err)
}

func (c *codec) put(w *writer, p unsafe.Pointer) {
	if c.fixed {
		w.b = append(w.b, unsafe.Slice((*byte)(p), c.size)...)
		return
	}
	if w.err == nil {
		c.encode(w, p)
	}
}

func (c *codec) get(r *reader, p unsafe.Pointer) {
	if c.fixed {
		copy(unsafe.Slice((*byte)(p), c.size), r.take(c.size))
		return
	}
	if r.err == nil {
		c.decode(r, p)
	}
}

// putAll and getAll handle n values that lie in a row.
func (c *codec) putAll(w *writer, p unsafe.Pointer, n int) {
	if c.fixed {
		w.b = append(w.b, unsafe.Slice((*byte)(p), uintptr(n)*c.size)...)
		return
	}
	for i := range n {
		c.put(w, unsafe.Add(p, uintptr(i)*c.size))
		if w.err != nil {
			w.within("[" + strconv.Itoa(i) + "]")
			return
		}
	}
}

func (c *codec) getAll(r *reader, p unsafe.Pointer, n int) {
	if c.fixed {
		if total := uintptr(n) * c.size; total > 0 {
			copy(unsafe.Slice((*byte)(p), total), r.take(total))
		}
		return
	}
	for i := 0; i < n && r.err == nil; i++ {
		c.get(r, unsafe.Add(p, uintptr(i)*c.size))
	}
}

// putLen writes n+1, or 0 for nil.
func (w *writer) putLen(n int, isNil bool) {
	if isNil {
		n = -1
	}
	w.b = binary.AppendUvarint(w.b, uint64(n+1))
}

// maxLen bounds lengths of what takes no bytes.
const maxLen = 1 << 48

// takeLen undoes putLen. A length of items that take at least min bytes each
// cannot be more than what is left: a corrupt one allocates nothing.
func (r *reader) takeLen(min uintptr) (n int, isNil bool) {
	u, k := binary.Uvarint(r.b)
	if k <= 0 || u > maxLen || (min > 0 && u > uint64(len(r.b))/uint64(min)+1) {
		r.fail(errMalformed)
		return 0, true
	}
	r.b = r.b[k:]
	return int(u) - 1, u == 0
}

// take returns the next n bytes, or fewer after an error.
func (r *reader) take(n uintptr) []byte {
	if uintptr(len(r.b)) < n {
		r.fail(errMalformed)
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// reject refuses a part of a value that was read to its end.
func (r *reader) reject(err error) {
	if r.bad == nil {
		r.bad = err
	}
}

func (w *writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// enter counts a level of nesting; it reports whether to go on.
func (w *writer) enter() bool {
	if w.depth++; w.depth > maxDepth {
		w.fail(fmt.Errorf("is nested more than %d levels deep: is there a cycle of pointers?", maxDepth))
	}
	return w.err == nil
}

func (w *writer) leave() { w.depth-- }

// enter and leave are those of a writer, against corrupt bytes.
func (r *reader) enter() bool {
	if r.depth++; r.depth > maxDepth {
		r.fail(errMalformed)
	}
	return r.err == nil
}

func (r *reader) leave() { r.depth-- }
