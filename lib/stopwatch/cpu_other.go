//go:build !unix

package stopwatch

// cpu leaves the processor time at 0: the system has no function for it that Go's syscall package offers.
func (r *reading) cpu() {}
