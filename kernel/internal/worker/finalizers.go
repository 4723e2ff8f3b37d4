package worker

import (
	"runtime"
	"sync/atomic"

	"github.com/perijove/perijove/kernel/internal/goruntime"
)

// A finalizerLoop is a goroutine of the runtime that calls finalizers or cleanups of the
// user. The runtime does not start another if it ends.
type finalizerLoop struct {
	run    func()
	status *atomic.Uint32 // runtime.fingStatus for finalizers; nil for cleanups
}

// finalizing is the bit of runtime.fingStatus that says that a finalizer is running.
// While it is set, the runtime does not wake the goroutine.
const finalizing = 2

func findFinalizerLoops(rt *goruntime.Runtime) (map[string]finalizerLoop, error) {
	found := map[string]finalizerLoop{}
	for _, name := range []string{"runtime.runFinalizers", "runtime.runCleanups"} {
		run, err := goruntime.Func[func()](rt, name)
		if err != nil {
			return nil, err
		}
		found[name] = finalizerLoop{run: run}
	}
	status, err := goruntime.Var[atomic.Uint32](rt, "runtime.fingStatus")
	if err != nil {
		return nil, err
	}
	found["runtime.runFinalizers"] = finalizerLoop{found["runtime.runFinalizers"].run, status}
	return found, nil
}

// endGoroutine ends the calling goroutine without running its deferred
// functions. If it ran finalizers or cleanups, endGoroutine starts another for that. Those
// that it had already taken from the queue, at most one block, are lost.
func (w *worker) endGoroutine() {
	w.restartFinalizerLoop()
	goexit1()
	select {}
}

func (w *worker) restartFinalizerLoop() {
	if c := w.finalizerLoops[goroutineStart()]; c.run != nil {
		if c.status != nil {
			c.status.And(^uint32(finalizing))
		}
		go c.run()
	}
}

var origGoexit func()

// goexit replaces runtime.Goexit: a finalizer may call it.
func goexit() {
	self.restartFinalizerLoop()
	origGoexit()
}

// goroutineStart returns the name of the function that the calling goroutine began with.
func goroutineStart() string {
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
