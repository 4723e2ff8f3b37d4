// Package codec encodes values, types and errors for another process that runs the same
// binary.
package codec

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"unsafe"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// A Codec encodes and decodes the values of one type. Parent and child run the same
// code, so the encoding does not describe the type, and a value without pointers is
// encoded as its memory, with zeros as padding.
type Codec struct {
	typ     reflect.Type
	Fixed   bool // whether the encoding of a value is its memory, with zeros as padding
	Size    uintptr
	padding *padding // padding of a value if Fixed is set; nil if there is none
	least   uintptr  // the smallest size of an encoded value, in bytes
	encode  func(w *Writer, p unsafe.Pointer)
	decode  func(r *Reader, p unsafe.Pointer)
	Elem    *Codec // codec of the elements, if this is the codec of a slice and Elem.Fixed is true; else nil
}

// A Writer collects encoded values in B. It keeps the first error, and in path the part of the
// value in which the error happened. When a codec of a part returns, the codec around it puts
// the name of the part in front of path.
type Writer struct {
	B []byte
	// Portable is set for a receiver that may be another program, in which addresses in the
	// binary have no meaning. Errors are then sent as text.
	Portable bool

	depth int
	wraps int // how many wrapped errors were written
	Err   error
	path  string
}

// maxPath is the largest length of a path in bytes: the path of a cycle would be very long.
const maxPath = 200

func (w *Writer) within(part string) {
	w.path = part + w.path[:min(len(w.path), maxPath)]
}

// ValueErr returns the error of the value that was just written with c, or nil. The error's
// text names the part of the value.
func (w *Writer) ValueErr(c *Codec) error {
	if w.Err == nil {
		return nil
	}
	return fmt.Errorf("mp: cannot send %s%s: %w", typeName(c.typ), w.path, w.Err)
}

// A Reader decodes values from B. It keeps the first error in Err, and reads nothing
// after that error. If a user's method refuses a part of the current value, the Reader keeps
// the method's error in bad, since later values can still be read.
type Reader struct {
	B []byte
	// Portable makes the Reader refuse addresses in the binary, since a Writer with Portable set
	// does not write such addresses.
	Portable bool

	depth int
	Err   error
	bad   error
}

// ValueErr returns the error of the value that was just read, or nil.
func (r *Reader) ValueErr() error {
	err := r.Err
	if err == nil {
		err, r.bad = r.bad, nil
	}
	return err
}

// maxDepth is how deep pointers, slices and maps may be nested in one value; deeper nesting
// counts as a cycle.
const maxDepth = 10_000

// codecs caches a codec or an error for each type. Types are few and live as
// long as the process.
var codecs sync.Map // reflect.Type → cached

type cached struct {
	c   *Codec
	err error
}

// Of returns the codec of t, or an error that names the part of t that cannot be sent.
func Of(t reflect.Type) (*Codec, error) {
	if v, ok := codecs.Load(t); ok {
		return v.(cached).c, v.(cached).err
	}
	b := builder{building: make(map[reflect.Type]*Codec)}
	c, err := b.build(t, typeName(t))
	if err != nil {
		c, err = nil, fmt.Errorf("mp: cannot send %s to another process: %w", failure.WithArticle(t.String()), err)
	}
	codecs.Store(t, cached{c, err})
	return c, err
}

// OfPointee is Of for the type that pointer points to. Generic code calls it instead of
// Of: each package that calls a function with reflect.Type in its signature would
// compile the methods of reflect's types.
//
//go:noinline
func OfPointee(pointer any) (*Codec, error) { return Of(reflect.TypeOf(pointer).Elem()) }

// Marshal returns the encoding of the value at p.
func (c *Codec) Marshal(p unsafe.Pointer) ([]byte, error) { return c.MarshalFor(p, false) }

// MarshalFor is Marshal with a Writer whose field Portable is portable.
func (c *Codec) MarshalFor(p unsafe.Pointer, portable bool) ([]byte, error) {
	w := Writer{Portable: portable}
	c.Encode(&w, p)
	return w.B, w.ValueErr(c)
}

// Unmarshal decodes b, the encoding of one value, and stores the value at p.
func (c *Codec) Unmarshal(b []byte, p unsafe.Pointer) error { return c.UnmarshalFor(b, p, false) }

