package goroutine

import "golang.org/x/sys/unix"

// ThreadID returns this process's id: the operating system hides its thread ids
// from programs that do not use its C library.
func ThreadID() int { return unix.Getpid() }
