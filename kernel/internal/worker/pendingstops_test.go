package worker

import (
	"testing"

	"github.com/perijove/perijove/kernel/internal/preempt"
)

// blocked returns an execution whose goroutine does not exist, so it never reaches cell code.
func blocked(g uintptr) *execution {
	x := &execution{}
	x.g.Store(g)
	return x
}

func clearTargets(t *testing.T) {
	t.Cleanup(func() {
		for g := range uintptr(preempt.MaxTargets + 2) {
			preempt.Cancel(g + 1)
		}
	})
}

func TestRequestDropsOldest(t *testing.T) {
	clearTargets(t)
	a := &pendingStops{isWatched: true} // the test calls sweep
	for i := range uintptr(preempt.MaxTargets) {
		if !a.request(i + 1) {
			t.Fatalf("no room for goroutine %d", i+1)
		}
		a.add(blocked(i + 1))
	}
	const running = preempt.MaxTargets + 1
	if !a.request(running) {
		t.Fatal("the running cell cannot be stopped")
	}
	if !preempt.Pending(running) || preempt.Pending(1) || !preempt.Pending(2) {
		t.Errorf("pending: running %v, oldest %v, second %v; want true, false, true", preempt.Pending(running), preempt.Pending(1), preempt.Pending(2))
	}
	if len(a.list) != preempt.MaxTargets-1 {
		t.Errorf("%d are left behind, want %d", len(a.list), preempt.MaxTargets-1)
	}
}

func TestRequestWithoutRoom(t *testing.T) {
	clearTargets(t)
	for i := range uintptr(preempt.MaxTargets) {
		preempt.Request(i + 1)
	}
	if (&pendingStops{}).request(preempt.MaxTargets + 1) {
		t.Error("aimed at one goroutine more than there is room for")
	}
}

func TestSweepRemovesEnded(t *testing.T) {
	clearTargets(t)
	a := &pendingStops{isWatched: true}
	waits, ended, halted := blocked(1), blocked(2), blocked(3)
	for _, x := range []*execution{waits, ended, halted} {
		a.request(x.g.Load())
		a.add(x)
	}
	ended.ended.Store(true)
	preempt.Cancel(3) // as the signal handler does
	if !a.sweep() || len(a.list) != 1 || a.list[0] != waits {
		t.Errorf("left after the first sweep: %v, want the one that waits", a.list)
	}
	if preempt.Pending(2) {
		t.Error("a goroutine that has ended is still to be stopped")
	}
	waits.ended.Store(true)
	if a.sweep() || a.isWatched {
		t.Error("the watch goes on with nothing left")
	}
}
