package goroutine

import "golang.org/x/sys/unix"

// ThreadID returns the process id: a program without the C library cannot get thread
// ids on this system.
func ThreadID() int { return unix.Getpid() }
