package codec

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

func putString(w *Writer, p unsafe.Pointer) {
	s := *(*string)(p)
	w.PutLen(len(s), false)
	w.B = append(w.B, s...)
}

func getString(r *Reader, p unsafe.Pointer) {
	n, _ := r.takeLen(1)
	*(*string)(p) = string(r.take(uintptr(max(n, 0))))
}

func (b builder) slice(c *Codec, t reflect.Type, path string) error {
	elem, err := b.build(t.Elem(), path+"[]")
	if err != nil {
		return err
	}
	if elem.Fixed {
		c.Elem = elem
	}
	c.encode = func(w *Writer, p unsafe.Pointer) {
		s := (*[]byte)(p) // its header; the length counts elements
		w.PutLen(len(*s), *s == nil)
		if w.enter() {
			elem.EncodeAll(w, unsafe.Pointer(unsafe.SliceData(*s)), len(*s))
		}
		w.leave()
	}
	c.decode = func(r *Reader, p unsafe.Pointer) {
		n, isNil := r.takeLen(elem.least)
		v := reflect.NewAt(t, p).Elem()
		if isNil || r.Err != nil {
			v.SetZero()
			return
		}
		if bytes := uintptr(n) * elem.Size; elem.Fixed && bytes >= LargeBulk {
			if b := r.take(bytes); r.Err == nil {
				c.SetBulk(p, n, NewBulk(bytes, b))
			}
			return
		}
		if r.enter() {
			elem.getSlice(r, v, n)
		}
		r.leave()
	}
	return nil
}

// getSlice reads the n elements of the slice v. If few bytes could cause a large
// allocation, it allocates as it reads.
func (c *Codec) getSlice(r *Reader, v reflect.Value, n int) {
	room := n
	if c.Size > 0 {
		room = min(n, int((maxGrowth*uintptr(len(r.B))+minGrowth)/c.Size))
	}
	v.Set(reflect.MakeSlice(v.Type(), room, room))
	c.DecodeAll(r, v.UnsafePointer(), room)
	for i := room; i < n && r.Err == nil; i++ {
		v.Grow(1)
		v.SetLen(i + 1)
		c.Decode(r, v.Index(i).Addr().UnsafePointer())
	}
}

// The memory that a slice may take before its elements are read, in bytes: minGrowth, plus
// maxGrowth for each byte that is left to read.
const (
	maxGrowth = 64
	minGrowth = 4096
)

// Bulk returns the memory of the elements of the slice at p. The type of the elements must be
// encoded as its memory. The encoding of the slice is its length, padding and this memory.
func (c *Codec) Bulk(p unsafe.Pointer) []byte {
	s := (*[]byte)(p) // its header; the length counts elements
	return unsafe.Slice(unsafe.SliceData(*s), uintptr(len(*s))*c.Elem.Size)
}

// LargeBulk is a size in bytes. From this size on, allocating memory without clearing it first
// saves noticeable time.
const LargeBulk = 4096

// NewBulk allocates memory of the given size and copies parts into it. The memory is
// not cleared first, and must not hold pointers.
func NewBulk(bytes uintptr, parts ...[]byte) unsafe.Pointer {
	var b strings.Builder // the only way to get memory that is not cleared
	b.Grow(int(bytes))
	for _, p := range parts {
		b.Write(p)
	}
	return unsafe.Pointer(unsafe.StringData(b.String()))
}

// SetBulk sets the slice at p to the n elements in mem, memory that NewBulk has returned.
func (c *Codec) SetBulk(p unsafe.Pointer, n int, mem unsafe.Pointer) {
	*(*[]byte)(p) = unsafe.Slice((*byte)(mem), n) // its header; the length counts elements
}

// MakeBulk sets the slice at p to a new slice of n elements.
func (c *Codec) MakeBulk(p unsafe.Pointer, n int) {
	reflect.NewAt(c.typ, p).Elem().Set(reflect.MakeSlice(c.typ, n, n))
}

func (b builder) array(c *Codec, t reflect.Type, path string) error {
	elem, err := b.build(t.Elem(), path+"[]")
	if err != nil {
		return err
	}
	n := t.Len()
	c.least = uintptr(n) * elem.least
	c.encode = func(w *Writer, p unsafe.Pointer) { elem.EncodeAll(w, p, n) }
	c.decode = func(r *Reader, p unsafe.Pointer) { elem.DecodeAll(r, p, n) }
	return nil
}

