// Package symindex implements the index of the symbols of an image, the worker's executable. Package image writes
// it, and the worker looks names up in it.
package symindex

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unsafe"
)

// A Symbol is a symbol of the image.
type Symbol struct {
	Name string
	ABI  uint16 // goobj.ABI0 or goobj.ABIInternal; ABI0 for anything but functions
	Text bool
	// Private says that only the standard library may refer to it by
	// //go:linkname. Addr is 0 if the image does not contain the symbol.
	Private bool
	Addr    uint64
}

// A Builtin is a runtime function that objects refer to by number.
type Builtin struct {
	Name string
	ABI  uint16
}

// An Index maps names to addresses of the image's symbols. It uses a mapped file
// without reading it first: a lookup hashes the name and reads only the slots with that hash.
// It does not change and may be used concurrently.
//
// The file is little endian. It contains the magic, the numbers of slots and builtins, a hash table of 2^n slots of 16
// bytes with open addressing, the builtins, and the strings that slots and builtins refer to.
type Index struct {
	b        []byte
	slots    []byte
	mask     uint64
	builtins []byte
	strings  []byte

	AllowsAnyLinkname bool // see AnyLinkname
}

const (
	indexMagic  = "pjindex3"
	slotSize    = 16
	builtinSize = 12

	// The upper bits of a slot's address are flags of the symbol.
	slotABI0    = 1 << 63
	slotText    = 1 << 62
	slotPrivate = 1 << 61
	slotAddr    = 1<<48 - 1
)

func Hash(name string) uint64 {
	// FNV-1a over 8 bytes at a time. The hash must be the same in every process, since
	// it is stored in files, so hash/maphash cannot be used.
	h := uint64(14695981039346656037)
	for len(name) >= 8 {
		h = (h ^ binary.LittleEndian.Uint64(unsafe.Slice(unsafe.StringData(name), 8))) * 1099511628211
		h ^= h >> 32
		name = name[8:]
	}
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h ^ h>>29
}

// Encode returns the content of an index file.
func Encode(syms []Symbol, builtins []Builtin) []byte {
	n := uint64(1024)
	for n < uint64(len(syms))*2 {
		n *= 2
	}
	var strings bytes.Buffer
	slots := make([]byte, n*slotSize)
	for _, s := range syms {
		i := Hash(s.Name) & (n - 1)
		for binary.LittleEndian.Uint64(slots[i*slotSize+8:]) != 0 {
			i = (i + 1) & (n - 1)
		}
		slot := slots[i*slotSize:]
		binary.LittleEndian.PutUint32(slot, uint32(strings.Len()))
		binary.LittleEndian.PutUint32(slot[4:], uint32(len(s.Name)))
		addr := s.Addr
		if s.Text {
			addr |= slotText
			if s.ABI == 0 {
				addr |= slotABI0
			}
		}
		if s.Private {
			addr |= slotPrivate
		}
		binary.LittleEndian.PutUint64(slot[8:], addr)
		strings.WriteString(s.Name)
	}
	var table []byte
	for _, b := range builtins {
		table = binary.LittleEndian.AppendUint32(table, uint32(strings.Len()))
		table = binary.LittleEndian.AppendUint32(table, uint32(len(b.Name)))
		table = binary.LittleEndian.AppendUint32(table, uint32(b.ABI))
		strings.WriteString(b.Name)
	}
	out := []byte(indexMagic)
	out = binary.LittleEndian.AppendUint64(out, n)
	out = binary.LittleEndian.AppendUint64(out, uint64(len(builtins)))
	return slices.Concat(out, slots, table, strings.Bytes())
}

// Open checks the content of an index file and returns an Index that refers to b.
func Open(b []byte) (*Index, error) {
	const header = len(indexMagic) + 16
	if len(b) < header || string(b[:len(indexMagic)]) != indexMagic {
		return nil, errors.New("symbol index: wrong magic; the image must be built again")
	}
	n := binary.LittleEndian.Uint64(b[len(indexMagic):])
	nb := binary.LittleEndian.Uint64(b[len(indexMagic)+8:])
	rest := b[header:]
	if n == 0 || n&(n-1) != 0 || n > uint64(len(rest))/slotSize || nb > uint64(len(rest)) ||
		n*slotSize+nb*builtinSize > uint64(len(rest)) {
		return nil, errors.New("symbol index: truncated; the image must be built again")
	}
	x := &Index{b: b, mask: n - 1}
	x.slots, rest = rest[:n*slotSize], rest[n*slotSize:]
	x.builtins, x.strings = rest[:nb*builtinSize], rest[nb*builtinSize:]
	_, x.AllowsAnyLinkname = x.Lookup(AnyLinkname, 0)
	return x, nil
}

func (x *Index) str(b []byte) string {
	off, n := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	if n == 0 {
		return ""
	}
	s := x.strings[off : off+n]
	return unsafe.String(&s[0], len(s))
}

// Lookup returns the address of a symbol by name and, for functions, calling convention.
func (x *Index) Lookup(name string, abi uint16) (uintptr, bool) {
	v := x.slot(name, abi) & slotAddr
	return uintptr(v), v != 0
}

// LinknameAllowed reports whether any package may refer to a symbol by //go:linkname. known is false
// if the symbol is not in the index.
func (x *Index) LinknameAllowed(name string, abi uint16) (allowed, known bool) {
	v := x.slot(name, abi)
	return v&slotPrivate == 0, v != 0
}

func (x *Index) slot(name string, abi uint16) uint64 {
	for i := Hash(name) & x.mask; ; i = (i + 1) & x.mask {
		slot := x.slots[i*slotSize : i*slotSize+slotSize]
		v := binary.LittleEndian.Uint64(slot[8:])
		if v == 0 {
			return 0
		}
		if x.str(slot) != name || v&slotText != 0 && (v&slotABI0 != 0) != (abi == 0) {
			continue
		}
		return v
	}
}

// Builtin returns the runtime function with the given number.
func (x *Index) Builtin(i uint32) (Builtin, error) {
	if uint64(i) >= uint64(len(x.builtins)/builtinSize) {
		return Builtin{}, fmt.Errorf("no builtin function %d", i)
	}
	b := x.builtins[i*builtinSize:]
	return Builtin{x.str(b), uint16(binary.LittleEndian.Uint32(b[8:]))}, nil
}

// AnyLinkname is an index entry that says that the image was linked
// with -checklinkname=0.
const AnyLinkname = "perijove.anyLinkname"

// TLSDistance is the index entry for the distance in bytes from the thread pointer down to
// the word that holds the current goroutine.
const TLSDistance = "perijove.tlsDistance"