// UnmarshalFor is Unmarshal with a Reader whose field Portable is portable.
func (c *Codec) UnmarshalFor(b []byte, p unsafe.Pointer, portable bool) error {
	r := Reader{B: b, Portable: portable}
	c.Decode(&r, p)
	if r.Err == nil && len(r.B) != 0 {
		r.Err = failure.ErrMalformed
	}
	return c.ReceiveError(r.ValueErr())
}

// ReceiveError returns err, the error of decoding a value, with the name of the value's type in
// its text. It returns nil if err is nil.
func (c *Codec) ReceiveError(err error) error {
	if err == nil {
		return nil
	}
	return failure.Wrap("cannot receive "+failure.WithArticle(c.typ.String()), err)
}

func (c *Codec) Encode(w *Writer, p unsafe.Pointer) {
	if c.Fixed {
		if c.padding != nil {
			c.padding.encode(w, p, 1)
			return
		}
		w.B = append(w.B, unsafe.Slice((*byte)(p), c.Size)...)
		return
	}
	if w.Err == nil {
		c.encode(w, p)
	}
}

func (c *Codec) Decode(r *Reader, p unsafe.Pointer) {
	if c.Fixed {
		copy(unsafe.Slice((*byte)(p), c.Size), r.take(c.Size))
		return
	}
	if r.Err == nil {
		c.decode(r, p)
	}
}

// EncodeAll encodes the n values of an array at p, and DecodeAll decodes them.
func (c *Codec) EncodeAll(w *Writer, p unsafe.Pointer, n int) {
	if c.Fixed {
		if c.padding != nil {
			c.padding.encode(w, p, n)
			return
		}
		w.B = append(w.B, unsafe.Slice((*byte)(p), uintptr(n)*c.Size)...)
		return
	}
	for i := range n {
		c.Encode(w, unsafe.Add(p, uintptr(i)*c.Size))
		if w.Err != nil {
			w.within("[" + strconv.Itoa(i) + "]")
			return
		}
	}
}

func (c *Codec) DecodeAll(r *Reader, p unsafe.Pointer, n int) {
	if c.Fixed {
		if total := uintptr(n) * c.Size; total > 0 {
			copy(unsafe.Slice((*byte)(p), total), r.take(total))
		}
		return
	}
	for i := 0; i < n && r.Err == nil; i++ {
		c.Decode(r, unsafe.Add(p, uintptr(i)*c.Size))
	}
}

// PutLen writes the length n of a slice or map as n+1, or 0 if the slice or map is nil.
func (w *Writer) PutLen(n int, isNil bool) {
	if isNil {
		n = -1
	}
	w.B = binary.AppendUvarint(w.B, uint64(n+1))
}

// maxLen is the largest length of a slice or map whose elements take no bytes.
const maxLen = 1 << 48

// takeLen reads what PutLen wrote. min is the least number of bytes of each item: a
// length that needs more bytes than are left is an error, so corrupt data cannot cause
// a large allocation.
func (r *Reader) takeLen(min uintptr) (n int, isNil bool) {
	u, k := binary.Uvarint(r.B)
	if k <= 0 || u > maxLen || (min > 0 && u > uint64(len(r.B))/uint64(min)+1) {
		r.fail(failure.ErrMalformed)
		return 0, true
	}
	r.B = r.B[k:]
	return int(u) - 1, u == 0
}

// take returns the next n bytes, or sets Err and returns nil if there are fewer.
func (r *Reader) take(n uintptr) []byte {
	if uintptr(len(r.B)) < n {
		r.fail(failure.ErrMalformed)
		return nil
	}
	b := r.B[:n]
	r.B = r.B[n:]
	return b
}

func (r *Reader) fail(err error) {
	if r.Err == nil {
		r.Err = err
	}
}

// reject records that a part of the value, which was read to its end, is invalid.
func (r *Reader) reject(err error) {
	if r.bad == nil {
		r.bad = err
	}
}

func (w *Writer) fail(err error) {
	if w.Err == nil {
		w.Err = err
	}
}

// enter begins a level of nesting, and reports whether to go on.
func (w *Writer) enter() bool {
	if w.depth++; w.depth > maxDepth {
		w.fail(fmt.Errorf("the value is nested more than %d levels deep, so it may contain a cycle of pointers", maxDepth))
	}
	return w.Err == nil
}

func (w *Writer) leave() { w.depth-- }

// enter and leave count nesting as those of Writer do, since corrupt data may be nested
// deeply.
func (r *Reader) enter() bool {
	if r.depth++; r.depth > maxDepth {
		r.fail(failure.ErrMalformed)
	}
	return r.Err == nil
}

func (r *Reader) leave() { r.depth-- }
