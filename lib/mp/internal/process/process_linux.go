package process

import (
	"fmt"
	"os"
	"syscall"

	"github.com/perijove/perijove/lib/mp/internal/protocol"
	"golang.org/x/sys/unix"
)

// wakeOrphan makes the kernel send SIGCONT to a child when its parent ends, so that a
// stopped child continues and notices the end. The kernel sends the signal also when the
// thread that started the child ends; SIGCONT does not harm a process that is not stopped.
func wakeOrphan(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGCONT }

// crashFile makes a file without a name, which is removed when no process has it open:
// a BudgetPage, then room for a crash report.
func crashFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("mp-crash", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("mp: cannot make a file in memory for a child's crash report: %w", err)
	}
	f := os.NewFile(uintptr(fd), "mp-crash")
	if err := f.Truncate(protocol.BudgetPageSize); err != nil {
		f.Close()
		return nil, err
	}
	_, err = f.Seek(protocol.BudgetPageSize, 0)
	return f, err
}

// endsGroup waits until a child has ended, and kills the processes that it has started
// in its group. The child is not reaped yet, so the id of the group cannot belong to
// other processes.
func endsGroup(p *os.Process) {
	for {
		if err := unix.Waitid(unix.P_PID, p.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != unix.EINTR {
			break
		}
	}
	_ = killGroup(p)
}

// widen tries to set the size of a pipe in bytes. If that fails, the pipe keeps its size.
func widen(f *os.File, room int) {
	c, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = c.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, room) })
}
