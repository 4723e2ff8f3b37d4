// Package preempt ends goroutines that run code of cells.
//
// The runtime preempts goroutines with SIGURG. The handler's function for it
// is hooked: when the signal finds a goroutine that is to be stopped at an
// instruction of cell code, it makes the goroutine call halt there, which
// unwinds it as runtime.Goexit does, with its deferred functions. Code of the
// standard library is never stopped, since it may hold a lock; there the return
// address of the innermost call from a cell is changed (see package divert): by the
// handler if the goroutine runs, with the world stopped if it is parked.
//
// A function that keeps its defers in bits is never stopped either: between
// calls it has not stored which of them are due. Package program sees to it that
// functions that loop keep records instead.
package preempt

import (
	"os"
	"reflect"
	"runtime"
	"strconv"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/divert"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/moduledata"
	"golang.org/x/sys/unix"
)

// CurrentG returns the identity of the calling goroutine: the address of its
// runtime.g, which may be used again for another after it has ended.
func CurrentG() uintptr

// A Target is a goroutine to stop. There may be several: those that were
// abandoned while they were blocked are stopped when they reach cell code.
type Target struct {
	g atomic.Uintptr
	// want is where the goroutine will come back to cell code, if the signal
	// has found it outside; detour is what the handler puts in that place.
	want   atomic.Uintptr
	detour atomic.Pointer[detour]
	hits   atomic.Int32

	Diverted  atomic.Bool // its return address was changed while it did not run
	Diverting atomic.Bool // a goroutine is changing it
}

type detour struct{ from, to uintptr } // return addresses

// Return returns the return address at which the goroutine will come back to cell code, or 0. It is returned once.
func (t *Target) Return() uintptr { return t.want.Swap(0) }

// Detour has the signal handler replace a return address by another.
func (t *Target) Detour(from, to uintptr) { t.detour.Store(&detour{from, to}) }

// Outside counts how often the signal has found the goroutine outside of cells.
func (t *Target) Outside() int { return int(t.hits.Load()) }

// MaxTargets is how many goroutines may be targets at a time.
const MaxTargets = 64

// Hooks, which have nowhere else to find it, need package state.
var (
	targets     [MaxTargets]Target
	module      *moduledata.Module
	callSite    func(g, at, bp uintptr) (slot, pc uintptr)
	origPreempt func(gp, ctxt unsafe.Pointer)
	isSafePoint func(gp unsafe.Pointer, pc, sp, lr uintptr) (bool, uintptr)
	haltPC      uintptr
)

// Install replaces the runtime's function for its preemption signal. It must be called before any other function of this
// package but CurrentG. Code that is loaded into m is code of cells.
func Install(rt *goruntime.Runtime, m *moduledata.Module, d *divert.Diverter) (err error) {
	module, callSite, haltPC = m, d.CallSite, reflect.ValueOf(Halt).Pointer()
	if isSafePoint, err = goruntime.Func[func(gp unsafe.Pointer, pc, sp, lr uintptr) (bool, uintptr)](rt, "runtime.isAsyncSafePoint"); err != nil {
		return err
	}
	if origPreempt, err = goruntime.Original[func(gp, ctxt unsafe.Pointer)](rt, "runtime.doSigPreempt"); err != nil {
		return err
	}
	_, err = goruntime.Hook(rt, "runtime.doSigPreempt", sigPreempt) // which runs from now on, for any goroutine
	return err
}

// sigPreempt replaces runtime.doSigPreempt. It runs in a signal handler, on the
// signal stack: it must not allocate, block or touch the goroutine's stack
// otherwise than by pushing one word.
func sigPreempt(gp, ctxt unsafe.Pointer) {
	for i := range targets {
		if t := &targets[i]; gp != nil && t.g.Load() == uintptr(gp) {
			r := registersAt(ctxt)
			if !module.OfCell(*r.pc) || module.OpenDefers(*r.pc) {
				// On another stack it is about the runtime's business.
				if goruntime.OnStack(uintptr(gp), *r.sp) {
					t.hits.Add(1)
					if *r.bp >= *r.sp {
						t.divert(uintptr(gp), *r.pc, *r.bp)
					}
				}
			} else if ok, pc := isSafePoint(gp, *r.pc, *r.sp, 0); ok {
				t.g.Store(0)
				r.call(haltPC, pc)
			}
			break
		}
	}
	origPreempt(gp, ctxt)
}

// divert changes the return address of the goroutine's innermost call from a
// cell, once there is something to put in its place. Before a function has set
// the frame pointer it is still the caller's: then a call further out is found.
func (t *Target) divert(g, at, bp uintptr) {
	slot, pc := callSite(g, at, bp)
	d := t.detour.Load()
	switch {
	case slot == 0 || d != nil && pc == d.to:
	case d != nil && pc == d.from:
		store(slot, d.to)
	default:
		t.want.Store(pc)
	}
}

func store(p, v uintptr) { *(*uintptr)(*(*unsafe.Pointer)(unsafe.Pointer(&p))) = v }

// Halt ends the calling goroutine; cell code that is to be stopped finds
// itself calling it. Deferred functions are not to be stopped again.
func Halt() {
	Cancel(CurrentG())
	runtime.Goexit()
}

// Request asks for g to be stopped and reports whether there was room.
func Request(g uintptr) bool {
	if Pending(g) {
		return true // twice would stop its deferred functions too
	}
	for i := range targets {
		if t := &targets[i]; t.g.CompareAndSwap(0, g) {
			t.want.Store(0)
			t.detour.Store(nil)
			t.hits.Store(0)
			t.Diverted.Store(false)
			return true
		}
	}
	return false
}

func Pending(g uintptr) bool { return TargetOf(g) != nil }

func TargetOf(g uintptr) *Target {
	for i := range targets {
		if targets[i].g.Load() == g {
			return &targets[i]
		}
	}
	return nil
}

func Cancel(g uintptr) {
	for i := range targets {
		targets[i].g.CompareAndSwap(g, 0)
	}
}

// SignalThreads sends the runtime's preemption signal to all threads: one of
// them may be running the goroutine.
func SignalThreads() {
	pid := os.Getpid()
	dir, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, e := range dir {
		if tid, err := strconv.Atoi(e.Name()); err == nil {
			_ = unix.Tgkill(pid, tid, unix.SIGURG)
		}
	}
}
