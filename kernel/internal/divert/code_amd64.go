package divert

import (
	"encoding/binary"

	"github.com/perijove/perijove/kernel/internal/platform"
)

const (
	divertSize = 25   // length of the code of appendCall, in bytes
	pushed     = 12   // length of its part up to the change of the stack pointer
	trap       = 0xcc // INT3
)

// appendCall appends code that calls the function halt with ret as its return address, as if the call that returns to ret
// called halt.
func appendCall(b []byte, ret, halt uintptr) []byte {
	b = append(b, 0x49, 0xbb) // MOVQ $ret, R11
	b = binary.LittleEndian.AppendUint64(b, uint64(ret))
	b = append(b, 0x41, 0x53, 0x49, 0xbb) // PUSHQ R11; MOVQ $halt, R11
	b = binary.LittleEndian.AppendUint64(b, uint64(halt))
	return append(b, 0x41, 0xff, 0xe3) // JMP R11
}

// calledBefore returns the target of the direct call instruction that ends at pc, or 0 if there is none.
func calledBefore(pc uintptr) uintptr {
	if platform.Read[uint8](pc-5) != 0xe8 { // CALL
		return 0
	}
	return pc + uintptr(int64(platform.Read[int32](pc-4)))
}
