// Package goobj reads the object files that Go's compiler and assembler write.
//
// The format is described in the Go distribution, in src/cmd/internal/goobj/objfile.go. Its magic string has been
// "go120ld" since Go 1.20. An Object does not copy the file: it refers to the bytes that were passed to Parse, which
// must not change.
package goobj

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"unsafe"
)

const magic = "\x00go120ld"

// Package indices with a special meaning. They count down from the largest int32.
const (
	PkgNone = (1<<31 - 1) - iota
	PkgHashed64
	PkgHashed
	PkgBuiltin
	PkgSelf
)

const (
	blkAutolib = iota
	blkPkgIdx
	blkFile
	blkSymDef
	blkHashed64Def
	blkHashedDef
	blkNonPkgDef
	blkNonPkgRef
	blkRefFlags
	blkHash64
	blkHash
	blkRelocIdx
	blkAuxIdx
	blkDataIdx
	blkReloc
	blkAux
	blkData
	blkRefName
	blkEnd
	numBlocks
)

const (
	symSize     = 21
	relocSize   = 23
	auxSize     = 9
	refNameSize = 16
	autolibSize = 16
	stringSize  = 8
	headerSize  = len(magic) + 8 + 4 + 4*numBlocks
)

// ErrFormat is wrapped by every error about a malformed object file.
var ErrFormat = errors.New("malformed Go object file")

// corrupt is the value with which accessors panic at an invalid offset or index.
type corrupt struct{ what string }

// Guard turns the panic of an accessor of a malformed object into an error.
// Defer it in functions that use an Object.
func Guard(err *error) {
	switch r := recover().(type) {
	case nil:
	case corrupt:
		*err = fmt.Errorf("%w: %s", ErrFormat, r.what)
	default:
		panic(r)
	}
}

// A Ref refers to a symbol: Sym is an index into the symbols that package Pkg defines, or,
// for the special package indices, into one of the object's lists.
type Ref struct{ Pkg, Sym uint32 }

// IsZero reports whether r refers to no symbol.
func (r Ref) IsZero() bool { return r == Ref{} }

// An Import is a package that the object was compiled against.
type Import struct {
	Path        string
	Fingerprint [8]byte
}

// An Object is one object file.
type Object struct {
	Fingerprint [8]byte
	flags       uint32
	before127   bool // written by a toolchain older than Go 1.27
	b           []byte
	off         [numBlocks]uint32

	numDef  int // symbols that have relocations, aux symbols and data
	numSyms int // numDef plus the number of references by name
	pkgs    []string
	names   map[Ref]string // for RefName; made by its first call
}

