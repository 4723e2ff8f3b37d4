package goruntime

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/perijove/perijove/kernel/internal/platform"
)

// A State is the state of a goroutine.
type State uint8

const (
	Gone    State = iota // the goroutine has ended
	Active               // the goroutine runs, can run, is in a system call, or waits for the runtime
	Waiting              // the goroutine waits for a time, a file or a connection
	Blocked              // the goroutine waits for another goroutine
	Idle                 // the goroutine belongs to the runtime and has no work
)

// A Goroutine describes a goroutine of this process.
type Goroutine struct {
	G      uintptr // address of the goroutine's runtime.g, which is reused after the goroutine has ended
	ID     uint64
	State  State
	Start  uintptr // address of the function with which the goroutine began
	Go     uintptr // return address of the go statement that started the goroutine, or 0
	Labels uintptr // profiler labels, which a goroutine inherits from the one that started it
}

// Goroutines gives access to the goroutines of this process. Its methods may be called concurrently.
type Goroutines struct {
	host      *Runtime
	all, len  *uintptr
	procs     *SliceHeader
	cgo       *bool
	sleepFunc uintptr // the function of the timers of sleeping goroutines
}

// NewGoroutines returns a Goroutines. g is the calling goroutine, on which NewGoroutines checks the layout of
// runtime.g. It returns an error if the layout is not the expected one.
func NewGoroutines(h *Runtime, g uintptr) (*Goroutines, error) {
	gs := &Goroutines{host: h}
	var err error
	at := func(name string) uintptr {
		p, ok := h.Index.Lookup(name, 1)
		if !ok && err == nil {
			err = noSymbol(name)
		}
		return p
	}
	gs.all = (*uintptr)(platform.Pointer(at("runtime.allgptr")))
	gs.len = (*uintptr)(platform.Pointer(at("runtime.allglen")))
	gs.procs = (*SliceHeader)(platform.Pointer(at("runtime.allp")))
	gs.cgo = (*bool)(platform.Pointer(at("runtime.iscgo")))
	gs.sleepFunc = at("runtime.goroutineReady")
	if err != nil {
		return nil, err
	}
	return gs, gs.check(g)
}

func (gs *Goroutines) check(g uintptr) error {
	var b [64]byte
	var id uint64
	if _, err := fmt.Sscanf(string(b[:runtime.Stack(b[:], false)]), "goroutine %d ", &id); err != nil {
		return err
	}
	found := false
	for p := range gs.each {
		found = found || p == g
	}
	if !found || gs.describe(g).ID != id || platform.Read[uint32](g+gStatus)&^statusScan != statusRunning {
		return errors.New("the goroutines of the worker process do not have the expected layout: Perijove does not support this version of Go")
	}
	return nil
}

// each yields every runtime.g, including those of ended goroutines. It may miss new ones
// unless the world is stopped.
func (gs *Goroutines) each(yield func(g uintptr) bool) {
	n := atomic.LoadUintptr(gs.len)
	list := atomic.LoadUintptr(gs.all)
	for i := range n {
		if g := platform.Read[uintptr](list + 8*i); g != 0 && !yield(g) {
			return
		}
	}
}

// State returns the state of g. It does not allocate.
func (gs *Goroutines) State(g uintptr) State {
	switch atomic.LoadUint32((*uint32)(platform.Pointer(g+gStatus))) &^ statusScan {
	case statusIdle, statusDead, statusDeadExtra:
		return Gone
	case statusWaiting:
		why := platform.Read[uint8](g + gWaitReason)
		if idleReasons[why] {
			return Idle
		}
		if s, ok := waitReasons[why]; ok {
			return s
		}
	}
	return Active
}

// Unwinding yields the goroutines that run deferred functions because of a panic or
// runtime.Goexit. The panic may still be recovered.
func (gs *Goroutines) Unwinding(yield func(Goroutine) bool) {
	for g := range gs.each {
		if platform.Read[uintptr](g+gPanic) == 0 {
			continue
		}
		if x := gs.describe(g); x.State != Gone && !yield(x) {
			return
		}
	}
}

// WaitsForSemaphore reports whether g waits for a semaphore of the runtime. If it is a semaphore of the garbage
// collector, g continues soon.
func (gs *Goroutines) WaitsForSemaphore(g uintptr) bool {
	const reason = 13
	return gs.State(g) == Blocked && platform.Read[uint8](g+gWaitReason) == reason
}

// InSyscall reports whether g is in a system call.
func (gs *Goroutines) InSyscall(g uintptr) bool {
	return atomic.LoadUint32((*uint32)(platform.Pointer(g+gStatus)))&^statusScan == statusSyscall
}

func (gs *Goroutines) describe(g uintptr) Goroutine {
	return Goroutine{G: g, ID: platform.Read[uint64](g + gID), State: gs.State(g), Start: platform.Read[uintptr](g + gStartPC), Go: platform.Read[uintptr](g + gGoPC), Labels: platform.Read[uintptr](g + gLabels)}
}

// Describe describes the goroutine g.
func (gs *Goroutines) Describe(g uintptr) Goroutine { return gs.describe(g) }

// All yields the goroutines that have not ended.
func (gs *Goroutines) All(yield func(Goroutine) bool) {
	for g := range gs.each {
		if x := gs.describe(g); x.State != Gone && !yield(x) {
			return
		}
	}
}

// Stopped calls f while no other goroutine runs. f must not allocate much
// and must not wait.
func (gs *Goroutines) Stopped(f func()) {
	s := gs.host.StopTheWorld(StopReason)
	defer gs.host.StartTheWorld(s)
	f()
}

