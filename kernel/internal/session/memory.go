package session

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/memory"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program"
	"github.com/perijove/perijove/kernel/internal/program/compiler"
)

const (
	memoryEnv     = "PERIJOVE_MEMORY" // the limit, as %memory takes it
	defaultMemory = "80%"
	memoryAdvice  = "use less at a time, or allow more with %memory"
	compileAdvice = "divide it into fewer or simpler functions, or several cells, or allow more with %memory"
)

// A limit is how much memory a worker and all that it started may use together.
// Two things keep it: RLIMIT_DATA in the worker, which no allocation passes, and
// the kernel's watch over the whole tree of processes.
type limit struct {
	bytes int64  // 0: none
	of    string // what it is a share of, if it is one
}

func (l limit) String() string {
	switch {
	case l.bytes == 0:
		return "no limit"
	case l.of == "":
		return memory.Format(l.bytes)
	}
	return memory.Format(l.bytes) + " (" + l.of + ")"
}

// parseLimit reads what %memory or the environment says.
func parseLimit(text string, root fs.FS) (limit, error) {
	text = strings.TrimSpace(text)
	if text == "off" || text == "none" {
		return limit{}, nil
	}
	allowed, whose := memory.Allowed(root)
	n, err := memory.ParseSize(text, allowed)
	if err != nil {
		return limit{}, err
	}
	if !strings.HasSuffix(text, "%") {
		return limit{bytes: n}, nil
	}
	return limit{n, fmt.Sprintf("%s of the %s that %s", text, memory.Format(allowed), whose)}, nil
}

// firstLimit is the limit of a session that nobody has told one.
func firstLimit() (limit, error) {
	root := os.DirFS("/")
	l, err := parseLimit(cmp.Or(os.Getenv(memoryEnv), defaultMemory), root)
	if err != nil {
		err = fmt.Errorf("%s: %w", memoryEnv, err)
		l, _ = parseLimit(defaultMemory, root) // always well-formed
	}
	return l, err
}

// memory is the directive: it shows or changes the limit.
func (r *run) memory(d cell.DirectiveLine) error {
	text := strings.TrimSpace(d.Args)
	if text == "" {
		w, err := r.ready(r.ctx)
		if err != nil {
			return err
		}
		u, _ := w.usage(os.DirFS("/"))
		r.print("%s, limit %s\n", inUse(u), r.limit)
		return nil
	}
	l, err := parseLimit(text, os.DirFS("/"))
	if err != nil {
		return err
	}
	w, err := r.ready(r.ctx)
	if err != nil {
		return err
	}
	if err := w.setup(r.ctx, control.Setup{Memory: cmp.Or(l.bytes, -1)}); err != nil {
		return err
	}
	r.limit = l
	r.compilerLimit.Store(l.bytes)
	w.limit.Store(&l)
	r.print("memory: %s\n", l)
	return nil
}

// inUse says what a tree of processes uses.
func inUse(u memory.Usage) string {
	text := memory.Format(u.Total) + " in use"
	switch n := len(u.Processes) - 1; {
	case n == 1:
		text += " with 1 child process"
	case n > 1:
		text += fmt.Sprintf(" with %d child processes", n)
	}
	return text
}

// usage measures the worker with all that it started, and apart from that the
// process that waits to become a child.
func (p *process) usage(root fs.FS) (u memory.Usage, standby int64) {
	return memory.Tree(root, p.cmd.Process.Pid).Without(int(p.standby.Load()))
}

// dropStandby has the worker end the process that waits to become a child.
func (p *process) dropStandby() {
	go func() { // a worker that does not read must not keep the caller
		_ = p.conn.Send(control.DropStandby{})
	}()
}

// A memoryWatch looks after what a worker and its children use together.
type memoryWatch struct {
	p      *process
	root   fs.FS
	warned bool // that little is left of the limit
	scarce bool // said that the machine has little left
}

// fillRate is as fast as programs get memory, in bytes per second: nobody
// passes the rest of the limit between two looks.
const fillRate = 4 << 30

// run looks until the worker has ended; more often when less is left.
func (m *memoryWatch) run() {
	for wait := time.Second; ; {
		select {
		case <-m.p.ended:
			return
		case <-time.After(wait):
		}
		wait = m.look()
	}
}

