package supervisor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/memory"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program/compiler"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

const memoryAdvice = "use less at a time, or allow more with %memory"

// CompilerAdvice is the advice in the error of a cell whose compiler needs too much memory.
const CompilerAdvice = "use fewer or simpler functions, divide the cell into several, or allow more with %memory"

// MemoryInUse returns a text that says how much memory the worker process and the processes that it started use.
func (w *Worker) MemoryInUse() string {
	u, _ := w.usage(os.DirFS("/"))
	return usageText(u)
}

// Standby returns the process ID of the standby, a process that waits to become a child
// of a cell, or 0 if there is none.
func (w *Worker) Standby() (pid int) { return int(w.standby.Load()) }

// usage measures the memory of the worker process and the processes that it started, without the standby, and the
// memory of the standby.
func (w *Worker) usage(root fs.FS) (u memory.Usage, standby int64) {
	return memory.Tree(root, w.PID()).Without(w.Standby())
}

// dropStandby makes the worker process end the standby.
func (w *Worker) dropStandby() {
	go func() { // Send blocks if the worker process does not read
		_ = w.conn.Send(control.DropStandby{})
	}()
}

// usageText returns a text about the memory of a tree of processes.
func usageText(u memory.Usage) string {
	text := memory.Format(u.Total) + " in use"
	switch n := len(u.Processes) - 1; {
	case n == 1:
		text += " with 1 child process"
	case n > 1:
		text += fmt.Sprintf(" with %d child processes", n)
	}
	return text
}

// A memoryWatch enforces the memory limit of a worker process and its children together.
type memoryWatch struct {
	w                  *Worker
	root               fs.FS
	hasWarned          bool // the user was warned that the limit is near
	hasWarnedOfMachine bool // the user was warned that the machine has little memory left
}

// fillRate is an upper bound of how fast programs allocate memory, in bytes per second.
// It determines the time to the next measurement.
const fillRate = 4 << 30

// run calls check until the worker process has ended. It calls check more often when less of the limit is left.
func (m *memoryWatch) run() {
	for wait := time.Second; ; {
		select {
		case <-m.w.ended:
			return
		case <-time.After(wait):
		}
		wait = m.check()
	}
}

// check measures the memory in use. It warns when the limit is near. Above the limit, it ends the biggest process or
// the compiler. It returns the time to the next measurement.
func (m *memoryWatch) check() time.Duration {
	u, byStandby := m.w.usage(m.root)
	scarce := m.machine(u)
	lim := *m.w.memoryLimit.Load()
	compiling, byCompiler := m.compilerUsage()
	if byStandby > 0 && (scarce || lim.Bytes > 0 && u.Total+byCompiler+byStandby > lim.Bytes/10*8) {
		m.w.dropStandby()
	}
	if lim.Bytes == 0 || u.Total == 0 {
		return time.Second
	}
	switch {
	case u.Total > lim.Bytes:
		m.end(u, lim)
	case u.Total+byCompiler > lim.Bytes && byCompiler > compiler.LeastMemory:
		compiling.Stop(traceback.New(traceback.Memory, fmt.Sprintf("the compiler ran out of memory: compiling this cell took %s in addition to the %s, and the limit is %s; %s, or free what is not needed",
			memory.Format(byCompiler), usageText(u), lim, CompilerAdvice)))
	case u.Total > lim.Bytes/10*8 && !m.hasWarned:
		m.hasWarned = true
		m.w.remark(fmt.Sprintf("memory: %s%s, the limit is %s; free what is not needed, or allow more with %%memory", usageText(u), m.w.where(), lim))
	case u.Total < lim.Bytes/10*6:
		m.hasWarned = false
	}
	left := time.Duration(float64(lim.Bytes-u.Total-byCompiler) / fillRate * float64(time.Second))
	return min(max(left, 50*time.Millisecond), time.Second)
}

// compilerUsage returns the compiler and the memory that it uses, 0 if it does not run.
func (m *memoryWatch) compilerUsage() (c Compiler, used int64) {
	if m.w.compiler == nil {
		return nil, 0
	}
	c = m.w.compiler()
	if pid := c.PID(); pid != 0 {
		used = memory.Tree(m.root, pid).Total
	}
	return c, used
}

// machine reports whether the machine has little memory left. It warns if this tree of processes uses a large part of
// the machine's memory.
func (m *memoryWatch) machine(u memory.Usage) (scarce bool) {
	free, total := memory.Available(m.root)
	switch {
	case total == 0 || free > total/10:
		m.hasWarnedOfMachine = false
	case free < total/20 && u.Total > total/4 && !m.hasWarnedOfMachine:
		m.hasWarnedOfMachine = true
		m.w.remark(fmt.Sprintf("memory: the machine has %s left of %s; %s%s", memory.Format(free), memory.Format(total), usageText(u), m.w.where()))
	}
	return free < total/20
}

// end ends the biggest process. If that is a child, end prints a notice, and the program
// that started the child sees that it was killed. The death of the worker process is reported like any other death of
// it.
func (m *memoryWatch) end(u memory.Usage, lim MemoryLimit) {
	worker := m.w.PID()
	if u.Biggest.PID == worker {
		select {
		case m.w.killReason <- fmt.Errorf("out of memory: %s%s, the limit is %s; %s", usageText(u), m.w.where(), lim, memoryAdvice):
		case <-m.w.ended:
		}
		return
	}
	if err := unix.Kill(u.Biggest.PID, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		m.w.log.Warn("a process above the memory limit stays", "pid", u.Biggest.PID, "err", err)
		return
	}
	m.w.remark(fmt.Sprintf("memory: %s%s, the limit is %s: child process %d (%s), which used %s, was ended; %s",
		usageText(u), m.w.where(), lim, u.Biggest.PID, u.Biggest.Name, memory.Format(u.Biggest.Bytes), memoryAdvice))
}

// where returns " while Cell [N] runs", or "" if no cell runs.
func (w *Worker) where() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done == nil || w.cell == 0 {
		return ""
	}
	return " while " + cell.Name(w.cell) + " runs"
}

// remark prints a line on stderr that is not output of the cell.
func (w *Worker) remark(text string) { w.Sink().Stream(output.Stderr, text+"\n") }

// outOfMemory explains the runtime's report if it is about memory.
func (w *Worker) outOfMemory(cause string) string {
	lim := *w.memoryLimit.Load()
	if !memory.Refused(cause) && !(lim.Bytes > 0 && memory.RuntimeFault(string(w.crash.held))) {
		return ""
	}
	if lim.Bytes == 0 {
		return "out of memory: the system did not give the process more memory (" + cause + ")"
	}
	return fmt.Sprintf("out of memory: the process asked for more than the limit, %s; %s", lim, memoryAdvice)
}
