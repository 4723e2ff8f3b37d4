package worker

import (
	"runtime"
	"runtime/debug"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/perijove/perijove/kernel/internal/activeclock"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/platform"
)

// Limits for lists of goroutines: the number of goroutines, and of calls of each.
const (
	maxListed = 1000
	maxFrames = 100
)

// stopWorldTimeout limits the wait for the world to stop: a goroutine that calls runtime.GC
// in a loop prevents others from stopping the world.
const stopWorldTimeout = 100 * time.Millisecond

// startedGoroutines describes the goroutines that cell code of x has started, directly or through others, and
// that still exist. It returns the first maxListed of them, and the number of all of them.
func (w *worker) startedGoroutines(x *execution) ([]control.Goroutine, int) {
	if w == nil || w.goroutines == nil || x.labels == 0 {
		return nil, 0
	}
	var list []uintptr
	n := 0
	own := x.g.Load()
	for g := range w.goroutines.All {
		if g.Labels == x.labels && g.G != own && (ofCell(g.Start) || ofCell(g.Go-1)) {
			if n++; n <= maxListed {
				list = append(list, g.G)
			}
		}
	}
	return w.describe(list), n
}

// listGoroutines describes the goroutines that belong to cells.
func (w *worker) listGoroutines(m control.ListGoroutines) control.GoroutineList {
	out := control.GoroutineList{ID: m.ID}
	if w.goroutines == nil {
		out.Error = "the goroutines cannot be listed: their memory layout in this release of Go is not known"
		return out
	}
	var list []uintptr
	cells := map[uint64]int{}
	for g := range w.goroutines.All {
		n, known := w.cellLabels.Cell(platform.Pointer(g.Labels))
		if w.isWorkerGoroutine(g) || !known && !ofCell(g.Start) && !ofCell(g.Go-1) {
			continue
		}
		cells[g.ID] = n
		if out.Count++; out.Count <= maxListed {
			list = append(list, g.G)
		}
	}
	out.Goroutines = w.describe(list)
	if len(out.Goroutines) < len(list) {
		out.Error = "the goroutines cannot be listed: one of them does not stop; run the directive again"
	}
	for i := range out.Goroutines {
		g := &out.Goroutines[i]
		g.Cell = cells[g.ID]
	}
	return out
}

// stackOf returns the stack of the goroutine of x.
func (w *worker) stackOf(x *execution) *control.Goroutine {
	if list := w.describe([]uintptr{x.g.Load()}); len(list) > 0 {
		return &list[0]
	}
	return &control.Goroutine{State: "running"}
}

// describe returns the stacks of goroutines, or nil if that takes longer than stopWorldTimeout.
func (w *worker) describe(list []uintptr) []control.Goroutine {
	if w == nil || w.goroutines == nil || len(list) == 0 {
		return nil
	}
	found := make(chan []goruntime.Stack, 1)
	w.spawn(func() { found <- w.goroutines.Stacks(list, maxFrames) })
	now, collected := nanotime(), sinceCollection()
	var out []control.Goroutine
	for _, s := range receiveWithin(stopWorldTimeout, found) {
		g := control.Goroutine{State: s.State, Frames: framesAt(s.Calls), ID: s.ID}
		switch {
		case s.Since != 0:
			g.AtLeast, g.AtMost = collected, time.Duration(now-s.Since)
		case s.Waits && collected > 0:
			g.AtMost = collected + collection
		}
		if created := framesAt([]uintptr{s.Created}); len(created) > 0 {
			g.Created = &created[0]
		}
		out = append(out, g)
	}
	return out
}

// collection is longer than the time from the moment at which a garbage collection examines a goroutine to the end of
// the collection.
const collection = time.Second

// sinceCollection returns the time since the last garbage collection, or 0 if there were fewer than two collections:
// the first one does not record which goroutines wait.
func sinceCollection() time.Duration {
	var s debug.GCStats
	debug.ReadGCStats(&s)
	if s.NumGC < 2 {
		return 0
	}
	return time.Since(s.LastGC)
}

// nanotime is the clock of the runtime.
//
//go:linkname nanotime runtime.nanotime
func nanotime() int64

// receiveWithin receives a value. After the timeout it returns the zero value.
func receiveWithin[T any](timeout time.Duration, from <-chan T) (v T) {
	for ; timeout > 0; timeout -= activeclock.MaxCounted {
		select {
		case v = <-from:
			return v
		case <-time.After(activeclock.MaxCounted):
		}
	}
	return v
}

// framesAt returns the frames for return addresses, including inlined calls.
func framesAt(pcs []uintptr) []control.Frame {
	if len(pcs) == 0 || pcs[0] == 0 {
		return nil
	}
	var list []control.Frame
	for it := runtime.CallersFrames(pcs); ; {
		f, more := it.Next()
		if f.Function != "" {
			list = append(list, control.Frame{Func: f.Function, File: f.File, Line: f.Line, PC: f.PC})
		}
		if !more {
			return list
		}
	}
}

// startName returns the name of the function that a goroutine began with, or "".
func startName(g goruntime.Goroutine) string {
	if f := runtime.FuncForPC(g.Start); f != nil {
		return f.Name()
	}
	return ""
}