// Parse parses the header of an object file and checks that its blocks are
// within b. The other methods of the Object panic if the rest is malformed; see Guard.
func Parse(b []byte) (_ *Object, err error) {
	defer Guard(&err)
	if len(b) < headerSize || string(b[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: the object does not begin with the magic number %q", ErrFormat, magic)
	}
	o := &Object{b: b}
	p := len(magic)
	copy(o.Fingerprint[:], b[p:])
	o.flags = binary.LittleEndian.Uint32(b[p+8:])
	p += 12
	for i := range o.off {
		o.off[i] = binary.LittleEndian.Uint32(b[p+4*i:])
		if int64(o.off[i]) > int64(len(b)) || i > 0 && o.off[i] < o.off[i-1] {
			return nil, fmt.Errorf("%w: the offset of block %d is out of range", ErrFormat, i)
		}
	}
	o.numDef = o.count(blkSymDef, symSize) + o.count(blkHashed64Def, symSize) +
		o.count(blkHashedDef, symSize) + o.count(blkNonPkgDef, symSize)
	o.numSyms = o.numDef + o.count(blkNonPkgRef, symSize)
	for _, idx := range []int{blkRelocIdx, blkAuxIdx, blkDataIdx} {
		if o.count(idx, 4) < o.numDef+1 {
			return nil, fmt.Errorf("%w: the index in block %d is too short", ErrFormat, idx)
		}
	}
	o.pkgs = make([]string, o.count(blkPkgIdx, stringSize))
	for i := range o.pkgs {
		if o.pkgs[i], err = UnescapePath(o.stringRef(o.off[blkPkgIdx] + uint32(i)*stringSize)); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (o *Object) count(block, size int) int {
	return int(o.off[block+1]-o.off[block]) / size
}

func (o *Object) bytes(off uint32, n int) []byte {
	end := int64(off) + int64(n)
	if n < 0 || end > int64(len(o.b)) {
		panic(corrupt{"an offset points outside the file"})
	}
	return o.b[off:end:end]
}

func (o *Object) u32(off uint32) uint32 { return binary.LittleEndian.Uint32(o.bytes(off, 4)) }

// str returns a string that shares memory with the object's bytes.
func (o *Object) str(n, off uint32) string {
	if n == 0 {
		return ""
	}
	b := o.bytes(off, int(n))
	return unsafe.String(&b[0], len(b))
}

func (o *Object) stringRef(off uint32) string { return o.str(o.u32(off), o.u32(off+4)) }

// FromAssembly reports whether the assembler wrote the object.
func (o *Object) FromAssembly() bool { return o.flags&(1<<2) != 0 }

// Before127 reports whether a toolchain older than Go 1.27 wrote the object.
func (o *Object) Before127() bool { return o.before127 }

// Std reports whether the object belongs to the standard library.
func (o *Object) Std() bool { return o.flags&(1<<4) != 0 }

// NumDef returns the number of symbols the object defines. Their indices come first.
func (o *Object) NumDef() int { return o.numDef }

// NumSyms returns the number of all symbols. Symbols that the object defines come first, then references by name.
func (o *Object) NumSyms() int { return o.numSyms }

// Package returns the import path of the referenced package with index i. The path is not escaped.
func (o *Object) Package(i uint32) string {
	if int(i) >= len(o.pkgs) {
		panic(corrupt{"the index of a package is out of range"})
	}
	return o.pkgs[i]
}

// Imports lists the packages that the object was compiled against.
func (o *Object) Imports() []Import {
	list := make([]Import, o.count(blkAutolib, autolibSize))
	for i := range list {
		off := o.off[blkAutolib] + uint32(i)*autolibSize
		list[i].Path = o.stringRef(off)
		copy(list[i].Fingerprint[:], o.bytes(off+8, 8))
	}
	return list
}

// File returns the name of the source file with index i, as in FuncInfo.Files.
func (o *Object) File(i uint32) string {
	if int(i) >= o.count(blkFile, stringSize) {
		panic(corrupt{"the index of a file is out of range"})
	}
	return o.stringRef(o.off[blkFile] + i*stringSize)
}

// Index returns the index of the symbol that a reference to this object refers to. It
// returns false for symbols of other packages and for builtins.
func (o *Object) Index(r Ref) (int, bool) {
	i := int(r.Sym)
	switch r.Pkg {
	case PkgSelf:
	case PkgHashed64:
		i += o.count(blkSymDef, symSize)
	case PkgHashed:
		i += o.count(blkSymDef, symSize) + o.count(blkHashed64Def, symSize)
	case PkgNone:
		i += o.numDef - o.count(blkNonPkgDef, symSize)
	default:
		return 0, false
	}
	if i >= o.numSyms {
		panic(corrupt{"the index of a symbol is out of range"})
	}
	return i, true
}

// Hashed reports whether symbol i is content-addressed: it is identified by its content, not its name.
func (o *Object) Hashed(i int) bool {
	n := o.count(blkSymDef, symSize)
	return i >= n && i < n+o.count(blkHashed64Def, symSize)+o.count(blkHashedDef, symSize)
}

// Indexed yields the indices of those symbols that the object defines and to which objects of other packages refer by
// index. It leaves out symbols without a name, such as information on functions, since only the object itself refers
// to them.
func (o *Object) Indexed() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range o.count(blkSymDef, symSize) {
			if o.Sym(i).Name() != "" && !yield(i) {
				return
			}
		}
	}
}

// NonPackage yields the indices of those symbols that the object defines and to which other objects refer only by
// name. They are instances of generic code, symbols with a linkname line, and all symbols in assembly.
func (o *Object) NonPackage() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := o.numDef - o.count(blkNonPkgDef, symSize); i < o.numDef; i++ {
			if !yield(i) {
				return
			}
		}
	}
}

// RefName returns the name that the object has for a symbol of another
// package, or "". The object has no names for symbols that only aux data refers to.
func (o *Object) RefName(r Ref) string {
	if o.names == nil {
		n := o.count(blkRefName, refNameSize)
		o.names = make(map[Ref]string, n)
		for i := range n {
			off := o.off[blkRefName] + uint32(i)*refNameSize
			o.names[Ref{o.u32(off), o.u32(off + 4)}] = o.stringRef(off + 8)
		}
	}
	return o.names[r]
}

// Validate checks every symbol, relocation and aux entry. The error wraps ErrFormat.
func (o *Object) Validate() (err error) {
	defer Guard(&err)
	o.Imports()
	for i := range o.count(blkFile, stringSize) {
		o.File(uint32(i))
	}
	o.RefName(Ref{})
	for i := range o.numSyms {
		s := o.Sym(i)
		_ = s.Name()
		if i >= o.numDef {
			continue
		}
		s.Data()
		for _, r := range s.Relocs() {
			o.Index(r.Sym())
		}
		for _, a := range s.Auxs() {
			if j, ok := o.Index(a.Sym()); ok && a.Type() == AuxFuncInfo && j < o.numDef {
				if _, err := ReadFuncInfo(o.Sym(j).Data()); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
