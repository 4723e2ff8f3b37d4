package image

import (
	"debug/elf"
	"encoding/binary"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/symindex"
)

// addTLSOffset notes where the current goroutine is kept, relative to the
// thread pointer: the C linker places it among the thread variables of C code.
func (x *indexer) addTLSOffset(f *elf.File, syms []elf.Symbol) {
	for _, p := range f.Progs {
		if p.Type != elf.PT_TLS {
			continue
		}
		end := (p.Memsz + max(p.Align, 1) - 1) &^ (max(p.Align, 1) - 1)
		for _, s := range syms {
			if s.Name == "runtime.tlsg" && elf.ST_TYPE(s.Info) == elf.STT_TLS {
				x.symbols = append(x.symbols, symindex.Symbol{Name: symindex.TLSDistance, Addr: end - s.Value})
			}
		}
	}
}

// pcRelativeSize is the size in bytes of a PC-relative reference to data.
const pcRelativeSize = 4

func isPCRelative(r goobj.Reloc) bool {
	return r.Type() == goobj.RelPCRel && r.Size() == pcRelativeSize
}

// pcRelativeTarget decodes the PC-relative reference that the linker has written at an address.
func pcRelativeTarget(at uint64, b []byte) uint64 {
	return at + pcRelativeSize + uint64(int64(int32(binary.LittleEndian.Uint32(b))))
}
