package cluster

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/must"
)

// TestBrokenBarrier looks at the state of a Barrier to find out when a party waits.
func TestBrokenBarrier(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := must.Get(Open(ctx))
	defer c.Close()
	b := must.Get(NewBarrier(ctx, c, 2))
	waiting := make(chan error)
	wait := func(ctx context.Context) {
		go func() {
			_, err := b.Wait(ctx)
			waiting <- err
		}()
		for {
			now, err := b.get(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if s := must.Get(decodeBarrier(now.Value)); s.Waiting == 1 {
				return
			}
		}
	}
	short, end := context.WithCancel(ctx)
	wait(short)
	end()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := b.Wait(ctx); !errors.Is(err, mp.ErrBroken) {
		t.Errorf("a broken Barrier: %v", err)
	}
	must.Do(b.Reset(ctx))
	wait(ctx)
	must.Do(b.Reset(ctx))
	if err := <-waiting; !errors.Is(err, mp.ErrBroken) {
		t.Errorf("a Barrier that is reset: %v", err)
	}
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if _, err := b.Wait(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	wait(ctx)
	must.Do(b.Close(ctx))
	if err := <-waiting; !errors.Is(err, mp.ErrClosed) {
		t.Errorf("a closed Barrier: %v", err)
	}
}