// look measures, warns, and ends the biggest process of a tree that is above
// the limit. It returns how soon to look again.
func (m *memoryWatch) look() time.Duration {
	u, byStandby := m.p.usage(m.root)
	scarce := m.machine(u)
	lim := *m.p.limit.Load()
	prog, byCompiler := m.compiler()
	if byStandby > 0 && (scarce || lim.bytes > 0 && u.Total+byCompiler+byStandby > lim.bytes/10*8) {
		m.p.dropStandby()
	}
	if lim.bytes == 0 || u.Total == 0 {
		return time.Second
	}
	switch {
	case u.Total > lim.bytes:
		m.end(u, lim)
	case u.Total+byCompiler > lim.bytes && byCompiler > compiler.LeastMemory:
		prog.Compiler.Stop(failure(memoryError, fmt.Sprintf("the compiler ran out of memory: compiling this cell took %s beside the %s, and the limit is %s; %s, or free what is not needed",
			memory.Format(byCompiler), inUse(u), lim, compileAdvice)))
	case u.Total > lim.bytes/10*8 && !m.warned:
		m.warned = true
		m.p.remark(fmt.Sprintf("memory: %s%s, the limit is %s; free what is not needed, or allow more with %%memory", inUse(u), m.p.where(), lim))
	case u.Total < lim.bytes/10*6:
		m.warned = false
	}
	left := time.Duration(float64(lim.bytes-u.Total-byCompiler) / fillRate * float64(time.Second))
	return min(max(left, 50*time.Millisecond), time.Second)
}

// compilerStopped returns the error of a cell whose compiler took too much
// memory, or nil.
func (s *Session) compilerStopped(err error) *output.Error {
	var stopped *output.Error
	switch {
	case errors.As(err, &stopped):
		return stopped
	case errors.Is(err, compiler.ErrMemory):
		return failure(memoryError, fmt.Sprintf("%v: compiling this cell takes more than the limit, %s; %s", err, s.limit, compileAdvice))
	}
	return nil
}

// compiler returns what the compiler of a cell uses, if one works.
func (m *memoryWatch) compiler() (prog *program.Program, used int64) {
	m.p.mu.Lock()
	current := m.p.program
	m.p.mu.Unlock()
	if current == nil {
		return nil, 0
	}
	prog = current()
	if pid := prog.Compiler.PID(); pid != 0 {
		used = memory.Tree(m.root, pid).Total
	}
	return prog, used
}

// machine reports whether the machine itself has little left, and warns when it
// is this tree that has much of it.
func (m *memoryWatch) machine(u memory.Usage) (scarce bool) {
	free, total := memory.Available(m.root)
	switch {
	case total == 0 || free > total/10:
		m.scarce = false
	case free < total/20 && u.Total > total/4 && !m.scarce:
		m.scarce = true
		m.p.remark(fmt.Sprintf("memory: the machine has %s left of %s; %s%s", memory.Format(free), memory.Format(total), inUse(u), m.p.where()))
	}
	return free < total/20
}

// end ends the biggest process. A child is named to the user, and who started
// it finds it killed; the worker's end is reported as any.
func (m *memoryWatch) end(u memory.Usage, lim limit) {
	worker := m.p.cmd.Process.Pid
	if u.Biggest.PID == worker {
		select {
		case m.p.doom <- fmt.Errorf("out of memory: %s%s, the limit is %s; %s", inUse(u), m.p.where(), lim, memoryAdvice):
		case <-m.p.ended:
		}
		return
	}
	if err := unix.Kill(u.Biggest.PID, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		m.p.log.Warn("a process above the memory limit stays", "pid", u.Biggest.PID, "err", err)
		return
	}
	m.p.remark(fmt.Sprintf("memory: %s%s, the limit is %s: child process %d (%s), which used %s, was ended; %s",
		inUse(u), m.p.where(), lim, u.Biggest.PID, u.Biggest.Name, memory.Format(u.Biggest.Bytes), memoryAdvice))
}

// number notes which cell is about to run, 0 for one without a number, and how
// calls are shown.
func (p *process) number(n int, view func() view) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cell, p.view = n, view
}

// where names the cell that runs.
func (p *process) where() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done == nil || p.cell == 0 {
		return ""
	}
	return " while " + cell.Name(p.cell) + " runs"
}

// remark tells the user something that is no output of a cell.
func (p *process) remark(text string) { p.current().Stream(output.Stderr, text+"\n") }

// outOfMemory explains the runtime's last words if they are about memory.
func (p *process) outOfMemory(cause string) string {
	lim := *p.limit.Load()
	if !memory.Refused(cause) && !(lim.bytes > 0 && memory.RuntimeFault(string(p.dump.held))) {
		return ""
	}
	if lim.bytes == 0 {
		return "out of memory: the system gave it no more (" + cause + ")"
	}
	return fmt.Sprintf("out of memory: it asked for more than the limit, %s; %s", lim, memoryAdvice)
}
