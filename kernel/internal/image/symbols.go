package image

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/symindex"
)

// indexSymbols writes the index of the worker executable's symbols. These are the symbols in its symbol table, with
// calling conventions from the compiled packages, and its type descriptors, which the symbol table does not have.
func (b *builder) indexSymbols() error {
	x := &indexer{abis: map[string]uint8{}, typeKeys: map[typeKey]string{}, private: map[symbolKey]bool{}}
	for _, p := range b.pkgs {
		if err := x.readPackage(p.Export); err != nil {
			return fmt.Errorf("cannot index the symbols of package %s: %w", p.ImportPath, err)
		}
	}
	if err := x.readExecutable(filepath.Join(b.dir, "worker")); err != nil {
		return err
	}
	builtins, err := readBuiltins(filepath.Join(b.tc.Root, "src/cmd/internal/goobj/builtinlist.go"))
	if err != nil {
		return err
	}
	if err := b.restrictLinknames(x); err != nil {
		return err
	}
	return writeInPieces(filepath.Join(b.dir, "symbols"), symindex.Encode(x.symbols, builtins))
}

// writeInPieces writes a file in small pieces. Linux keeps the data of one call of write in large pieces of memory, up
// to 2 MB, and maps such a piece as a whole. A worker process reads few pages of the file, so small pieces keep its
// resident set small.
func writeInPieces(file string, data []byte) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	for piece := range slices.Chunk(data, 64<<10) {
		if _, err = f.Write(piece); err != nil {
			break
		}
	}
	return errors.Join(err, f.Close())
}

type indexer struct {
	abis     map[string]uint8 // by function: the calling conventions for which it is defined, as bits
	typeKeys map[typeKey]string
	symbols  []symindex.Symbol
	found    map[string]bool
	locals   []localRef
	private  map[symbolKey]bool // symbols to which only the standard library may refer by linkname
}

// A symbolKey names a symbol and, if it is a function, its calling convention.
type symbolKey struct {
	name string
	abi  uint16
}

// A localRef is a place in a named symbol that refers to a variable which is local to its
// object and therefore not in the symbol table, such as the backing array of a package
// variable.
type localRef struct {
	from  string
	abi   uint16 // calling convention of from, if from is a function
	off   int32
	add   int64
	pcrel bool
	local string
}

// A typeKey has the fields of a type descriptor that are equal in the executable and in the
// object that defines it. The hash is 32 bits of a SHA-256 of the full name, so two types
// rarely have the same key.
type typeKey struct {
	size, ptrBytes uint64
	hash           uint32
	kind           uint8
	name           string
}

// readPackage records the functions and types that a compiled package defines.
func (x *indexer) readPackage(file string) (err error) {
	defer goobj.Guard(&err)
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	objs, err := goobj.ParseArchive(data)
	if err != nil {
		return err
	}
	x.addPrivate(objs)
	for _, o := range objs {
		for i := range o.NumDef() {
			s := o.Sym(i)
			x.addLocals(o, s)
			switch {
			case s.Kind().IsText() && s.ABI() <= goobj.ABIInternal:
				if bits := x.abis[s.Name()]; bits&(1<<s.ABI()) == 0 {
					x.abis[strings.Clone(s.Name())] = bits | 1<<s.ABI() // cloned, so that the name does not keep the archive in memory
				}
			case s.IsType() && strings.HasPrefix(s.Name(), "type:"):
				x.addType(o, s)
			}
		}
	}
	return nil
}

// addLocals records the places at which s refers to local variables.
func (x *indexer) addLocals(o *goobj.Object, s goobj.Sym) {
	if s.Name() == "" || s.ABI() == goobj.ABIStatic {
		return
	}
	for _, r := range s.Relocs() {
		pcrel := isPCRelative(r)
		if !pcrel && (r.Type() != goobj.RelAddr || r.Size() != 8) {
			continue
		}
		j, ok := o.Index(r.Sym())
		if !ok {
			continue
		}
		t := o.Sym(j)
		if t.Kind().IsVar() && t.ABI() == goobj.ABIStatic && t.Name() != "" {
			x.locals = append(x.locals, localRef{strings.Clone(s.Name()), s.ABI(), r.Off(), r.Add(), pcrel, strings.Clone(t.Name())})
		}
	}
}

// findLocals reads the addresses of local variables from the executable's code and data, at
// the places that refer to them.
func (x *indexer) findLocals(f *elf.File) {
	at := map[symbolKey]symindex.Symbol{}
	for _, s := range x.symbols {
		k := symbolKey{name: s.Name}
		if s.Text {
			k.abi = s.ABI
		}
		at[k] = s
	}
	seen := map[string]bool{}
	for _, l := range x.locals {
		s, ok := at[symbolKey{l.from, l.abi}]
		if !ok || seen[l.local] {
			continue
		}
		place := s.Addr + uint64(l.off)
		var b [8]byte
		n := 8
		if l.pcrel {
			n = pcRelativeSize
		}
		if !readAt(f, place, b[:n]) {
			continue
		}
		addr := binary.LittleEndian.Uint64(b[:])
		if l.pcrel {
			addr = pcRelativeTarget(place, b[:n])
		}
		seen[l.local] = true
		x.symbols = append(x.symbols, symindex.Symbol{Name: l.local, Addr: addr - uint64(l.add)})
	}
}

