package link

import (
	"encoding/binary"

	"github.com/perijove/perijove/kernel/internal/platform"
)

const (
	textAlign = 32 // cmd/link's Funcalign on amd64
	maxAlign  = 32 // and its Maxalign
	stubSize  = 16

	callOperandOff = 1 // where in a call instruction the relocation is
)

// writeStub writes JMP *slot(IP) and fills up with INT3.
func writeStub(b []byte, s *stub) {
	for i := range b {
		b[i] = 0xcc
	}
	b[0], b[1] = 0xff, 0x25
	binary.LittleEndian.PutUint32(b[2:], uint32(int32(int64(s.slot)-int64(s.addr)-6)))
}

// stubSlot returns the slot of the stub at pc, or 0 if there is another function.
// Compiled functions of that size begin otherwise.
func stubSlot(pc uintptr) uintptr {
	if pc%stubSize != 0 || platform.Read[uint16](pc) != 0x25ff {
		return 0
	}
	return pc + 6 + uintptr(int64(platform.Read[int32](pc+2)))
}
