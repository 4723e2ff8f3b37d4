// Package symindex implements the index of the symbols of an image, the executable of the worker process. Package
// image writes the index, and the worker process looks names up in it.
package symindex

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"
	"unsafe"
)

// A Symbol is a symbol of the image.
type Symbol struct {
	Name string
	ABI  uint16 // goobj.ABI0 or goobj.ABIInternal; ABI0 for symbols that are not functions
	Text bool
	// Private says that only the standard library may refer to the symbol by a linkname line. Addr is 0 if the image
	// does not contain the symbol.
	Private bool
	Addr    uint64
}

// A Builtin is a runtime function that objects refer to by number.
type Builtin struct {
	Name string
	ABI  uint16
}

// An Index maps names to addresses of the image's symbols. It uses a mapped file without reading it first: a lookup
// hashes the name and reads only the slots with that hash. Symbols of one package are next to each other, since a
// cell needs many symbols of few packages. An Index does not change and may be used concurrently.
//
// The file is little endian. It begins with a magic string, the size of the file, and the numbers of slots and
// builtins. Then come a hash table of 2^n slots of 16 bytes with open addressing, the builtins, and the names of
// builtins and groups. A group is formed by the symbols of a package. The hash table has a slot for each group, with
// the offset and the number of slots of the group's table. The group's table has the same kind of slots, one for each
// symbol, and is followed by the names of the symbols. Offsets are from the start of the file.
type Index struct {
	b        []byte
	groups   []byte
	builtins []byte

	AllowsAnyLinkname bool // see the constant AnyLinkname
}

const (
	indexMagic  = "pjindex4"
	headerSize  = len(indexMagic) + 24
	slotSize    = 16
	builtinSize = 12

	// The upper bits of a symbol's value are flags.
	slotABI0    = 1 << 63
	slotText    = 1 << 62
	slotPrivate = 1 << 61
	slotAddr    = 1<<48 - 1

	// The upper bits of a group's value are the number of bits of its table's slot numbers.
	groupBits   = 56
	groupOffset = 1<<groupBits - 1
)

// Hash returns the hash of a symbol's name.
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

// group returns the beginning of a symbol's name up to the first dot of its last element, which is a package's path
// for most symbols. Any function of the name would be correct: the group only decides which symbols are next to each
// other.
func group(name string) string {
	start := 0
	for i := range len(name) {
		switch name[i] {
		case '/':
			start = i + 1
		case '[', '(', '{', ' ':
			return upToDot(name, start)
		}
	}
	return upToDot(name, start)
}

func upToDot(name string, start int) string {
	if i := strings.IndexByte(name[start:], '.'); i >= 0 {
		return name[:start+i]
	}
	return name
}

// slots returns the number of slots of a table of n entries: the smallest power of two, from 2 on, of which at least a
// third of the slots are empty.
func slots(n int) int {
	size := 2
	for size*2 < n*3 {
		size *= 2
	}
	return size
}

// insert writes a slot with a name at offset nameAt of the file to a table.
func insert(table []byte, name string, nameAt int, value uint64) {
	mask := uint64(len(table)/slotSize - 1)
	i := Hash(name) & mask
	for binary.LittleEndian.Uint64(table[i*slotSize+8:]) != 0 {
		i = (i + 1) & mask
	}
	slot := table[i*slotSize:]
	binary.LittleEndian.PutUint32(slot, uint32(nameAt))
	binary.LittleEndian.PutUint32(slot[4:], uint32(len(name)))
	binary.LittleEndian.PutUint64(slot[8:], value)
}

func (s Symbol) value() uint64 {
	v := s.Addr
	if s.Text {
		v |= slotText
		if s.ABI == 0 {
			v |= slotABI0
		}
	}
	if s.Private {
		v |= slotPrivate
	}
	return v
}

// Encode returns the content of an index file.
func Encode(syms []Symbol, builtins []Builtin) []byte {
	members := map[string][]Symbol{}
	for _, s := range syms {
		g := group(s.Name)
		members[g] = append(members[g], s)
	}
	out := append([]byte(indexMagic), make([]byte, 8)...) // the size is known at the end
	n := slots(len(members))
	out = binary.LittleEndian.AppendUint64(out, uint64(n))
	out = binary.LittleEndian.AppendUint64(out, uint64(len(builtins)))
	builtinsAt := headerSize + n*slotSize
	out = append(out, make([]byte, n*slotSize+len(builtins)*builtinSize)...)
	for i, b := range builtins {
		entry := out[builtinsAt+i*builtinSize:]
		binary.LittleEndian.PutUint32(entry, uint32(len(out)))
		binary.LittleEndian.PutUint32(entry[4:], uint32(len(b.Name)))
		binary.LittleEndian.PutUint32(entry[8:], uint32(b.ABI))
		out = append(out, b.Name...)
	}
	names := slices.Sorted(maps.Keys(members))
	at := make([]int, len(names))
	for i, g := range names {
		at[i] = len(out)
		out = append(out, g...)
	}
	for i, g := range names {
		table := len(out)
		size := slots(len(members[g]))
		insert(out[headerSize:builtinsAt], g, at[i], uint64(table)|uint64(bits.TrailingZeros(uint(size)))<<groupBits)
		out = append(out, make([]byte, size*slotSize)...)
		for _, s := range members[g] {
			insert(out[table:table+size*slotSize], s.Name, len(out), s.value())
			out = append(out, s.Name...)
		}
	}
	binary.LittleEndian.PutUint64(out[len(indexMagic):], uint64(len(out)))
	return out
}

