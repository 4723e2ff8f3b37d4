//go:build !unix

package stopwatch

// cpu leaves the processor time at 0: package syscall has no function for it on this system.
func (r *reading) cpu() {}
