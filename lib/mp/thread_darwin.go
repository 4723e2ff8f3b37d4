package mp

import "golang.org/x/sys/unix"

// Tid returns this process's id: the operating system hides its thread ids
// from programs that do not use its C library.
func Tid() int { return unix.Getpid() }
