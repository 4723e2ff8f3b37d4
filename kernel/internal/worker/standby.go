package worker

import (
	"os"
	"os/exec"
	"reflect"
	"slices"
	"sync"
	"syscall"

	"github.com/perijove/perijove/kernel/internal/control"
)

// A standby is a child process that was started ahead. It has loaded what the
// worker has, so that a function sent to a process begins at once. Once cells
// start child processes repeatedly, one standby waits while no cell runs; the
// next start takes it. It has run nothing but initializers without effects.
//
// A standby and a child that is started afresh must not differ. What a process
// inherits is compared (inheritance); if anything has changed, the standby is
// discarded. Its folder and its files it gets when it is taken.

// standbyAfter is how many starts it takes until a standby is worth its memory.
const standbyAfter = 2

// maxStandbyFailures is how many standbys may end by themselves, one after the
// other, until no more are started.
const maxStandbyFailures = 3

// standbys starts at most one standby at a time.
type standbys struct {
	w    *worker
	wake chan struct{} // begins a look at what is to be done

	telling sync.Mutex // held while the kernel is told

	mu       sync.Mutex // guards what follows
	starts   int        // since a standby was released
	added    additions  // to the command that the standby is for
	misses   int        // starts in succession that it was not for
	waiting  *standby   // nil if there is none
	failures int        // in succession
}

// additions are what package mp adds to a host's command.
type additions struct {
	env   []string
	files int
	attr  *syscall.SysProcAttr
}

func newStandbys(w *worker) *standbys { return &standbys{w: w, wake: make(chan struct{}, 1)} }

// Start starts a child, as the standby if that can be it.
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

// take makes the standby the child of cmd. It returns nil if there is none
// that can be.
func (a *standbys) take(cmd *exec.Cmd) *standby {
	a.mu.Lock()
	a.starts++
	s := a.pick(cmd)
	a.mu.Unlock()
	if s == nil {
		return nil
	}
	a.tell()
	key, err := inheritance(a.w, cmd)
	if err != nil || key != s.key || s.become(cmd) != nil {
		s.discard()
		return nil
	}
	a.mu.Lock()
	a.failures = 0
	a.mu.Unlock()
	return s
}

// pick removes and returns the standby, if it is for commands like cmd. A start
// with further options leaves it for the next one; several, and they are
// what the next standby is for. The caller holds mu.
func (a *standbys) pick(cmd *exec.Cmd) (s *standby) {
	base := childEnviron()
	if len(cmd.Env) < len(base) || !slices.Equal(cmd.Env[:len(base)], base) {
		return nil // it changes just now
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

// tend begins to bring the standby up to date. It does not wait.
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

// wanted reports whether a standby is of use. The caller holds mu.
func (a *standbys) wanted() bool { return a.starts >= standbyAfter && a.failures < maxStandbyFailures }

// run keeps a standby whenever no cell runs.
func (a *standbys) run() {
	for range a.wake {
		for a.w.busy.Load() == 0 && a.advance() {
		}
	}
}

// advance makes one step and reports whether there may be another.
func (a *standbys) advance() bool {
	a.mu.Lock()
	s, cmd := a.waiting, a.command()
	a.mu.Unlock()
	if cmd == nil {
		return false
	}
	if s != nil {
		key, err := inheritance(a.w, cmd)
		if err == nil && key == s.key {
			return s.update(a.w)
		}
		a.drop(s)
	}
	s, err := startStandby(a.w, cmd)
	if err != nil {
		return false // the next start is made afresh
	}
	a.mu.Lock()
	a.waiting = s
	a.mu.Unlock()
	a.tell()
	go s.attend(a)
	return true
}

// command is what the next start will be like, or nil if no standby is wanted.
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

// drop discards the standby if it is still s.
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

// release gives the standby's memory back. There is another one only after as
// many starts as the first one took.
func (a *standbys) release() {
	a.mu.Lock()
	s := a.waiting
	a.starts = 0
	a.mu.Unlock()
	a.drop(s)
}

// tell tells the kernel which process waits: its memory is no cell's. The last
// message is always true.
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
