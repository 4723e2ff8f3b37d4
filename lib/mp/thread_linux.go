package mp

import "golang.org/x/sys/unix"

// Tid returns the id of the operating system thread that the calling
// goroutine is on. The goroutine may move to another thread at any time unless
// it is locked to this one.
func Tid() int { return unix.Gettid() }
