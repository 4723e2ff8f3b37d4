package child

import (
	"syscall"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/protocol"
)

// Package runtime keeps this variable available for linkname. If it is set, the runtime
// calls it for all that it writes.
//
//go:linkname overrideWrite runtime.overrideWrite
var overrideWrite func(fd uintptr, p unsafe.Pointer, n int32) int32

const fatalPrefix = "fatal error: "

var (
	fatalNote *[protocol.FatalSize]byte
	fatalLen  int // -1 while no line is being recorded
)

// noteFatal records in l the line "fatal error: ..." that the runtime writes.
func noteFatal(l protocol.BudgetPage) {
	if l == nil {
		return
	}
	fatalNote, fatalLen = (*[protocol.FatalSize]byte)(l[protocol.FatalAt:]), -1
	overrideWrite = writeNoting
}

// writeNoting is write(2) for the runtime, and records a fatal line. The runtime may
// call it in any state, so it must not allocate, block, or grow the stack.
//
//go:nosplit
//go:norace
//go:nocheckptr
func writeNoting(fd uintptr, p unsafe.Pointer, n int32) int32 {
	if fd == 2 {
		starts := n >= int32(len(fatalPrefix))
		for i := 0; starts && i < len(fatalPrefix); i++ {
			starts = *(*byte)(unsafe.Add(p, i)) == fatalPrefix[i]
		}
		if starts {
			fatalLen = 0
		}
		for i := int32(0); i < n && fatalLen >= 0 && fatalLen < protocol.FatalSize-1; i++ {
			b := *(*byte)(unsafe.Add(p, int(i)))
			if b == '\n' {
				fatalLen = -1
				break
			}
			fatalNote[fatalLen], fatalNote[fatalLen+1] = b, 0
			fatalLen++
		}
	}
	done, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(p), uintptr(n))
	if errno != 0 {
		return -int32(errno)
	}
	return int32(done)
}
