//go:build linux || darwin

package child

import (
	"os"
	"syscall"
)

// endGroup ends this child, and the processes that it started in its group.
func endGroup(code int) {
	if pid := os.Getpid(); syscall.Getpgrp() == pid {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
	os.Exit(code)
}

// inherited opens a file that the parent passed on, and keeps it from
// programs that this process starts.
func inherited(fd int) *os.File {
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "mp")
}

// polled is the inherited end of a pipe that is read through the runtime's
// poller. A thread that blocks in a read keeps its processor, in a child as a
// rule the only one, until the runtime notices, which may take 10 ms; the task
// that the read has brought would wait so long.
func polled(fd int) *os.File {
	_ = syscall.SetNonblock(fd, true) // else it is read as any file
	return inherited(fd)
}