func (b builder) structure(c *Codec, t reflect.Type, path string) error {
	type field struct {
		name   string
		offset uintptr
		codec  *Codec
	}
	var fields []field
	c.least = 0
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Name == "_" {
			continue // Go code cannot use its value, and == does not compare it
		}
		fc, err := b.field(f.Type, path+"."+f.Name)
		if err != nil {
			return err
		}
		c.least += fc.least
		fields = append(fields, field{f.Name, f.Offset, fc})
	}
	c.encode = func(w *Writer, p unsafe.Pointer) {
		for _, f := range fields {
			f.codec.Encode(w, unsafe.Add(p, f.offset))
			if w.Err != nil {
				w.within("." + f.name)
				return
			}
		}
	}
	c.decode = func(r *Reader, p unsafe.Pointer) {
		for _, f := range fields {
			f.codec.Decode(r, unsafe.Add(p, f.offset))
		}
	}
	return nil
}

// field makes the codec of a struct's field. A func, channel or unsafe.Pointer is
// allowed in a field if it is nil.
func (b builder) field(t reflect.Type, path string) (*Codec, error) {
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.UnsafePointer:
		reason := fmt.Errorf("a value of the type %s cannot be encoded: %s", t, refusal(t))
		return &Codec{
			typ: t, Size: t.Size(), least: 1,
			encode: func(w *Writer, p unsafe.Pointer) {
				if *(*unsafe.Pointer)(p) != nil {
					w.fail(reason)
				}
				w.B = append(w.B, 0)
			},
			decode: func(r *Reader, p unsafe.Pointer) {
				r.take(1)
				*(*unsafe.Pointer)(p) = nil
			},
		}, nil
	}
	return b.build(t, path)
}

func (b builder) pointer(c *Codec, t reflect.Type, path string) error {
	elem, err := b.build(t.Elem(), path)
	if err != nil {
		return err
	}
	c.encode = func(w *Writer, p unsafe.Pointer) {
		at := *(*unsafe.Pointer)(p)
		w.PutLen(0, at == nil)
		if at == nil {
			return
		}
		if w.enter() {
			elem.Encode(w, at)
		}
		w.leave()
	}
	c.decode = func(r *Reader, p unsafe.Pointer) {
		v := reflect.NewAt(t, p).Elem()
		if _, isNil := r.takeLen(0); isNil || r.Err != nil {
			v.SetZero()
			return
		}
		v.Set(reflect.New(t.Elem()).Convert(t))
		if r.enter() {
			elem.Decode(r, v.UnsafePointer())
		}
		r.leave()
	}
	return nil
}

func (b builder) mapping(c *Codec, t reflect.Type, path string) error {
	key, err := b.build(t.Key(), path+"[key]")
	if err != nil {
		return err
	}
	elem, err := b.build(t.Elem(), path+"[]")
	if err != nil {
		return err
	}
	c.encode = func(w *Writer, p unsafe.Pointer) {
		m := reflect.NewAt(t, p).Elem()
		w.PutLen(m.Len(), m.IsNil())
		if w.enter() {
			k, e := reflect.New(t.Key()), reflect.New(t.Elem())
			starts := make([]int, 0, m.Len())
			for it := m.MapRange(); it.Next(); {
				starts = append(starts, len(w.B))
				k.Elem().SetIterKey(it)
				e.Elem().SetIterValue(it)
				key.Encode(w, k.UnsafePointer())
				elem.Encode(w, e.UnsafePointer())
				if w.Err != nil {
					w.within(fmt.Sprintf("[%v]", k.Elem()))
					break
				}
			}
			w.sortFrom(starts)
		}
		w.leave()
	}
	c.decode = func(r *Reader, p unsafe.Pointer) {
		n, isNil := r.takeLen(key.least + elem.least)
		if key.Size == 0 && n > 1 {
			r.fail(failure.ErrMalformed)
		}
		v := reflect.NewAt(t, p).Elem()
		if isNil || r.Err != nil {
			v.SetZero()
			return
		}
		v.Set(reflect.MakeMapWithSize(t, min(n, 1<<20)))
		if !r.enter() {
			return
		}
		defer r.leave()
		for i := 0; i < n && r.Err == nil; i++ {
			k, e := reflect.New(t.Key()), reflect.New(t.Elem())
			key.Decode(r, k.UnsafePointer())
			elem.Decode(r, e.UnsafePointer())
			v.SetMapIndex(k.Elem(), e.Elem())
		}
	}
	return nil
}

// sortFrom sorts the parts of B that begin at starts and end at the next start, the last one
// at the end of B. So equal maps have equal encodings, and package cluster recognizes a task by
// its encoded argument.
func (w *Writer) sortFrom(starts []int) {
	if len(starts) < 2 {
		return
	}
	first := starts[0]
	all := bytes.Clone(w.B[first:])
	parts := make([][]byte, len(starts))
	for i, start := range starts {
		end := len(w.B)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		parts[i] = all[start-first : end-first]
	}
	slices.SortFunc(parts, bytes.Compare)
	w.B = w.B[:first]
	for _, part := range parts {
		w.B = append(w.B, part...)
	}
}
