package mp

import (
	"context"
	"fmt"
	"runtime"

	"github.com/perijove/perijove/lib/mp/internal/object"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// A WaitGroup waits for a number of things to be done, by goroutines or by
// processes. The zero WaitGroup is one for goroutines.
type WaitGroup struct{ at object.Handle }

func (g *WaitGroup) object() *shm.Object { return g.at.Object(object.Size) }

// NewWaitGroup makes a WaitGroup for which nothing is to be done.
func NewWaitGroup(b Backend) (*WaitGroup, error) {
	g := new(WaitGroup)
	if err := makeHandle(&g.at, b, object.Size); err != nil {
		return nil, err
	}
	return g, nil
}

// Add adds n, which may be negative, to what is to be done. It panics if that
// becomes negative or more than 2³¹-1. Add before the process that calls Done is
// started.
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
			panic(fmt.Sprintf("mp: %d to be done in a WaitGroup: there must be 0 to %d", sum, maxUnits))
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

// Done tells that one of the things is done.
func (g *WaitGroup) Done() { g.Add(-1) }

// Go calls f in a goroutine, and waits for it, too.
func (g *WaitGroup) Go(f func()) {
	g.Add(1)
	go func() {
		defer g.Done()
		f()
	}()
}

// Wait waits until everything is done. It panics with ErrClosed if the WaitGroup is
// closed, and with ErrPeerDied if no process is left that could do it.
func (g *WaitGroup) Wait() { mustLock(g.WaitContext(context.Background())) }

// WaitContext is Wait that returns an error: ctx's when that ends, ErrClosed or
// ErrPeerDied.
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

// Close ends the WaitGroup for all who have it: waits return ErrClosed.
func (g *WaitGroup) Close() {
	if g == nil {
		panicNil("WaitGroup")
	}
	g.object().Close()
}

// GobEncode lets a WaitGroup be part of what is sent to a process.
func (g *WaitGroup) GobEncode() ([]byte, error) {
	if g == nil {
		return nil, nilError("WaitGroup")
	}
	return g.at.Encode("WaitGroup")
}

// GobDecode is the other end of GobEncode.
func (g *WaitGroup) GobDecode(b []byte) error {
	if g == nil {
		return nilError("WaitGroup")
	}
	return g.at.Open(b, "WaitGroup")
}
