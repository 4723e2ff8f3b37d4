//go:build linux || darwin

package process

import (
	"os"
	"os/exec"
	"syscall"
)

// setGroup gives the child its own process group: an interrupt typed at
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

func signalOf(s *os.ProcessState) syscall.Signal {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return w.Signal()
	}
	return 0
}
