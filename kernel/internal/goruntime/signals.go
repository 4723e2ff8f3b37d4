package goruntime

import (
	"os"
	"sync"
	"unsafe"
)

// Signals tells which goroutines wait for signals. After a call of signal.Notify, a goroutine of os/signal waits for
// signals forever. It can wake only goroutines that receive from a channel for signals.
type Signals struct {
	loop     uintptr         // the function of the goroutine of os/signal; 0 if it is not known
	handlers *signalHandlers // nil if it is not known
}

// signalHandlers mirrors the beginning of os/signal.handlers.
type signalHandlers struct {
	sync.Mutex
	m map[chan<- os.Signal]*struct{}
}

// Find finds the variables and functions of os/signal. If it returns an error, IsReceiver and AreAwaited return
// false.
func (s *Signals) Find(rt *Runtime) error {
	loop, err := Address(rt, "os/signal.loop")
	if err != nil {
		return err
	}
	if s.handlers, err = Var[signalHandlers](rt, "os/signal.handlers"); err == nil {
		s.loop = loop
	}
	return err
}

// IsReceiver reports whether g is the goroutine of os/signal and is waiting for a signal, in a system call.
func (s *Signals) IsReceiver(gs *Goroutines, g Goroutine) bool {
	return s.loop != 0 && g.Start == s.loop && gs.InSyscall(g.G)
}

// AreAwaited reports whether a goroutine may be receiving from a channel for signals.
func (s *Signals) AreAwaited(gs *Goroutines) bool {
	if s.handlers == nil {
		return false // then IsReceiver returns false, too
	}
	if !s.handlers.TryLock() {
		return true // another goroutine holds the lock, so a channel may be in use
	}
	defer s.handlers.Unlock()
	for ch := range s.handlers.m {
		if gs.HasReceiver(*(*uintptr)(unsafe.Pointer(&ch))) {
			return true
		}
	}
	return false
}
