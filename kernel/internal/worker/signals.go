package worker

import (
	"fmt"
	"os"
	"sync"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/goruntime"
)

// Once somebody has called signal.Notify a goroutine of os/signal waits for
// signals for ever. It can wake those alone who wait at a channel that gets them.
type signals struct {
	loop     uintptr         // the function of that goroutine
	handlers *signalHandlers // nil if it is not known
}

// signalHandlers mirrors the beginning of os/signal.handlers.
type signalHandlers struct {
	sync.Mutex
	m map[chan<- os.Signal]*struct{}
}

func (s *signals) find(rt *goruntime.Runtime) {
	loop, err := goruntime.Address(rt, "os/signal.loop")
	if err == nil {
		s.handlers, err = goruntime.Var[signalHandlers](rt, "os/signal.handlers")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: cells that use signals are not found to be deadlocked:", err)
		return
	}
	s.loop = loop
}

// isReceiver reports whether g is the goroutine that waits for signals, and does
// so. Each signal is its call of the system's ending.
func (s *signals) isReceiver(gs *goruntime.Goroutines, g goruntime.Goroutine) bool {
	return s.loop != 0 && g.Start == s.loop && gs.InSyscall(g.G)
}

// areAwaited reports whether a signal may wake somebody.
func (s *signals) areAwaited(gs *goruntime.Goroutines) bool {
	if s.handlers == nil {
		return false // then the receiver counts as one that may
	}
	if !s.handlers.TryLock() {
		return true // somebody is at it
	}
	defer s.handlers.Unlock()
	for ch := range s.handlers.m {
		if gs.HasReceiver(*(*uintptr)(unsafe.Pointer(&ch))) {
			return true
		}
	}
	return false
}
