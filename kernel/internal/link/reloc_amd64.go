package link

import (
	"encoding/binary"
	"fmt"

	"github.com/perijove/perijove/kernel/internal/goobj"
)

// relocate applies the relocation r with target t to b, the content of n.
func (ld *load) relocate(n *node, b []byte, r goobj.Reloc, t target) error {
	off, size := int(r.Off()), int(r.Size())
	if size == 0 {
		return nil
	}
	if off < 0 || off+size > len(b) {
		return fmt.Errorf("the relocation at offset %d is outside the symbol", off)
	}
	addr := t.address()
	pc := int64(n.addr) + int64(off) + int64(size)
	var v int64
	switch r.Type() {
	case goobj.RelAddr:
		if t.node != nil && r.Add() != 0 {
			addr = t.node.addr // a jump table contains addresses in the body, not of the stub
		}
		v = int64(addr) + r.Add()
	case goobj.RelCall:
		if t.node == n {
			addr = n.addr // recursive calls need no stub
		}
		v = int64(addr) + r.Add() - pc
	case goobj.RelPCRel, goobj.RelGotPCRel:
		v = int64(addr) + r.Add() - pc
		if near := ld.reachableAddr(t); int64(int32(v)) != v && near != addr && !takesAddress(b, off, r) {
			v = int64(near) + r.Add() - pc // the instruction reads a field of a type on the heap; the field of the copy has the same value
		}
		if int64(int32(v)) != v {
			slot, err := ld.loadFromGOT(b, off, r, addr)
			if err != nil {
				return err
			}
			v = int64(slot) - pc
		}
	case goobj.RelTLSLE:
		v = r.Add() - ld.runtime.TLSDistance
	case goobj.RelAddrOff, goobj.RelMethodOff:
		addr = ld.reachableAddr(t)
		v = int64(addr) + r.Add() - int64(ld.offsetBase(n, addr))
	case goobj.RelConst:
		v = r.Add()
	case goobj.RelSize:
		if t.node == nil {
			return fmt.Errorf("a relocation needs the size of a symbol that is not being loaded")
		}
		v = int64(t.node.sym.Size()) + r.Add()
	default:
		return fmt.Errorf("the relocation type %d is not supported", r.Type())
	}
	return putInt(b[off:off+size], v)
}

func putInt(b []byte, v int64) error {
	switch len(b) {
	case 1:
		b[0] = byte(v)
	case 2:
		binary.LittleEndian.PutUint16(b, uint16(v))
	case 4:
		if int64(int32(v)) != v && int64(uint32(v)) != v {
			return fmt.Errorf("the address %#x does not fit into the 32 bits of a relocation", v)
		}
		binary.LittleEndian.PutUint32(b, uint32(v))
	case 8:
		binary.LittleEndian.PutUint64(b, uint64(v))
	default:
		return fmt.Errorf("a relocation has %d bytes, and only 1, 2, 4 or 8 are supported", len(b))
	}
	return nil
}

// offsetBase returns the base address of a 32-bit offset in n that refers to addr.
func (ld *load) offsetBase(n *node, addr uintptr) uintptr {
	md := ld.mod.ModuleData
	switch {
	case ld.mod.Text.Contains(addr) || addr >= ld.runtime.FirstModule.Text && addr < ld.runtime.FirstModule.Etext:
		return md.Text
	case n.typ != nil || isType(n.sym, n.name):
		return md.Types
	}
	return md.Rodata
}

// reachableAddr returns the address of a target, or of its copy if it is a type on
// the heap.
func (ld *load) reachableAddr(t target) uintptr {
	if t.node != nil && t.node.reflectType != nil {
		return t.node.addr
	}
	if c := ld.reflected.CopyOf(t.addr); c != 0 && t.node == nil {
		return c
	}
	return t.address()
}

// takesAddress reports whether the instruction at a reference is LEA, which takes the address of a symbol.
func takesAddress(b []byte, off int, r goobj.Reloc) bool {
	const lea = 0x8d
	return off >= 2 && b[off-2] == lea && r.Add() == 0
}

// loadFromGOT replaces an LEA instruction, whose target a 32-bit offset cannot
// reach, by a load from a slot that holds the address. It returns the slot. If the instruction is not an LEA, it
// returns an error.
func (ld *load) loadFromGOT(b []byte, off int, r goobj.Reloc, addr uintptr) (uintptr, error) {
	const mov = 0x8b
	if !takesAddress(b, off, r) {
		return 0, fmt.Errorf("the address %#x is too far from the code that refers to it", addr)
	}
	slot := ld.gotSlots[addr]
	if slot == 0 {
		slot = ld.newGOTSlots[addr]
	}
	if slot == 0 {
		var err error
		if slot, err = ld.mod.NoPtr.Alloc(8, 8); err != nil {
			return 0, err
		}
		binary.LittleEndian.PutUint64(ld.mod.NoPtr.Bytes(slot, 8), uint64(addr))
		ld.newGOTSlots[addr] = slot
	}
	b[off-2] = mov
	return slot, nil
}
