//go:build linux || darwin

package mp

import (
	"os"
	"os/exec"
	"syscall"
)

// setGroup gives the child a process group of its own: an interrupt typed at
// the terminal, or sent by Jupyter, reaches the parent alone, which cancels.
func setGroup(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Setpgid = true
	wakeOrphan(cmd.SysProcAttr)
}

// readNow reads what is in a pipe that does not block.
func readNow(fd uintptr, b []byte) (int, error) { return syscall.Read(int(fd), b) }

// killGroup kills the leader of a group and what it started in it.
func killGroup(p *os.Process) error {
	err := syscall.Kill(-p.Pid, syscall.SIGKILL)
	if err == syscall.ESRCH {
		return os.ErrProcessDone
	}
	return err
}

// endGroup ends this child, and the processes that it started in its group.
func endGroup(code int) {
	if pid := os.Getpid(); syscall.Getpgrp() == pid {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
	os.Exit(code)
}

func signalOf(s *os.ProcessState) syscall.Signal {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return w.Signal()
	}
	return 0
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
