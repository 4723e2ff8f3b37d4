//go:build linux || darwin

package process

import (
	"os"
	"os/exec"
	"syscall"
)

// setGroup gives the child its own process group, so that an interrupt from the
// terminal or from Jupyter reaches only the parent, which cancels the child's work.
func setGroup(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Setpgid = true
	wakeOrphan(cmd.SysProcAttr)
}

// readNow reads from a pipe without blocking.
func readNow(fd uintptr, b []byte) (int, error) { return syscall.Read(int(fd), b) }

// killGroup kills a child and the processes that it has started in its group.
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
