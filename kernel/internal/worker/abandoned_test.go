package worker

import "testing"

// blocked returns an execution whose goroutine, which exists by number alone,
// never reaches cell code.
func blocked(g uintptr) *execution {
	x := &execution{}
	x.g.Store(g)
	return x
}

func clearTargets(t *testing.T) {
	t.Cleanup(func() {
		for i := range targets {
			targets[i].g.Store(0)
		}
	})
}

func TestMoreAbandonedThanThereIsRoomFor(t *testing.T) {
	clearTargets(t)
	a := &abandoned{watched: true} // swept by hand
	for i := range uintptr(maxTargets) {
		if !a.aim(i + 1) {
			t.Fatalf("no room for goroutine %d", i+1)
		}
		a.add(blocked(i + 1))
	}
	const running = maxTargets + 1
	if !a.aim(running) {
		t.Fatal("the running cell cannot be stopped")
	}
	if !stopPending(running) || stopPending(1) || !stopPending(2) {
		t.Errorf("pending: running %v, oldest %v, second %v; want true, false, true", stopPending(running), stopPending(1), stopPending(2))
	}
	if len(a.list) != maxTargets-1 {
		t.Errorf("%d are left behind, want %d", len(a.list), maxTargets-1)
	}
}

func TestNoRoomWithoutAbandoned(t *testing.T) {
	clearTargets(t)
	for i := range uintptr(maxTargets) {
		stopSoon(i + 1)
	}
	if (&abandoned{}).aim(maxTargets + 1) {
		t.Error("aimed at one goroutine more than there is room for")
	}
}

func TestSweepForgetsWhatHasEnded(t *testing.T) {
	clearTargets(t)
	a := &abandoned{watched: true}
	waits, ended, halted := blocked(1), blocked(2), blocked(3)
	for _, x := range []*execution{waits, ended, halted} {
		a.aim(x.g.Load())
		a.add(x)
	}
	ended.ended.Store(true)
	cancelStop(3) // as the signal handler does
	if !a.sweep() || len(a.list) != 1 || a.list[0] != waits {
		t.Errorf("left after the first sweep: %v, want the one that waits", a.list)
	}
	if stopPending(2) {
		t.Error("a goroutine that has ended is still to be stopped")
	}
	waits.ended.Store(true)
	if a.sweep() || a.watched {
		t.Error("the watch goes on with nothing left")
	}
}
