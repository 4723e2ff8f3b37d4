package worker

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/goruntime"
	"golang.org/x/sys/unix"
)

// Stopping a goroutine that runs.
//
// The runtime preempts goroutines with SIGURG. The handler's function for it
// is hooked: when the signal finds a goroutine that is to be stopped at an
// instruction of cell code, it makes the goroutine call halt there, which
// unwinds it as runtime.Goexit does, with its deferred functions. Code of the
// standard library is never stopped, since it may hold a lock; there the return
// address of the innermost call from a cell is changed (see link.Divert): by the
// handler if the goroutine runs, with the world stopped if it is parked.
//
// A function that keeps its defers in bits is never stopped either: between
// calls it has not stored which of them are due. Package program sees to it that
// functions that loop keep records instead.

// currentG returns the identity of the calling goroutine: the address of its
// runtime.g, which may be used again for another after it has ended.
func currentG() uintptr

// A target is a goroutine to stop. There may be several: those that were
// abandoned while they were blocked are stopped when they reach cell code.
type target struct {
	g atomic.Uintptr
	// want is where the goroutine will come back to cell code, if the signal
	// has found it outside; detour is what the handler puts in that place.
	want   atomic.Uintptr
	detour atomic.Pointer[detour]
	hits   atomic.Int32 // how often the signal has found it outside of cells
	fixed  atomic.Bool  // its way back was changed while it did not run
	fixing atomic.Bool  // a goroutine is at that
}

type detour struct{ from, to uintptr } // return addresses

const maxTargets = 64

var (
	targets        [maxTargets]target
	inCell, ofCell func(pc uintptr) bool // of a cell or what it brought; where it may be stopped
	openDefers     func(pc uintptr) bool
	callSite       func(g, at, bp uintptr) (slot, pc uintptr)
	onStack        func(g, sp uintptr) bool
	origPreempt    func(gp, ctxt unsafe.Pointer)
	isSafePoint    func(gp unsafe.Pointer, pc, sp, lr uintptr) (bool, uintptr)
	haltPC         uintptr
	origExit       func(code int)
	cannotStop     error // why running goroutines cannot be stopped, if so
)

// installHooks makes the runtime report here what would end the process.
func (w *worker) installHooks() {
	var err error
	if w.collectors, err = findCollectors(w.runtime); err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: a panic in a finalizer will end all finalizers:", err)
	}
	if origGoexit, err = goruntime.Original[func()](w.runtime, "runtime.Goexit"); err == nil {
		_, err = goruntime.Hook(w.runtime, "runtime.Goexit", goexit)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: runtime.Goexit in a finalizer will end all finalizers:", err)
	}
	module := w.linker.Module()
	inCell, ofCell, openDefers = module.Contains, module.OfCell, module.OpenDefers
	callSite = w.diverter.CallSite
	onStack = goruntime.OnStack
	haltPC = reflect.ValueOf(halt).Pointer()
	if origExit, err = goruntime.Hook(w.runtime, "os.Exit", osExit); err != nil || origExit == nil {
		fmt.Fprintln(os.Stderr, "perijove worker: os.Exit in a cell will end the worker:", err)
	}
	if _, err = goruntime.Hook(w.runtime, "runtime.fatalpanic", fatalPanic); err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: a panic in a goroutine will end the worker:", err)
	}
	if panics, err = goruntime.Var[atomic.Uint32](w.runtime, "runtime.runningPanicDefers"); err != nil {
		panics = nil // the ends of cells look at all goroutines
	}
	// What calls a cell has the name of what calls a program's main function.
	if err := w.runtime.Rename(reflect.ValueOf((*execution).call).Pointer(), "runtime.main"); err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: stack traces will show the worker below a cell:", err)
	}
	if err := w.runtime.Rename(reflect.ValueOf((*execution).initialize).Pointer(), "runtime.doInit1"); err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: stack traces will show the worker below a package's initialization:", err)
	}
	w.hookStdin()
	w.hookOutput()
	w.hookClose()
	isSafePoint, cannotStop = goruntime.Func[func(gp unsafe.Pointer, pc, sp, lr uintptr) (bool, uintptr)](w.runtime, "runtime.isAsyncSafePoint")
	if w.goroutines, err = goruntime.NewGoroutines(w.runtime, currentG()); err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: blocked cells are not told apart from running ones:", err)
	}
	w.signals.find(w.runtime)
	if cannotStop == nil {
		// sigPreempt runs as soon as it is installed, for any goroutine.
		if addr, err2 := goruntime.Original[func(gp, ctxt unsafe.Pointer)](w.runtime, "runtime.doSigPreempt"); err2 != nil {
			cannotStop = err2
		} else {
			origPreempt = addr
			_, cannotStop = goruntime.Hook(w.runtime, "runtime.doSigPreempt", sigPreempt)
		}
	}
}

// sigPreempt replaces runtime.doSigPreempt. It runs in a signal handler, on the
// signal stack: it must not allocate, block or touch the goroutine's stack
// otherwise than by pushing one word.
func sigPreempt(gp, ctxt unsafe.Pointer) {
	for i := range targets {
		if t := &targets[i]; gp != nil && t.g.Load() == uintptr(gp) {
			r := registersAt(ctxt)
			if !ofCell(*r.pc) || openDefers(*r.pc) {
				// On another stack it is about the runtime's business.
				if onStack(uintptr(gp), *r.sp) {
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
func (t *target) divert(g, at, bp uintptr) {
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

// halt ends the calling goroutine; cell code that is to be stopped finds
// itself calling it. Deferred functions are not to be stopped again.
func halt() {
	cancelStop(currentG())
	runtime.Goexit()
}

// stopSoon asks for g to be stopped and reports whether there was room.
func stopSoon(g uintptr) bool {
	if stopPending(g) {
		return true // twice would stop its deferred functions too
	}
	for i := range targets {
		if t := &targets[i]; t.g.CompareAndSwap(0, g) {
			t.want.Store(0)
			t.detour.Store(nil)
			t.hits.Store(0)
			t.fixed.Store(false)
			return true
		}
	}
	return false
}

func stopPending(g uintptr) bool { return targetOf(g) != nil }

func targetOf(g uintptr) *target {
	for i := range targets {
		if targets[i].g.Load() == g {
			return &targets[i]
		}
	}
	return nil
}

func cancelStop(g uintptr) {
	for i := range targets {
		targets[i].g.CompareAndSwap(g, 0)
	}
}

// signalThreads sends the runtime's preemption signal to all threads: one of
// them may be running the goroutine.
func signalThreads() {
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

// haltInterrupted stops the cell's goroutine if an interrupt has woken it: what
// it has to show is the interrupt.
func (x *execution) haltInterrupted() {
	if g := currentG(); x != nil && x.g.Load() == g && x.interrupted.Load() {
		cancelStop(g)
		halt()
	}
}

// osExit replaces os.Exit: it ends the cell instead of the process.
func osExit(code int) {
	if self == nil || self.conn == nil {
		origExit(code)
	}
	if x := self.cell.Load(); x != nil {
		x.exit(code)
	}
	self.endGoroutine()
}
