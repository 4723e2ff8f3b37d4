package link

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/moduledata"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// layout gives every node an address. The order of code is that in which addFunctions
// adds it to the function table.
func (ld *load) layout() error {
	for _, s := range ld.stubs {
		var err error
		if s.addr, err = ld.mod.Text.Alloc(stubSize, stubSize); err != nil {
			return err
		}
		if s.slot, err = ld.mod.NoPtr.Alloc(8, 8); err != nil {
			return err
		}
	}
	for _, n := range ld.nodes {
		size := uintptr(n.sym.Size())
		if n.typ != nil {
			size += n.typ.reserveUncommon()
		}
		var err error
		if n.addr, err = ld.arenaOf(n).Alloc(max(size, 1), n.align); err != nil {
			return err
		}
	}
	return nil
}

func (ld *load) arenaOf(n *node) *moduledata.Arena {
	switch {
	case n.kind.IsText():
		return ld.mod.Text
	case n.kind.HasPointers():
		return ld.mod.Data
	case n.kind.IsVar():
		return ld.mod.NoPtr
	}
	return ld.mod.ReadOnly
}

// write copies contents and applies relocations.
func (ld *load) write() error {
	if err := ld.writeNodes(func(*node) bool { return true }); err != nil {
		return err
	}
	for _, s := range ld.stubs {
		writeStub(ld.mod.Text.Bytes(s.addr, stubSize), s)
	}
	for _, n := range ld.nodes {
		if n.kind.HasPointers() {
			if err := ld.markPointers(n); err != nil {
				return err
			}
		}
		if n.itab != [2]target{} {
			b := ld.mod.ReadOnly.Bytes(n.addr, goruntime.ItabHeaderSize)
			binary.LittleEndian.PutUint32(b[16:], ld.hashOf(n.itab[1]))
		}
	}
	return nil
}

func (ld *load) writeNodes(which func(*node) bool) error {
	for _, n := range ld.nodes {
		if !which(n) {
			continue
		}
		b := ld.arenaOf(n).Bytes(n.addr, int(n.sym.Size()))
		copy(b, n.sym.Data())
		shortenName(n, b)
		for i, r := range n.relocs {
			if err := ld.relocate(n, b, r, n.values[i]); err != nil {
				return fmt.Errorf("cannot relocate the symbol %s; this is a bug in Perijove; please report it: %w", n.name, err)
			}
		}
		if n.typ != nil && n.typ.hasRoom && n.typ.kind() == goruntime.KindStruct {
			ld.moveFields(n)
		}
	}
	return nil
}

func (ld *load) hashOf(t target) uint32 {
	if t.node != nil {
		return goruntime.TypeHash(t.node.addr)
	}
	return goruntime.TypeHash(t.addr)
}

// markPointers marks the words of a variable that hold pointers for the garbage collector.
func (ld *load) markPointers(n *node) error {
	ref, ok := n.sym.Aux(goobj.AuxGotype)
	if !ok {
		for off := uintptr(0); off+8 <= uintptr(n.sym.Size()); off += 8 {
			ld.mod.SetPointer(n.addr + off) // conservative: the collector ignores words that are not heap addresses
		}
		return nil
	}
	t, err := ld.resolve(n.obj, ref)
	if err != nil {
		return err
	}
	goruntime.PointerMask(t.address(), 0, func(off uintptr) { ld.mod.SetPointer(n.addr + off) })
	return nil
}

// namePrefix is the prefix of the symbols that hold the names of types.
const namePrefix = "type:.namedata."

// nameFlags are the flags of an abi.Name which say that a tag or a package follows the name.
const nameFlags = 1<<1 | 1<<2

// shortenName removes generated marks from the name of a type, which fmt prints.
// b is the content of symbol n, an abi.Name. Other symbols stay unchanged.
func shortenName(n *node, b []byte) {
	if !strings.HasPrefix(n.name, namePrefix) || !strings.Contains(n.name, symname.GeneratedMark) || b[0]&nameFlags != 0 {
		return
	}
	size, width := binary.Uvarint(b[1:])
	text := b[1+width:][:size]
	short := symname.Source(string(text))
	clear(text)
	copy(text, short)
	for i, rest := 0, len(short); i < width; i, rest = i+1, rest>>7 {
		b[1+i] = byte(rest&0x7f) | b[1+i]&0x80 // the length keeps its number of bytes
	}
}
