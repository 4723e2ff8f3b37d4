package codec

import (
	"encoding/binary"
	"reflect"
	"unsafe"
)

// A padding lists the bytes of a value without pointers that hold no data: the bytes between
// and after the fields of a struct, and its fields named _. An encoding has zeros there.
// Otherwise equal values could have different encodings, and a receiver on another machine
// could read memory that the sender has used for something else before.
type padding struct {
	size   uintptr // of the value, in bytes
	gaps   []gap
	arrays []paddedArray

	// The gaps for clear, which sets short ones to zero by masking words of eight bytes. That takes a
	// fraction of the time.
	words []maskedWord
	long  []gap
}

// A maskedWord is a word of eight bytes in a value: mask has ones for the bytes with data.
type maskedWord struct {
	at   uintptr
	mask uint64
}

const wordSize = 8

// A gap is a range of bytes; to is exclusive.
type gap struct{ from, to uintptr }

// A paddedArray is an array whose elements have padding.
type paddedArray struct {
	gap
	elem *padding
}

// maxGaps is the largest number of gaps that are listed for an array. The elements of an array
// with more gaps share one list.
const maxGaps = 16

// paddingOf returns the padding of a type without pointers, or nil if it has none.
func paddingOf(t reflect.Type) *padding {
	p := &padding{size: t.Size()}
	switch t.Kind() {
	case reflect.Array:
		p.addArray(t)
	case reflect.Struct:
		var end uintptr // of the last field with data
		for i := range t.NumField() {
			f := t.Field(i)
			if f.Name == "_" {
				continue
			}
			p.addGap(end, f.Offset)
			p.addPart(paddingOf(f.Type), f.Offset)
			end = f.Offset + f.Type.Size()
		}
		p.addGap(end, t.Size())
	}
	if len(p.gaps)+len(p.arrays) == 0 {
		return nil
	}
	for _, g := range p.gaps {
		if p.size < wordSize || g.to-g.from > 2*wordSize {
			p.long = append(p.long, g)
			continue
		}
		for i := g.from; i < g.to; i++ {
			p.maskByte(i)
		}
	}
	return p
}

// maskByte adds byte i to those that clear sets to zero.
func (p *padding) maskByte(i uintptr) {
	at := min(i/wordSize*wordSize, p.size-wordSize)
	last := len(p.words) - 1
	if last < 0 || p.words[last].at != at {
		p.words = append(p.words, maskedWord{at, ^uint64(0)})
		last++
	}
	p.words[last].mask &^= 0xff << (8 * (i - at))
}

func (p *padding) addArray(t reflect.Type) {
	elem := paddingOf(t.Elem())
	switch {
	case elem == nil || t.Len() == 0:
	case len(elem.arrays) > 0 || len(elem.gaps)*t.Len() > maxGaps:
		p.arrays = append(p.arrays, paddedArray{gap{0, t.Size()}, elem})
	default:
		for i := range t.Len() {
			p.addPart(elem, uintptr(i)*elem.size)
		}
	}
}

func (p *padding) addGap(from, to uintptr) {
	switch last := len(p.gaps) - 1; {
	case from == to:
	case last >= 0 && p.gaps[last].to == from:
		p.gaps[last].to = to
	default:
		p.gaps = append(p.gaps, gap{from, to})
	}
}

// addPart adds the padding of a part that begins at offset; part may be nil.
func (p *padding) addPart(part *padding, offset uintptr) {
	if part == nil {
		return
	}
	for _, g := range part.gaps {
		p.addGap(offset+g.from, offset+g.to)
	}
	for _, a := range part.arrays {
		p.arrays = append(p.arrays, paddedArray{gap{offset + a.from, offset + a.to}, a.elem})
	}
}

// encode encodes the n values in the memory at values.
func (p *padding) encode(w *Writer, values unsafe.Pointer, n int) {
	bytes := uintptr(n) * p.size
	w.B = append(w.B, unsafe.Slice((*byte)(values), bytes)...)
	p.clear(w.B[uintptr(len(w.B))-bytes:])
}

// clear sets the padding of the values in b to zero.
func (p *padding) clear(b []byte) {
	for _, w := range p.words {
		for at := w.at; at < uintptr(len(b)); at += p.size {
			word := b[at:][:wordSize]
			binary.LittleEndian.PutUint64(word, binary.LittleEndian.Uint64(word)&w.mask)
		}
	}
	if len(p.long)+len(p.arrays) == 0 {
		return
	}
	for ; len(b) > 0; b = b[p.size:] {
		for _, g := range p.long {
			clear(b[g.from:g.to])
		}
		for _, a := range p.arrays {
			a.elem.clear(b[a.from:a.to])
		}
	}
}
