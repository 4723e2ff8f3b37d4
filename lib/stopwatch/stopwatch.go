// Package stopwatch measures the time, the processor time and the memory that statements
// take. The directives %time and %timeit of notebooks use it. Programs can use it in the
// same way:
//
//	w := stopwatch.Start()
//	work()
//	w.Print()
//
//	for n := range stopwatch.Repeat(0, 0) {
//		for range n {
//			work()
//		}
//	}
package stopwatch

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// A Watch has the measurements of one goroutine. The zero Watch is ready to use. A Watch must
// not be used concurrently.
type Watch struct {
	running []reading // readings at Start, innermost measurement last
	loop    *loop
}

// A reading has the values of counters at one time. They count for the whole process.
type reading struct {
	at            time.Time
	user, system  time.Duration
	bytes, allocs uint64
	collections   uint32
}

// memory reads the allocation counters, which takes time.
func (r *reading) memory() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	r.bytes, r.allocs, r.collections = m.TotalAlloc, m.Mallocs, m.NumGC
}

// Start begins a measurement. Measurements may be nested.
func (w *Watch) Start() {
	w.running = append(w.running, reading{})
	r := &w.running[len(w.running)-1]
	r.memory()
	r.cpu()
	r.at = time.Now()
}

// Stop ends the innermost measurement and returns its report, or "" if there is none.
func (w *Watch) Stop() string {
	now := reading{at: time.Now()}
	n := len(w.running) - 1
	if n < 0 {
		return ""
	}
	now.cpu()
	now.memory()
	begin := w.running[n]
	w.running = w.running[:n]
	user, system := now.user-begin.user, now.system-begin.system
	text := fmt.Sprintf("CPU times: user %s, sys: %s, total: %s\nWall time: %s\n",
		duration(user), duration(system), duration(user+system), duration(now.at.Sub(begin.at)))
	if allocs := now.allocs - begin.allocs; allocs > 0 {
		text += fmt.Sprintf("Allocated: %s in %s", size(now.bytes-begin.bytes), counted(allocs, "object"))
		if n := now.collections - begin.collections; n > 0 {
			text += ", " + counted(uint64(n), "garbage collection")
		}
		text += "\n"
	}
	return text
}

// StopAll ends all measurements and returns their reports.
func (w *Watch) StopAll() string {
	var b strings.Builder
	for len(w.running) > 0 {
		b.WriteString(w.Stop())
	}
	return b.String()
}
