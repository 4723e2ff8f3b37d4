package mp

import (
	"context"
	"fmt"
	"runtime"

	"github.com/perijove/perijove/lib/mp/internal/object"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// A WaitGroup counts pending work, of goroutines or processes, and waits until all of
// it is done. The zero WaitGroup works for goroutines.
type WaitGroup struct{ at object.Handle }

func (g *WaitGroup) object() *shm.Object { return g.at.Object(object.Size) }

// NewWaitGroup makes a WaitGroup whose counter is 0.
func NewWaitGroup(b Backend) (*WaitGroup, error) {
	g := new(WaitGroup)
	if err := makeHandle(&g.at, b, object.Size); err != nil {
		return nil, err
	}
	return g, nil
}

// Add adds n, which may be negative, to the counter. It panics if the counter becomes
// negative or more than 2³¹-1. Call Add before you start the process that calls Done.
func (g *WaitGroup) Add(n int) {
	if g == nil {
		panicNil("WaitGroup")
	}
	defer runtime.KeepAlive(g)
	o := g.object()
	count := o.U32(0)
	for {
		was := count.Load()
		sum := int(was) + n
		if sum < 0 || sum > maxUnits {
			panic(fmt.Sprintf("mp: the counter of a WaitGroup would be %d, but it must be between 0 and %d", sum, maxUnits))
		}
		if !count.CompareAndSwap(was, uint32(sum)) {
			continue
		}
		if sum == 0 && was > 0 {
			o.Wake(0, shm.All)
		}
		return
	}
}

// Done decrements the counter by one.
func (g *WaitGroup) Done() { g.Add(-1) }

// Go increments the counter, calls f in a goroutine, and calls Done when f returns.
func (g *WaitGroup) Go(f func()) {
	g.Add(1)
	go func() {
		defer g.Done()
		f()
	}()
}

// Wait waits until the counter is 0. It panics with ErrClosed if the WaitGroup is
// closed, and with ErrPeerDied if no other process is left that could call Done.
func (g *WaitGroup) Wait() { mustLock(g.WaitContext(context.Background())) }

// WaitContext is Wait, but returns an error: the error of ctx if ctx ends first,
// ErrClosed or ErrPeerDied.
func (g *WaitGroup) WaitContext(ctx context.Context) error {
	if g == nil {
		return nilError("WaitGroup")
	}
	defer runtime.KeepAlive(g)
	o := g.object()
	w := shm.Watch{Peers: true, Losses: o.Losses()}
	for n := o.U32(0).Load(); n > 0; n = o.U32(0).Load() {
		if err := object.Wait(ctx, o, 0, n, w); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the WaitGroup in every process: calls of WaitContext return ErrClosed,
// and Wait panics with it.
func (g *WaitGroup) Close() {
	if g == nil {
		panicNil("WaitGroup")
	}
	g.object().Close()
}

// GobEncode lets a WaitGroup be part of a value that is sent to a process, as a reference.
func (g *WaitGroup) GobEncode() ([]byte, error) {
	if g == nil {
		return nil, nilError("WaitGroup")
	}
	return g.at.Encode("WaitGroup")
}

// GobDecode is the inverse of GobEncode.
func (g *WaitGroup) GobDecode(b []byte) error {
	if g == nil {
		return nilError("WaitGroup")
	}
	return g.at.Open(b, "WaitGroup")
}
