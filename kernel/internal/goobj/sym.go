package goobj

import "encoding/binary"

// A Kind is the kind of memory that a symbol is in.
type Kind uint8

// Symbol kinds, in the order of cmd/internal/objabi.SymKind.
const (
	KindNone Kind = iota
	KindText
	KindTextFIPS
	KindROData
	KindRODataFIPS
	KindNoPtrData
	KindNoPtrDataFIPS
	KindData
	KindDataFIPS
	KindBSS
	KindNoPtrBSS
	KindTLSBSS
)

// IsText reports whether symbols of kind k are machine code.
func (k Kind) IsText() bool { return k == KindText || k == KindTextFIPS }

// IsROData reports whether symbols of kind k are never written to.
func (k Kind) IsROData() bool { return k == KindROData || k == KindRODataFIPS }

// IsVar reports whether symbols of kind k are variables.
func (k Kind) IsVar() bool { return k >= KindNoPtrData && k <= KindNoPtrBSS }

// HasPointers reports whether variables of kind k may hold pointers.
func (k Kind) HasPointers() bool { return k == KindData || k == KindDataFIPS || k == KindBSS }

// Calling conventions, with their numbers in object files.
const (
	ABI0        = 0
	ABIInternal = 1
	ABIStatic   = 0xffff // local to its object
)

// Symbol flags.
const (
	flagDupok    = 1 << 0
	flagLocal    = 1 << 1
	flagTypelink = 1 << 2
	flagGoType   = 1 << 6

	flag2Itab     = 1 << 1
	flag2Dict     = 1 << 2
	flag2PkgInit  = 1 << 3
	flag2Linkname = 1 << 4

	// Go 1.27 inserted a flag before the last one.
	flag2ABIWrapper126  = 1 << 5
	flag2LinknameStd127 = 1 << 5
	flag2ABIWrapper127  = 1 << 6
)

// A Sym is one symbol of an Object.
type Sym struct {
	o *Object
	i int
}

// Sym returns the i-th symbol.
func (o *Object) Sym(i int) Sym {
	if i < 0 || i >= o.numSyms {
		panic(corrupt{"the index of a symbol is out of range"})
	}
	return Sym{o, i}
}

func (s Sym) off() uint32 { return s.o.off[blkSymDef] + uint32(s.i)*symSize }

// Name returns the linker's name of the symbol; content-addressed symbols may have none.
func (s Sym) Name() string { return s.o.stringRef(s.off()) }

// ABI returns the calling convention of a function.
func (s Sym) ABI() uint16 { return binary.LittleEndian.Uint16(s.o.bytes(s.off()+8, 2)) }

// Kind returns the kind of memory that the symbol needs.
func (s Sym) Kind() Kind { return Kind(s.o.bytes(s.off()+10, 1)[0]) }

func (s Sym) flag() byte  { return s.o.bytes(s.off()+11, 1)[0] }
func (s Sym) flag2() byte { return s.o.bytes(s.off()+12, 1)[0] }

// Dupok reports whether other objects may define the same symbol. Their definitions have the same content.
func (s Sym) Dupok() bool { return s.flag()&flagDupok != 0 }

// Local reports whether other objects cannot refer to the symbol.
func (s Sym) Local() bool { return s.flag()&flagLocal != 0 }

// Typelink reports whether the symbol is a type descriptor that reflect looks up by its string.
func (s Sym) Typelink() bool { return s.flag()&flagTypelink != 0 }

// IsType reports whether the symbol is a type descriptor.
func (s Sym) IsType() bool { return s.flag()&flagGoType != 0 }

// IsItab reports whether the symbol is an interface table.
func (s Sym) IsItab() bool { return s.flag2()&flag2Itab != 0 }

// IsDict reports whether the symbol is the dictionary of a generic instance.
func (s Sym) IsDict() bool { return s.flag2()&flag2Dict != 0 }

// IsLinkname reports whether a linkname line gave the symbol its name. If so, another package defines the symbol or
// may refer to it.
func (s Sym) IsLinkname() bool { return s.flag2()&flag2Linkname != 0 }

// IsLinknameStd reports whether a //go:linkname line lets only packages of the standard library refer to the symbol.
func (s Sym) IsLinknameStd() bool {
	return !s.o.before127 && s.flag2()&flag2LinknameStd127 != 0
}

// IsABIWrapper reports whether the function only calls a function of the same name with another calling convention.
func (s Sym) IsABIWrapper() bool {
	if s.o.before127 {
		return s.flag2()&flag2ABIWrapper126 != 0
	}
	return s.flag2()&flag2ABIWrapper127 != 0
}

