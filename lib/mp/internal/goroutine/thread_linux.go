package goroutine

import "golang.org/x/sys/unix"

// ThreadID returns the id of the operating system thread that the calling
// goroutine is on.
func ThreadID() int { return unix.Gettid() }
