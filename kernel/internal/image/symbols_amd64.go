package image

import (
	"debug/elf"
	"encoding/binary"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/symindex"
)

// addTLSOffset adds the offset from the thread pointer at which the current goroutine is
// stored. In an image with C code, the C linker chooses the offset, among C's thread-local variables.
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

// pcRelativeTarget returns the target of the PC-relative reference b, which is at address at.
func pcRelativeTarget(at uint64, b []byte) uint64 {
	return at + pcRelativeSize + uint64(int64(int32(binary.LittleEndian.Uint32(b))))
}