// Size returns the symbol's size in memory, in bytes.
func (s Sym) Size() uint32 { return s.o.u32(s.off() + 13) }

// Align returns the required alignment, or 0 for the default.
func (s Sym) Align() uint32 { return s.o.u32(s.off() + 17) }

// Defined reports whether the object holds the symbol's content.
func (s Sym) Defined() bool { return s.i < s.o.numDef }

func (s Sym) span(idx int) (from, to uint32) {
	if s.i >= s.o.numDef {
		return 0, 0
	}
	p := s.o.off[idx] + uint32(s.i)*4
	from, to = s.o.u32(p), s.o.u32(p+4)
	if to < from {
		panic(corrupt{"an index block is not sorted"})
	}
	return from, to
}

// Data returns the symbol's initial content as stored in the file. It may be shorter than Size: the missing bytes are
// zero. Content adds them.
func (s Sym) Data() []byte {
	from, to := s.span(blkDataIdx)
	return s.o.bytes(s.o.off[blkData]+from, int(to-from))
}

// Content returns the symbol's initial content with Size bytes. The compiler
// leaves out zeros at the end of some symbols; Content adds them.
func (s Sym) Content() []byte {
	d := s.Data()
	if n := int(s.Size()); len(d) < n {
		full := make([]byte, n)
		copy(full, d)
		return full
	}
	return d
}

// A Reloc is a relocation: a request to write a value, usually an address, into a symbol's content.
type Reloc []byte

// Off returns the byte offset in the symbol's content.
func (r Reloc) Off() int32 { return int32(binary.LittleEndian.Uint32(r)) }

// Size returns the number of bytes to write. It is 0 if the relocation only records that the symbol refers to the
// target.
func (r Reloc) Size() uint8 { return r[4] }

// Type returns the relocation type without the weak bit.
func (r Reloc) Type() RelocType { return RelocType(binary.LittleEndian.Uint16(r[5:]) &^ weakBit) }

// Weak reports whether the relocation is weak: it does not keep its target in the program.
func (r Reloc) Weak() bool { return binary.LittleEndian.Uint16(r[5:])&weakBit != 0 }

// Add returns the addend, a number that is added to the address of the target.
func (r Reloc) Add() int64 { return int64(binary.LittleEndian.Uint64(r[7:])) }

// Sym returns the target, the symbol to which the relocation refers.
func (r Reloc) Sym() Ref {
	return Ref{binary.LittleEndian.Uint32(r[15:]), binary.LittleEndian.Uint32(r[19:])}
}

// Relocs returns the symbol's relocations.
func (s Sym) Relocs() []Reloc {
	from, to := s.span(blkRelocIdx)
	all := s.o.bytes(s.o.off[blkReloc]+from*relocSize, int(to-from)*relocSize)
	list := make([]Reloc, 0, to-from)
	for ; len(all) > 0; all = all[relocSize:] {
		list = append(list, Reloc(all[:relocSize:relocSize]))
	}
	return list
}

// Types of aux symbols.
const (
	AuxGotype   = 0
	AuxFuncInfo = 1
	AuxFuncdata = 2
	AuxPcsp     = 7
	AuxPcfile   = 8
	AuxPcline   = 9
	AuxPcinline = 10
	AuxPcdata   = 11
)

// An Aux refers to a symbol that has information about another one, such as a variable's type or a function's tables.
type Aux []byte

// Type returns one of the Aux constants.
func (a Aux) Type() uint8 { return a[0] }

// Sym returns the symbol with the information.
func (a Aux) Sym() Ref {
	return Ref{binary.LittleEndian.Uint32(a[1:]), binary.LittleEndian.Uint32(a[5:])}
}

// Auxs returns the symbol's aux entries, in order.
func (s Sym) Auxs() []Aux {
	from, to := s.span(blkAuxIdx)
	all := s.o.bytes(s.o.off[blkAux]+from*auxSize, int(to-from)*auxSize)
	list := make([]Aux, 0, to-from)
	for ; len(all) > 0; all = all[auxSize:] {
		list = append(list, Aux(all[:auxSize:auxSize]))
	}
	return list
}

// Aux returns the first aux symbol of the given type. It returns false if there is none.
func (s Sym) Aux(typ uint8) (Ref, bool) {
	for _, a := range s.Auxs() {
		if a.Type() == typ {
			return a.Sym(), true
		}
	}
	return Ref{}, false
}
