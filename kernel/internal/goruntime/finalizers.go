package goruntime

import (
	"runtime"
	"sync/atomic"
)

// A finalizerLoop is a goroutine of the runtime that calls finalizers or cleanups of the
// user. If it ends, the runtime does not start another.
type finalizerLoop struct {
	run    func()
	status *atomic.Uint32 // runtime.fingStatus for finalizers; nil for cleanups
}

// finalizing is the bit of runtime.fingStatus that says that a finalizer is running. While it is set, the runtime does
// not wake the goroutine that calls finalizers.
const finalizing = 2

// FinalizerLoops describes the goroutines of the runtime that call finalizers or cleanups. The key is the name of the
// function with which a goroutine begins.
type FinalizerLoops map[string]finalizerLoop

// FindFinalizerLoops finds the functions with which the goroutines for finalizers and cleanups begin.
func FindFinalizerLoops(rt *Runtime) (FinalizerLoops, error) {
	found := FinalizerLoops{}
	for _, name := range []string{"runtime.runFinalizers", "runtime.runCleanups"} {
		run, err := Func[func()](rt, name)
		if err != nil {
			return nil, err
		}
		found[name] = finalizerLoop{run: run}
	}
	status, err := Var[atomic.Uint32](rt, "runtime.fingStatus")
	if err != nil {
		return nil, err
	}
	found["runtime.runFinalizers"] = finalizerLoop{found["runtime.runFinalizers"].run, status}
	return found, nil
}

// Restart starts another goroutine for finalizers or cleanups if the calling goroutine runs them and is about to end.
// The finalizers or cleanups that the calling goroutine has already taken from the queue, at most one block, are
// lost.
func (loops FinalizerLoops) Restart() {
	if c := loops[GoroutineStart()]; c.run != nil {
		if c.status != nil {
			c.status.And(^uint32(finalizing))
		}
		go c.run()
	}
}

// GoroutineStart returns the name of the function with which the calling goroutine began.
func GoroutineStart() string {
	pcs := make([]uintptr, 64)
	start := ""
	for skip := 0; ; {
		n := runtime.Callers(skip, pcs)
		if n == 0 {
			return start
		}
		for _, pc := range pcs[:n] {
			if f := runtime.FuncForPC(pc - 1); f != nil && f.Name() != "runtime.goexit" {
				start = f.Name()
			}
		}
		skip += n
	}
}
