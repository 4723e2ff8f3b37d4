//go:build linux || darwin

package child

import (
	"os"
	"syscall"
)

// endGroup ends this process and the processes that it has started in its group.
func endGroup(code int) {
	if pid := os.Getpid(); syscall.Getpgrp() == pid {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
	os.Exit(code)
}

// inherited opens an inherited file descriptor, and makes it close-on-exec.
func inherited(fd int) *os.File {
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "mp")
}

// polled opens the inherited end of a pipe for reads through the runtime's poller. A thread
// that blocks in a read keeps its processor (P), of which a child usually has only one,
// until the runtime takes it away after up to 10 ms. The tasks that the read receives would
// wait that long.
func polled(fd int) *os.File {
	_ = syscall.SetNonblock(fd, true) // if this fails, reads block
	return inherited(fd)
}