// ReadMap calls f, which reads the map at m, while no other goroutine runs. f must not allocate. If another goroutine
// is writing the map, reading it would end the process. So ReadMap waits some milliseconds for the end of the write.
// If the write does not end, ReadMap returns false without calling f.
func (gs *Goroutines) ReadMap(m uintptr, f func()) (ok bool) {
	for n := 0; n < 100 && !ok; n++ {
		gs.Stopped(func() {
			if ok = platform.Read[uint8](m+mapWriting) == 0; ok {
				f()
			}
		})
		if !ok {
			time.Sleep(50 * time.Microsecond)
		}
	}
	return ok
}

// HasForeignCode reports whether the process has C code. C code may wake goroutines.
func (gs *Goroutines) HasForeignCode() bool { return *gs.cgo }

// HasReceiver reports whether a goroutine waits to receive from the channel at ch.
func (gs *Goroutines) HasReceiver(ch uintptr) bool {
	return platform.Read[uintptr](ch+chanReceivers) != 0
}

// Timers returns the number of active timers, except those that wake sleeping
// goroutines or end a wait for a connection. The world must be stopped.
func (gs *Goroutines) Timers() int {
	n := 0
	for i := range gs.procs.len {
		p := platform.Read[uintptr](gs.procs.ptr + 8*uintptr(i))
		if p == 0 {
			continue
		}
		heap := platform.Read[SliceHeader](p + pTimersHeap)
		for j := range heap.len {
			t := platform.Read[uintptr](heap.ptr + timerWhenSize*uintptr(j))
			if t != 0 && platform.Read[uint8](t+timerState)&timerZombie == 0 && !gs.wakesNone(platform.Read[uintptr](t+timerFunc)) {
				n++
			}
		}
	}
	return n
}

// wakesNone reports whether a timer's function wakes no goroutine, or only one whose state is
// Waiting or Idle.
func (gs *Goroutines) wakesNone(fn uintptr) bool {
	if fn == 0 {
		return true
	}
	pc := platform.Read[uintptr](fn)
	if pc == gs.sleepFunc {
		return true
	}
	f := runtime.FuncForPC(pc)
	if f == nil {
		return false
	}
	name := f.Name()
	return strings.HasPrefix(name, "runtime.netpoll") || strings.HasPrefix(name, "runtime.(*scavengerState)") ||
		strings.HasPrefix(name, "runtime.") && strings.Contains(name, "newWakeableSleep.") // the function is part of the runtime's tracer
}

// Position returns the program counter and the frame pointer of g. It returns zeros if g is running.
func (gs *Goroutines) Position(g uintptr) (pc, bp uintptr) {
	switch s := platform.Read[uint32](g+gStatus) &^ statusScan; s {
	case statusIdle, statusRunning, statusDead, statusDeadExtra:
		return 0, 0
	case statusSyscall:
		return platform.Read[uintptr](g + gSyscallPC), platform.Read[uintptr](g + gSyscallBP)
	}
	return platform.Read[uintptr](g + GSchedPC), platform.Read[uintptr](g + gSchedBP)
}

// OnStack reports whether sp is in the stack of g. Signal handlers call it, so the race detector must not check it.
//
//go:norace
func OnStack(g, sp uintptr) bool {
	return sp >= platform.Read[uintptr](g+GStackLo) && sp < platform.Read[uintptr](g+GStackHi)
}

// A Stack is the call stack of a goroutine.
type Stack struct {
	ID      uint64
	State   string    // state as the runtime's stack traces name it
	Calls   []uintptr // return addresses, innermost first
	Created uintptr   // return address of the go statement that started the goroutine, or 0
	// Since is a time before the goroutine began to wait, in nanoseconds of the runtime's clock. The first garbage
	// collection that finds the goroutine waiting sets Since to the start of the previous collection. Since is 0 if
	// the goroutine has run since the last collection, or if there has been no second collection.
	Since int64
	Waits bool // the goroutine waits for something
}

// Stacks returns the stacks of the goroutines in list. It stops the world. A stack has at most depth calls. The stack
// of a goroutine that runs or has ended has no calls.
func (gs *Goroutines) Stacks(list []uintptr, depth int) []Stack {
	out := make([]Stack, len(list))
	for i := range out {
		out[i].Calls = make([]uintptr, 0, depth)
	}
	gs.Stopped(func() {
		for i, g := range list {
			gs.stack(g, &out[i])
		}
	})
	return out
}

func (gs *Goroutines) stack(g uintptr, s *Stack) {
	s.State, s.ID, s.Created = "running", platform.Read[uint64](g+gID), platform.Read[uintptr](g+gGoPC)
	if state := gs.State(g); state == Waiting || state == Blocked {
		s.Waits, s.Since = true, platform.Read[int64](g+gWaitSince)
	}
	why := platform.Read[uint8](g + gWaitReason)
	switch {
	case gs.InSyscall(g):
		s.State = "system call"
	case platform.Read[uint32](g+gStatus)&^statusScan == statusWaiting && reasonNames[why] != "":
		s.State = reasonNames[why]
	}
	lo, hi := platform.Read[uintptr](g+GStackLo), platform.Read[uintptr](g+GStackHi)
	pc, bp := gs.Position(g)
	for pc != 0 && len(s.Calls) < cap(s.Calls) {
		s.Calls = append(s.Calls, pc)
		if bp < lo || bp >= hi-16 || bp%8 != 0 {
			break
		}
		lo, pc, bp = bp+16, platform.Read[uintptr](bp+8), platform.Read[uintptr](bp)
	}
}
