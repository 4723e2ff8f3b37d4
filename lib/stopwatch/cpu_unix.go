//go:build unix

package stopwatch

import (
	"syscall"
	"time"
)

// cpu reads the processor time of this process.
func (r *reading) cpu() {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // never fails for RUSAGE_SELF
	r.user, r.system = time.Duration(u.Utime.Nano()), time.Duration(u.Stime.Nano())
}
