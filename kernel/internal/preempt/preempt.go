// Package preempt ends goroutines that run code of cells.
//
// The runtime preempts goroutines with the signal SIGURG. This package hooks the function of the signal handler. If
// the signal interrupts a goroutine that is to be stopped at an instruction of cell code, the hook makes the
// goroutine call Halt there. Halt ends the goroutine as runtime.Goexit does, with its deferred functions. Code of the
// standard library is never stopped, since it may hold a lock. Instead the return address of the innermost call from
// a cell is changed (see package divert): by the signal handler if the goroutine runs, or with the world stopped if
// it is blocked.
//
// A function with open-coded defers is not stopped either. Between calls it may not have stored the bits that say
// which defers are pending. Package instrument makes functions that may loop use defer records instead.
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

// CurrentG returns the address of the calling goroutine's runtime.g. It identifies the goroutine until the goroutine
// ends; then another goroutine may get the same runtime.g.
func CurrentG() uintptr

// A Target is a goroutine to stop. There may be several targets: goroutines that were blocked when their cell ended
// are stopped when they reach cell code.
type Target struct {
	g atomic.Uintptr
	// want is the address at which the goroutine will return to cell code, if the signal
	// has found it outside of cell code. detour says how the handler replaces that address.
	want   atomic.Uintptr
	detour atomic.Pointer[detour]
	hits   atomic.Int32

	Diverted  atomic.Bool // the return address of the goroutine was changed while the goroutine did not run
	Diverting atomic.Bool // another goroutine is changing the return address
}

type detour struct{ from, to uintptr } // return addresses

// Return returns the address at which the goroutine will return to cell code, or 0 if the address is not known. It
// returns each address only once.
func (t *Target) Return() uintptr { return t.want.Swap(0) }

// Detour makes the signal handler change the goroutine's return address if it is from. The new address is to.
func (t *Target) Detour(from, to uintptr) { t.detour.Store(&detour{from, to}) }

// Outside returns the number of signals that have found the goroutine outside of cell code.
func (t *Target) Outside() int { return int(t.hits.Load()) }

// MaxTargets is the maximum number of targets at a time.
const MaxTargets = 64

// These are package variables, since the hooks, which the runtime calls, cannot get them as arguments.
var (
	targets     [MaxTargets]Target
	module      *moduledata.Module
	callSite    func(g, at, bp uintptr) (slot, pc uintptr)
	origPreempt func(gp, ctxt unsafe.Pointer)
	isSafePoint func(gp unsafe.Pointer, pc, sp, lr uintptr) (bool, uintptr)
	haltPC      uintptr
)

// Install replaces the runtime's function for its preemption signal. It must be called before all other functions of
// this package except CurrentG. The code in m counts as code of cells.
func Install(rt *goruntime.Runtime, m *moduledata.Module, d *divert.Diverter) (err error) {
	module, callSite, haltPC = m, d.CallSite, reflect.ValueOf(Halt).Pointer()
	if isSafePoint, err = goruntime.Func[func(gp unsafe.Pointer, pc, sp, lr uintptr) (bool, uintptr)](rt, "runtime.isAsyncSafePoint"); err != nil {
		return err
	}
	if origPreempt, err = goruntime.Original[func(gp, ctxt unsafe.Pointer)](rt, "runtime.doSigPreempt"); err != nil {
		return err
	}
	_, err = goruntime.Hook(rt, "runtime.doSigPreempt", sigPreempt) // the runtime calls it from now on, for every goroutine
	return err
}

// sigPreempt replaces runtime.doSigPreempt. It runs in a signal handler, on the
// signal stack: it must not allocate or block, and must not change the goroutine's stack
// except for a return address and the words that a call pushes.
func sigPreempt(gp, ctxt unsafe.Pointer) {
	for i := range targets {
		if t := &targets[i]; gp != nil && t.g.Load() == uintptr(gp) {
			r := registersAt(ctxt)
			if !module.OfCell(*r.pc) || module.OpenDefers(*r.pc) {
				// On another stack, the thread is running runtime code.
				if goruntime.OnStack(uintptr(gp), *r.sp) {
					t.hits.Add(1)
					if r.hasFrame() {
						t.divert(uintptr(gp), *r.pc, *r.bp)
					}
				}
			} else if ok, pc := isSafePoint(gp, *r.pc, *r.sp, r.link()); ok {
				t.g.Store(0)
				r.call(haltPC, pc)
			}
			break
		}
	}
	origPreempt(gp, ctxt)
}

// divert changes the return address of the goroutine's innermost call from a
// cell, if the detour for it is known. Otherwise it records the address in t.want. At the beginning of a function, the
// frame pointer is still that of the caller. In this case, divert uses a call further out.
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

// Halt runs the deferred functions of the calling goroutine, which are not stopped again, and ends the goroutine. The
// signal handler makes cell code that is to be stopped call Halt.
func Halt() {
	Cancel(CurrentG())
	runtime.Goexit()
}

// Request makes g a target. It returns false if there are MaxTargets targets already.
func Request(g uintptr) bool {
	if Pending(g) {
		return true // a second request would stop its deferred functions
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

// Pending reports whether g is a target.
func Pending(g uintptr) bool { return TargetOf(g) != nil }

// TargetOf returns the Target for g, or nil if g is not a target.
func TargetOf(g uintptr) *Target {
	for i := range targets {
		if targets[i].g.Load() == g {
			return &targets[i]
		}
	}
	return nil
}

// Cancel makes g no longer a target.
func Cancel(g uintptr) {
	for i := range targets {
		targets[i].g.CompareAndSwap(g, 0)
	}
}

// SignalThreads sends the runtime's preemption signal to all threads of the process, since the thread that
// runs a goroutine is not known.
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
