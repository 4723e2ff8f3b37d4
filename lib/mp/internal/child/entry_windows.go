package child

import "os"

func endGroup(code int) { os.Exit(code) }

func inherited(fd int) *os.File { return os.NewFile(uintptr(fd), "mp") }

// polled is inherited: on this system inherited pipes cannot be polled.
func polled(fd int) *os.File { return inherited(fd) }