// Open checks the content of an index file and returns an Index that refers to b.
func Open(b []byte) (*Index, error) {
	if len(b) < headerSize || string(b[:len(indexMagic)]) != indexMagic {
		return nil, errors.New("the symbol index of the worker image is not in the expected format: restart the kernel, which then builds the worker image again")
	}
	var header [3]uint64 // the size, and the numbers of slots and builtins
	for i := range header {
		header[i] = binary.LittleEndian.Uint64(b[len(indexMagic)+8*i:])
	}
	size, n, nb, rest := header[0], header[1], header[2], b[headerSize:]
	if size != uint64(len(b)) || n == 0 || n&(n-1) != 0 || n > uint64(len(rest))/slotSize || nb > uint64(len(rest)) ||
		n*slotSize+nb*builtinSize > uint64(len(rest)) {
		return nil, errors.New("the symbol index of the worker image is truncated: restart the kernel, which then builds the worker image again")
	}
	x := &Index{b: b}
	x.groups, rest = rest[:n*slotSize], rest[n*slotSize:]
	x.builtins = rest[:nb*builtinSize]
	_, x.AllowsAnyLinkname = x.Lookup(AnyLinkname, 0)
	return x, nil
}

// str returns the string whose offset and length are in an entry.
func (x *Index) str(entry []byte) string {
	off, n := binary.LittleEndian.Uint32(entry), binary.LittleEndian.Uint32(entry[4:])
	if n == 0 {
		return ""
	}
	s := x.b[off : off+n]
	return unsafe.String(&s[0], len(s))
}

// Lookup returns the address of the symbol with this name and, for functions, this calling convention. It returns
// false if there is none.
func (x *Index) Lookup(name string, abi uint16) (uintptr, bool) {
	v := x.slot(name, abi) & slotAddr
	return uintptr(v), v != 0
}

// LinknameAllowed reports whether any package may refer to a symbol by a linkname line. known is false if the symbol
// is not in the index.
func (x *Index) LinknameAllowed(name string, abi uint16) (allowed, known bool) {
	v := x.slot(name, abi)
	return v&slotPrivate == 0, v != 0
}

func (x *Index) slot(name string, abi uint16) uint64 {
	v := x.find(x.groups, group(name), func(uint64) bool { return true })
	if v == 0 {
		return 0
	}
	at, size := v&groupOffset, uint64(slotSize)<<(v>>groupBits)
	return x.find(x.b[at:at+size], name, func(v uint64) bool {
		return v&slotText == 0 || v&slotABI0 != 0 == (abi == 0)
	})
}

// find returns the value of a name in a table, or 0. It skips values that do not fit.
func (x *Index) find(table []byte, name string, fits func(uint64) bool) uint64 {
	mask := uint64(len(table)/slotSize - 1)
	for i := Hash(name) & mask; ; i = (i + 1) & mask {
		slot := table[i*slotSize : i*slotSize+slotSize]
		v := binary.LittleEndian.Uint64(slot[8:])
		if v == 0 || x.str(slot) == name && fits(v) {
			return v
		}
	}
}

// Builtin returns the runtime function with the given number.
func (x *Index) Builtin(i uint32) (Builtin, error) {
	if uint64(i) >= uint64(len(x.builtins)/builtinSize) {
		return Builtin{}, fmt.Errorf("the symbol index of the worker image has no built-in function with the number %d", i)
	}
	b := x.builtins[i*builtinSize:]
	return Builtin{x.str(b), uint16(binary.LittleEndian.Uint32(b[8:]))}, nil
}

// AnyLinkname is the name of an index entry. The entry says that the image was linked with -checklinkname=0.
const AnyLinkname = "perijove.anyLinkname"

// TLSDistance is the name of an index entry. Its value is the distance in bytes from the thread pointer down to the
// word that holds the current goroutine.
const TLSDistance = "perijove.tlsDistance"
