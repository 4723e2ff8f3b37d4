package process

import (
	"fmt"
	"os"
	"syscall"

	"github.com/perijove/perijove/lib/mp/internal/protocol"
	"golang.org/x/sys/unix"
)

// wakeOrphan has a stopped child go on when the parent is gone, so that it finds
// that out. The signal follows the thread that starts the child, which may end
// earlier: a signal that does nothing to who is not stopped does no harm then.
func wakeOrphan(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGCONT }

// crashFile makes a file without a name, which is gone when no process has it
// open: first a budgetPage, then room for the report of a crash.
func crashFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("mp-crash", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("mp: cannot make a file for crash reports: %w", err)
	}
	f := os.NewFile(uintptr(fd), "mp-crash")
	if err := f.Truncate(protocol.BudgetPageSize); err != nil {
		f.Close()
		return nil, err
	}
	_, err = f.Seek(protocol.BudgetPageSize, 0)
	return f, err
}

// endsGroup waits until a child has ended, and kills what it has started in its
// group: until it is reaped their number cannot mean others.
func endsGroup(p *os.Process) {
	for {
		if err := unix.Waitid(unix.P_PID, p.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != unix.EINTR {
			break
		}
	}
	_ = killGroup(p)
}

// widen enlarges a pipe. Where that is not allowed it works all the same.
func widen(f *os.File, room int) {
	c, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = c.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, room) })
}
