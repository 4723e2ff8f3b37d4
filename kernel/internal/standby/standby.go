// Package standby keeps a child process ready before package mp needs it. This process, the standby, has loaded the
// same code as the worker process, so a function that is sent to it begins immediately. After cells have started
// child processes repeatedly, the worker process keeps one standby ready while no cell runs. The next start of a
// child process uses it. A standby runs only initializers without effects.
//
// A standby must not differ from a newly started child. So the worker process compares the attributes that a process
// inherits (see package inheritance). If an attribute has changed, the worker process discards the standby. The
// standby gets its folder and its files when it is used.
//
// A load step is one change of the code of the worker process, such as the load of an object.
package standby

import (
	"os"
	"os/exec"
	"reflect"
	"slices"
	"sync"
	"syscall"

	"github.com/perijove/perijove/kernel/internal/inheritance"
)

// standbyAfter is the number of starts after which a standby is worth its memory.
const standbyAfter = 2

// maxStandbyFailures is the number of successive standbys that may end by themselves before
// no more are started.
const maxStandbyFailures = 3

// A Host is the worker process, which starts standbys. Its methods can be called concurrently.
type Host interface {
	// Command returns the command for a child, without the settings that package mp adds to it.
	Command() *exec.Cmd
	// Updates returns up to limit load steps from step number have on, encoded, and their number. It stops at the
	// first step that may have effects.
	Updates(have, limit int) (msg []byte, n int)
	// Idle reports whether no cell runs.
	Idle() bool
	// MemoryLimited reports whether each start of a process sets RLIMIT_DATA.
	MemoryLimited() bool
	// Report receives the process ID of the standby whenever it changes. pid is 0 if there is no standby.
	Report(pid int)
}

// A Manager manages the standby: there is at most one at a time. Its methods can be called concurrently.
type Manager struct {
	host Host
	wake chan struct{} // wakes Run

	telling sync.Mutex // held by tell

	mu       sync.Mutex // guards the fields below
	starts   int        // number of starts since the last release
	added    additions  // additions of the commands for which the standby was started
	misses   int        // number of successive starts with other additions
	waiting  *standby   // nil if there is none
	failures int        // number of successive standbys that have ended by themselves
}

// additions are the settings that package mp adds to the command from Host.Command.
type additions struct {
	env   []string
	files int
	attr  *syscall.SysProcAttr
}

// NewManager returns a Manager without a standby. The caller must call Run in a goroutine.
func NewManager(h Host) *Manager { return &Manager{host: h, wake: make(chan struct{}, 1)} }

// Take makes the standby the process of cmd. have is the number of load steps that the process has applied. Take
// returns false if there is no suitable standby.
func (m *Manager) Take(cmd *exec.Cmd) (have int, ok bool) {
	m.mu.Lock()
	m.starts++
	s := m.pick(cmd)
	m.mu.Unlock()
	if s == nil {
		return 0, false
	}
	m.tell()
	key, err := inheritance.Describe(cmd, m.host.MemoryLimited())
	if err != nil || key != s.key || s.become(cmd) != nil {
		s.discard()
		return 0, false
	}
	m.mu.Lock()
	m.failures = 0
	m.mu.Unlock()
	return s.have, true
}

// pick removes and returns the standby, if it is for commands like cmd. After standbyAfter successive starts
// with other additions, the next standby is for commands with those additions. The caller holds
// mu.
func (m *Manager) pick(cmd *exec.Cmd) (s *standby) {
	base := m.host.Command().Env
	if len(cmd.Env) < len(base) || !slices.Equal(cmd.Env[:len(base)], base) {
		return nil // the environment is changing at the moment
	}
	added := additions{cmd.Env[len(base):], len(cmd.ExtraFiles), cmd.SysProcAttr}
	if m.waiting != nil && !reflect.DeepEqual(added, m.added) {
		if m.misses++; m.misses < standbyAfter {
			return nil
		}
	} else {
		s, m.waiting = m.waiting, nil
	}
	m.added, m.misses = added, 0
	return s
}

// Tend makes Run start or update the standby. It does not wait.
func (m *Manager) Tend() {
	m.mu.Lock()
	wanted := m.wanted()
	m.mu.Unlock()
	if !wanted {
		return
	}
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// wanted reports whether there should be a standby. The caller holds mu.
func (m *Manager) wanted() bool { return m.starts >= standbyAfter && m.failures < maxStandbyFailures }

// Run starts and updates the standby while no cell runs. It does not return.
func (m *Manager) Run() {
	for range m.wake {
		for m.host.Idle() && m.advance() {
		}
	}
}

// advance starts, replaces or updates the standby in one step, and reports whether there may be more to do.
func (m *Manager) advance() bool {
	m.mu.Lock()
	s, cmd := m.waiting, m.command()
	m.mu.Unlock()
	if cmd == nil {
		return false
	}
	if s != nil {
		key, err := inheritance.Describe(cmd, m.host.MemoryLimited())
		if err == nil && key == s.key {
			return s.update(m.host)
		}
		m.drop(s)
	}
	s, err := start(cmd, m.host.MemoryLimited())
	if err != nil {
		return false // the next start gets a new process
	}
	m.mu.Lock()
	m.waiting = s
	m.mu.Unlock()
	m.tell()
	go s.attend(m.lost)
	return true
}

// command returns a command like that of the next start, or nil if there should be no standby.
// The caller holds mu.
func (m *Manager) command() *exec.Cmd {
	if !m.wanted() || m.added.files == 0 {
		return nil
	}
	cmd := m.host.Command()
	cmd.Env = append(cmd.Env, m.added.env...)
	cmd.ExtraFiles = make([]*os.File, m.added.files)
	cmd.SysProcAttr = m.added.attr
	return cmd
}

// drop discards s if it is still the standby.
func (m *Manager) drop(s *standby) {
	m.mu.Lock()
	mine := s != nil && m.waiting == s
	if mine {
		m.waiting = nil
	}
	m.mu.Unlock()
	if mine {
		m.tell()
		s.discard()
	}
}

// lost records that a standby has ended by itself.
func (m *Manager) lost(s *standby) {
	m.mu.Lock()
	mine := m.waiting == s
	if mine {
		m.waiting = nil
		m.failures++
	}
	m.mu.Unlock()
	if mine {
		m.tell()
	}
}

// Release discards the standby to free its memory. A new standby is started only after standbyAfter further starts of
// child processes.
func (m *Manager) Release() {
	m.mu.Lock()
	s := m.waiting
	m.starts = 0
	m.mu.Unlock()
	m.drop(s)
}

// tell reports the process ID of the standby. Reports are made in order, so the last one is correct.
func (m *Manager) tell() {
	m.telling.Lock()
	defer m.telling.Unlock()
	m.mu.Lock()
	pid := 0
	if m.waiting != nil {
		pid = m.waiting.process.Pid
	}
	m.mu.Unlock()
	m.host.Report(pid)
}
