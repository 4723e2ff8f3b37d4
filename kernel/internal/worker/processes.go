package worker

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/activeclock"
	"golang.org/x/sys/unix"
)

// processes are those that cells have started by package os/exec and its kin,
// not those of package mp, which are cancelled by its own means.
type processes struct {
	mu      sync.Mutex // guards what follows
	list    []process
	pruneAt int // how many are searched for such as have ended
}

// A process is one that a cell has started.
type process struct {
	labels uintptr // of the cell
	pid    int
	since  string // when it was started, which tells it from another of its number
}

// killDelay is how long a process may take to end after SIGINT.
const killDelay = 100 * time.Millisecond

func (ps *processes) add(p process) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if len(ps.list) >= max(ps.pruneAt, 64) {
		ps.list = slices.DeleteFunc(ps.list, func(p process) bool { return !p.isAlive() })
		ps.pruneAt = 2 * len(ps.list)
	}
	ps.list = append(ps.list, p)
}

// end ends the processes of a cell with all that they have started: by SIGINT,
// as a terminal does, and after a moment by SIGKILL. It returns their number.
func (ps *processes) end(labels uintptr) int {
	ps.mu.Lock()
	var living []process
	for _, p := range ps.list {
		if p.labels == labels && p.isAlive() {
			living = append(living, p)
		}
	}
	ps.mu.Unlock()
	var all []process
	for _, p := range living {
		all = append(all, p.tree()...)
	}
	if len(all) == 0 {
		return 0
	}
	signalAll(all, unix.SIGINT)
	go func() {
		clock := activeclock.New()
		for spent := time.Duration(0); spent < killDelay; {
			spent += clock.Tick(activeclock.MaxCounted)
		}
		signalAll(all, unix.SIGKILL)
	}()
	return len(living)
}

func signalAll(list []process, sig unix.Signal) {
	for _, p := range list {
		if p.isAlive() {
			_ = unix.Kill(p.pid, sig) // it may have ended since
		}
	}
}

// tree lists a process and what it has started, as far as the system tells.
func (p process) tree() []process {
	list := []process{p}
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.pid))
	if err != nil {
		return list
	}
	for _, t := range tasks {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", p.pid, t.Name()))
		if err != nil {
			continue
		}
		for _, f := range bytes.Fields(b) {
			if pid, err := strconv.Atoi(string(f)); err == nil {
				list = append(list, process{p.labels, pid, startTime(pid)}.tree()...)
			}
		}
	}
	return list
}

// isAlive reports whether the process exists and has not ended.
func (p process) isAlive() bool {
	f := statFields(p.pid)
	return len(f) > startField && string(f[0]) != "Z" && string(f[startField]) == p.since
}

func startTime(pid int) string {
	if f := statFields(pid); len(f) > startField {
		return string(f[startField])
	}
	return ""
}

const startField = 19 // of statFields: when the process was started

// statFields are those of /proc/PID/stat from the state on.
func statFields(pid int) [][]byte {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
}
