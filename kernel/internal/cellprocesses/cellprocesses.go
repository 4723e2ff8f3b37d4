// Package cellprocesses ends the processes that cells have started.
package cellprocesses

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

// A List holds the processes that cells have started, for example with package os/exec. Processes of package mp
// are not in the list: package mp ends them itself. The zero value is an empty list. Its methods can be called
// concurrently.
type List struct {
	mu      sync.Mutex // guards the fields below
	list    []process
	pruneAt int // length of list at which ended processes are removed
}

// A process is a process that a cell has started.
type process struct {
	labels uintptr // profiler labels of the cell
	pid    int
	since  string // start time, since the system may use pid again for another process
}

// killDelay is the time between SIGINT and SIGKILL.
const killDelay = 100 * time.Millisecond

// Add adds a process that a cell has started. labels is the address of the cell's profiler labels.
func (ps *List) Add(labels uintptr, pid int) {
	p := process{labels, pid, startTime(pid)}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if len(ps.list) >= max(ps.pruneAt, 64) {
		ps.list = slices.DeleteFunc(ps.list, func(p process) bool { return !p.isAlive() })
		ps.pruneAt = 2 * len(ps.list)
	}
	ps.list = append(ps.list, p)
}

// End ends the processes of the cell with these profiler labels, and all processes that they have started. It sends
// SIGINT, as a terminal does, and SIGKILL after killDelay. End does not wait. It returns how many of the processes
// that the cell itself has started were alive.
func (ps *List) End(labels uintptr) int {
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
			_ = unix.Kill(p.pid, sig) // fails if it has ended
		}
	}
}

// tree returns a process and its descendants, as far as /proc shows them.
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

const startField = 19 // index of the start time in statFields

// statFields returns the fields of /proc/PID/stat from the state on, or nil.
func statFields(pid int) [][]byte {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
}
