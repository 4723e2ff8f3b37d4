package members

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/cluster/internal/wire"
)

// TestAwaitLoss waits until the only process of a build has left. While there is no
// connection, nothing is lost.
func TestAwaitLoss(t *testing.T) {
	var s List
	var connected atomic.Bool
	s.Update(&wire.Worker{ID: "a", Build: Build{1}})
	s.Update(&wire.Worker{ID: "b", Build: Build{2}})
	lost := make(chan bool, 1)
	go func() { lost <- s.AwaitLoss(t.Context(), Build{1}, time.Millisecond, connected.Load) }()
	for range 2 {
		select {
		case <-lost:
			t.Fatal("the process is present, or there is no connection")
		case <-time.After(20 * time.Millisecond):
		}
		s.Update(&wire.Worker{ID: "a", Leaving: true})
	}
	connected.Store(true)
	if !<-lost {
		t.Error("the loss was not noticed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s.AwaitLoss(ctx, Build{2}, time.Millisecond, connected.Load) {
		t.Error("a process that is present is lost")
	}
}
