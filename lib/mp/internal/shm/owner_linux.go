package shm

import (
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Self returns this process as an Owner.
var Self = sync.OnceValue(func() Owner {
	o := Owner{PID: uint32(os.Getpid())}
	_, o.Start = processState(o.PID)
	return o
})

// Child returns a child of this process, which must not have been reaped, as an Owner.
func Child(pid int) Owner {
	o := Owner{PID: uint32(pid)}
	_, o.Start = processState(o.PID)
	return o
}

// Alive reports whether the process exists, and is not a zombie.
func (o Owner) Alive() bool {
	if o.PID == 0 {
		return true
	}
	if unix.Kill(int(o.PID), 0) == unix.ESRCH {
		return false
	}
	state, start := processState(o.PID)
	if state == 0 { // /proc could not be read
		return unix.Kill(int(o.PID), 0) != unix.ESRCH
	}
	return state != 'Z' && state != 'X' && (o.Start == 0 || start == o.Start)
}

// processState returns a process's state and start time from /proc, or zeros if that fails.
func processState(pid uint32) (state byte, start uint32) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(int(pid)) + "/stat")
	if err != nil {
		return 0, 0
	}
	// The second field, the name, is in parentheses and may contain anything.
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(f) < 20 {
		return 0, 0
	}
	ticks, err := strconv.ParseUint(f[19], 10, 64)
	if err != nil {
		return 0, 0
	}
	return f[0][0], uint32(ticks)
}