// readAt reads the bytes at an address of the executable's memory image, and reports whether
// the file has them.
func readAt(f *elf.File, addr uint64, b []byte) bool {
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && addr >= p.Vaddr && addr+uint64(len(b)) <= p.Vaddr+p.Filesz {
			_, err := p.ReadAt(b, int64(addr-p.Vaddr))
			return err == nil
		}
	}
	return false
}

func (x *indexer) addType(o *goobj.Object, s goobj.Sym) {
	const strOff = 40
	d := s.Content()
	for _, r := range s.Relocs() {
		if r.Off() != strOff {
			continue
		}
		if i, ok := o.Index(r.Sym()); ok {
			x.typeKeys[keyOf(d, o.Sym(i).Content())] = strings.Clone(s.Name())
		}
	}
}

func keyOf(d, name []byte) typeKey {
	le := binary.LittleEndian
	return typeKey{le.Uint64(d), le.Uint64(d[8:]), le.Uint32(d[16:]), d[23], string(name)}
}

// readExecutable reads the symbols of the worker executable. Their addresses are final, since the executable must not
// be position-independent.
func (x *indexer) readExecutable(file string) error {
	f, err := elf.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if f.Type != elf.ET_EXEC {
		return errors.New("the worker image is a position-independent executable: remove -buildmode=pie from GOFLAGS")
	}
	syms, err := f.Symbols()
	if err != nil {
		return fmt.Errorf("cannot read the symbol table of the worker image: %w; remove -ldflags=-s from GOFLAGS", err)
	}
	x.found = map[string]bool{}
	named := map[string]uint64{}
	seen := map[string]int{}
	for _, s := range syms {
		seen[s.Name]++
	}
	for _, s := range syms {
		if s.Value == 0 || s.Name == "" || strings.HasPrefix(s.Name, "main.") || seen[s.Name] > 1 {
			continue
		}
		named[s.Name] = s.Value
		sym := symindex.Symbol{Name: s.Name, Addr: s.Value, Text: elf.ST_TYPE(s.Info) == elf.STT_FUNC, ABI: goobj.ABIInternal}
		if sym.Text {
			if base, ok := strings.CutSuffix(s.Name, ".abi0"); ok {
				sym.Name, sym.ABI = base, goobj.ABI0
			} else if x.abis[s.Name] == 1<<goobj.ABI0 {
				sym.ABI = goobj.ABI0
			}
		}
		x.symbols = append(x.symbols, sym)
	}
	x.addTLSOffset(f, syms)
	x.findLocals(f)
	return x.scanTypes(f, named["runtime.types"], named["runtime.etypes"])
}

// scanTypes finds the type descriptors in the executable. At every aligned address it checks
// whether the bytes match a type that some package defines.
func (x *indexer) scanTypes(f *elf.File, from, to uint64) error {
	var sect *elf.Section
	for _, s := range f.Sections {
		if s.Type == elf.SHT_PROGBITS && from >= s.Addr && to <= s.Addr+s.Size {
			sect = s
		}
	}
	if sect == nil || from == 0 {
		return errors.New("cannot find the type descriptors in the worker image: Perijove does not support this version of Go")
	}
	data, err := sect.Data()
	if err != nil {
		return err
	}
	data = data[from-sect.Addr : to-sect.Addr]
	const header = 48
	for off := 0; off+header <= len(data); off += 8 {
		d := data[off:]
		str := int32(binary.LittleEndian.Uint32(d[40:]))
		if kind := d[23]; kind == 0 || kind > 26 || str <= 0 || int(str)+2 > len(data) {
			continue
		}
		name := nameAt(data[str:])
		if name == nil {
			continue
		}
		if sym, ok := x.typeKeys[keyOf(d, name)]; ok && !x.found[sym] && !strings.HasPrefix(sym, "type:main.") {
			x.found[sym] = true
			x.symbols = append(x.symbols, symindex.Symbol{Name: sym, Addr: from + uint64(off)})
		}
	}
	if len(x.found) < 1000 {
		return fmt.Errorf("found only %d type descriptors in the worker image: Perijove does not support this version of Go", len(x.found))
	}
	return nil
}

// nameAt returns the encoded name at the start of b: flags, length, text.
func nameAt(b []byte) []byte {
	n, w := binary.Uvarint(b[1:min(len(b), 6)])
	end := 1 + w + int(n)
	if w <= 0 || n > 1<<16 || end > len(b) {
		return nil
	}
	return b[:end]
}
