package link

import (
	"encoding/binary"

	"github.com/perijove/perijove/kernel/internal/platform"
)

const (
	textAlign = 32 // cmd/link's Funcalign on amd64
	maxAlign  = 32 // cmd/link's Maxalign on amd64
	stubSize  = 16

	callOperandOff = 1 // offset of the relocation in a call instruction
)

// writeStub writes the instruction JMP *slot(IP) for s to b and fills the rest of b with INT3.
func writeStub(b []byte, s *stub) {
	for i := range b {
		b[i] = 0xcc
	}
	b[0], b[1] = 0xff, 0x25
	binary.LittleEndian.PutUint32(b[2:], uint32(int32(int64(s.slot)-int64(s.addr)-6)))
}

// stubSlot returns the slot of the stub at pc, or 0 if the function at pc is not a stub.
// No compiled function begins with the instruction of a stub.
func stubSlot(pc uintptr) uintptr {
	if pc%stubSize != 0 || platform.Read[uint16](pc) != 0x25ff {
		return 0
	}
	return pc + 6 + uintptr(int64(platform.Read[int32](pc+2)))
}
