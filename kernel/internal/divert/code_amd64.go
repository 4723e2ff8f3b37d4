package divert

import (
	"encoding/binary"

	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/platform"
)

const (
	divertSize = 25   // length of the code of appendCall, in bytes
	pushed     = 12   // length of its part up to the change of the stack pointer
	trap       = 0xcc // INT3
	codeAlign  = 32   // alignment of functions
	pushedSize = 8    // how much appendCall's code lowers the stack pointer, in bytes

	// A frame pointer points to a record with the caller's frame pointer and the return address.
	returnOffset = 8
	recordSize   = 16
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

// stackCheckReturn returns the stack pointer of g if g, which is at pc, was preempted in the stack check at the
// beginning of a function, else 0. The stack pointer then points to the
// function's return address.
func (d *Diverter) stackCheckReturn(gs *goruntime.Goroutines, g, pc uintptr) (sp uintptr) {
	if gs.InSyscall(g) {
		return 0
	}
	to := calledBefore(pc)
	if to == 0 || to != d.moreStack[0] && to != d.moreStack[1] {
		return 0
	}
	return platform.Read[uintptr](g + goruntime.GSchedSP)
}
