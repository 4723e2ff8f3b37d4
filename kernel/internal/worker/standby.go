package worker

import (
	"os"
	"os/exec"
	"reflect"
	"slices"
	"sync"
	"syscall"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/inheritance"
)

// A standby is a child process that is started before package mp needs it. It has loaded the same code as the
// worker, so that a function sent to a process begins immediately. After cells have
// started child processes repeatedly, the worker keeps one standby ready while no cell runs. The
// next start uses it. A standby runs only initializers without effects.
//
// A standby must not differ from a newly started child. So the worker compares the attributes
// that a process inherits (see inheritance); if one has changed, it discards the standby.
// The standby gets its folder and its files when it is used.

// standbyAfter is the number of starts after which a standby is worth its memory.
const standbyAfter = 2

// maxStandbyFailures is the number of successive standbys that may end by themselves before
// no more are started.
const maxStandbyFailures = 3

// standbys manages the standby: there is at most one at a time.
type standbys struct {
	w    *worker
	wake chan struct{} // wakes run

	telling sync.Mutex // held by tell

	mu       sync.Mutex // guards the fields below
	starts   int        // number of starts since the last release
	added    additions  // additions of the commands that the standby is for
	misses   int        // number of successive starts with other additions
	waiting  *standby   // nil if there is none
	failures int        // number of successive standbys that have ended by themselves
}

// additions are the settings that package mp adds to the command from Command.
type additions struct {
	env   []string
	files int
	attr  *syscall.SysProcAttr
}

func newStandbys(w *worker) *standbys { return &standbys{w: w, wake: make(chan struct{}, 1)} }

// Start starts a child process for cmd, or uses the standby for it. It returns the number of load steps that the
// child has.
func (h *host) Start(cmd *exec.Cmd) (have int, err error) {
	if h.w.standbys == nil { // this process is a child
		return 0, cmd.Start()
	}
	if s := h.w.standbys.take(cmd); s != nil {
		files, _ := filesOf(cmd)
		h.w.outputPipes.started(cmd.Process, cmd.Path, files)
		return s.have, nil
	}
	return 0, cmd.Start()
}

// take makes the standby the process of cmd. It returns nil if there is no suitable
// standby.
func (a *standbys) take(cmd *exec.Cmd) *standby {
	a.mu.Lock()
	a.starts++
	s := a.pick(cmd)
	a.mu.Unlock()
	if s == nil {
		return nil
	}
	a.tell()
	key, err := inheritance.Describe(cmd, a.w.memory.Args() != nil)
	if err != nil || key != s.key || s.become(cmd) != nil {
		s.discard()
		return nil
	}
	a.mu.Lock()
	a.failures = 0
	a.mu.Unlock()
	return s
}

// pick removes and returns the standby, if it is for commands like cmd. After standbyAfter successive starts
// with other additions, the next standby is for commands with those additions. The caller holds
// mu.
func (a *standbys) pick(cmd *exec.Cmd) (s *standby) {
	base := childEnviron()
	if len(cmd.Env) < len(base) || !slices.Equal(cmd.Env[:len(base)], base) {
		return nil // the environment is changing at the moment
	}
	added := additions{cmd.Env[len(base):], len(cmd.ExtraFiles), cmd.SysProcAttr}
	if a.waiting != nil && !reflect.DeepEqual(added, a.added) {
		if a.misses++; a.misses < standbyAfter {
			return nil
		}
	} else {
		s, a.waiting = a.waiting, nil
	}
	a.added, a.misses = added, 0
	return s
}

// tend makes run start or update the standby. It does not wait.
func (a *standbys) tend() {
	a.mu.Lock()
	wanted := a.wanted()
	a.mu.Unlock()
	if !wanted {
		return
	}
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// wanted reports whether there should be a standby. The caller holds mu.
func (a *standbys) wanted() bool { return a.starts >= standbyAfter && a.failures < maxStandbyFailures }

// run starts and updates the standby while no cell runs.
func (a *standbys) run() {
	for range a.wake {
		for a.w.busy.Load() == 0 && a.advance() {
		}
	}
}

// advance starts, replaces or updates the standby in one step, and reports whether there may be more to do.
func (a *standbys) advance() bool {
	a.mu.Lock()
	s, cmd := a.waiting, a.command()
	a.mu.Unlock()
	if cmd == nil {
		return false
	}
	if s != nil {
		key, err := inheritance.Describe(cmd, a.w.memory.Args() != nil)
		if err == nil && key == s.key {
			return s.update(a.w)
		}
		a.drop(s)
	}
	s, err := startStandby(a.w, cmd)
	if err != nil {
		return false // the next start gets a new process
	}
	a.mu.Lock()
	a.waiting = s
	a.mu.Unlock()
	a.tell()
	go s.attend(a)
	return true
}

// command returns a command like that of the next start, or nil if there should be no standby.
// The caller holds mu.
func (a *standbys) command() *exec.Cmd {
	if !a.wanted() || a.added.files == 0 {
		return nil
	}
	cmd := a.w.childCommand()
	cmd.Env = append(cmd.Env, a.added.env...)
	cmd.ExtraFiles = make([]*os.File, a.added.files)
	cmd.SysProcAttr = a.added.attr
	return cmd
}

// drop discards s if it is still the standby.
func (a *standbys) drop(s *standby) {
	a.mu.Lock()
	mine := s != nil && a.waiting == s
	if mine {
		a.waiting = nil
	}
	a.mu.Unlock()
	if mine {
		a.tell()
		s.discard()
	}
}

// lost notes that a standby has ended by itself.
func (a *standbys) lost(s *standby) {
	a.mu.Lock()
	mine := a.waiting == s
	if mine {
		a.waiting = nil
		a.failures++
	}
	a.mu.Unlock()
	if mine {
		a.tell()
	}
}

// release discards the standby to free its memory. The next one is started only after standbyAfter
// further starts.
func (a *standbys) release() {
	a.mu.Lock()
	s := a.waiting
	a.starts = 0
	a.mu.Unlock()
	a.drop(s)
}

// tell sends the process ID of the standby to the kernel, which does not count its memory as that of a
// cell. Messages are sent in order, so the last one is correct.
func (a *standbys) tell() {
	a.telling.Lock()
	defer a.telling.Unlock()
	a.mu.Lock()
	pid := 0
	if a.waiting != nil {
		pid = a.waiting.process.Pid
	}
	a.mu.Unlock()
	if err := a.w.conn.Send(control.Standby{PID: pid}); err != nil {
		endGroup()
	}
}
