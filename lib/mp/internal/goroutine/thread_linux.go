package goroutine

import "golang.org/x/sys/unix"

// ThreadID returns the id of the operating system thread that runs the calling
// goroutine.
func ThreadID() int { return unix.Gettid() }
