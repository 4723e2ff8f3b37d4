// Package memorylimit limits the memory of this process with RLIMIT_DATA, but not that
// of the programs that it starts.
package memorylimit

import (
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"golang.org/x/sys/unix"
)

// A Limit is the memory limit of this process. It changes only the soft value of RLIMIT_DATA. A new process inherits
// the limit of its parent. So while this process forks, the old value applies to it, and programs get the old value. The kernel's
// supervisor watches the memory of all processes of the notebook, and so covers allocations in that time. The methods
// of a Limit can be called concurrently after Begin.
type Limit struct {
	mu    sync.Mutex  // guards the fields below
	old   unix.Rlimit // the limit at the start of the process
	limit int64       // in bytes; 0 for none
	soft  int64       // the value passed to debug.SetMemoryLimit
	forks int         // number of forks in progress
	fork  forkFunc

	started func(path string, pid int)
}

// hooked is the Limit that Begin was called for.
var hooked *Limit

type forkFunc = func(argv0 *byte, argv, envv []*byte, chroot, dir *byte, attr *syscall.ProcAttr, sys *syscall.SysProcAttr, pipe int) (int, syscall.Errno)

// Begin sets the limit from the process's arguments. It hooks the fork function of package syscall, so that forks
// lift the limit. Begin is called once in a process. When the process has started a program, started is called in the
// same goroutine, with the program's path and process ID.
func (m *Limit) Begin(rt *goruntime.Runtime, args []string, started func(path string, pid int)) error {
	hooked, m.started = m, started
	if err := unix.Getrlimit(unix.RLIMIT_DATA, &m.old); err != nil {
		return err
	}
	m.soft = math.MaxInt64
	orig, err := goruntime.Original[forkFunc](rt, "syscall.forkAndExecInChild")
	if err != nil {
		return err
	}
	m.fork = orig
	if _, err := goruntime.Hook(rt, "syscall.forkAndExecInChild", forkUnlimited); err != nil {
		return err
	}
	for _, a := range args {
		if text, ok := strings.CutPrefix(a, control.MemoryFlag); ok {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return err
			}
			return m.Set(n)
		}
	}
	return nil
}

// Args returns the arguments that give a child process the same limit.
func (m *Limit) Args() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.limit == 0 {
		return nil
	}
	return []string{control.MemoryFlag + strconv.FormatInt(m.limit, 10)}
}

// Set changes the limit, in bytes; 0 removes the limit. It returns an error if the process has allocated more
// already.
func (m *Limit) Set(n int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if used := dataSize(); n != 0 && used >= n {
		return fmt.Errorf("the process that runs the cells has already allocated %d MB: set a higher limit, or free the memory with %%restart, which loses the variables", used/1e6)
	}
	m.limit = n
	if m.forks == 0 {
		if err := m.apply(); err != nil {
			return err
		}
	}
	m.tellCollector()
	return nil
}

func (m *Limit) apply() error {
	r := m.old
	if m.limit != 0 {
		r.Cur = min(r.Cur, uint64(m.limit))
	}
	return unix.Setrlimit(unix.RLIMIT_DATA, &r)
}

// tellCollector sets the memory limit of Go's garbage collector to nine tenths of the limit,
// unless the user has set another limit for it.
func (m *Limit) tellCollector() {
	if os.Getenv("GOMEMLIMIT") != "" || debug.SetMemoryLimit(-1) != m.soft {
		return
	}
	m.soft = math.MaxInt64
	if m.limit != 0 {
		m.soft = m.limit / 10 * 9
	}
	debug.SetMemoryLimit(m.soft)
}

// lift sets the limit that the process started with, until the returned function is called. If
// several calls overlap, that limit stays until the last of these functions is called.
func (m *Limit) lift() (restore func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forks++
	if m.limit != 0 {
		_ = unix.Setrlimit(unix.RLIMIT_DATA, &m.old) // if it fails, the program gets the limit of this process
	}
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.forks--; m.forks == 0 && m.limit != 0 {
			_ = m.apply() // restores the limit; nothing can be done if it fails
		}
	}
}

// forkUnlimited replaces syscall.forkAndExecInChild. It lifts the limit during the fork, since the new process
// inherits the limit that is set then.
func forkUnlimited(argv0 *byte, argv, envv []*byte, chroot, dir *byte, attr *syscall.ProcAttr, sys *syscall.SysProcAttr, pipe int) (int, syscall.Errno) {
	defer hooked.lift()()
	pid, err := hooked.fork(argv0, argv, envv, chroot, dir, attr, sys, pipe)
	if err == 0 {
		hooked.started(unix.BytePtrToString(argv0), pid)
	}
	return pid, err
}

// dataSize returns the number of bytes that count against RLIMIT_DATA, or 0 if it is not known.
func dataSize() int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmData:"); ok {
			if f := strings.Fields(rest); len(f) > 0 {
				n, _ := strconv.ParseInt(f[0], 10, 64) // 0 if it is not a number
				return n << 10
			}
		}
	}
	return 0
}
