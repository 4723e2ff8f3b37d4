package shm

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// futexWait sleeps while *word is val, until futexWake or for at most d, and reports
// whether a wake-up ended it.
func futexWait(word *atomic.Uint32, val uint32, d time.Duration) bool {
	ts := unix.NsecToTimespec(int64(d))
	const wait = 0 // not private: the word may be shared
	_, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), wait, uintptr(val), uintptr(unsafe.Pointer(&ts)), 0, 0)
	return errno == 0
}

// futexWake wakes at most n sleepers, and returns how many it woke.
func futexWake(word *atomic.Uint32, n int) int {
	const wake = 1
	woken, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), wake, uintptr(n), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(woken)
}
