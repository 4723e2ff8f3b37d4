package shm

import (
	"os"
	"os/exec"
	"slices"
	"testing"
)

// hubForTest returns a separate hub, in which this process has place 1.
func hubForTest(t testing.TB) *hub {
	t.Helper()
	seg, err := NewSegment(hubPlace*hubPlaces, false)
	if err != nil {
		t.Fatal(err)
	}
	return &hub{seg: seg, mine: 1}
}

// settle gives a place to a process with parked goroutines.
func (h *hub) settle(place int, o Owner) {
	at64(h.at(place), hubOwner).Store(o.Word())
	h.setParked(place, true)
}

// deadProcess returns a process that has ended.
func deadProcess(t testing.TB) Owner {
	t.Helper()
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	o := Child(cmd.Process.Pid)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its error says that it was killed
	return o
}

// TestDeadPlacesAreFreed checks that processes that were killed with parked goroutines cost a few wake-ups, not one for
// each later call.
func TestDeadPlacesAreFreed(t *testing.T) {
	h, dead := hubForTest(t), deadProcess(t)
	alive := Child(os.Getppid())
	for name, notify := range map[string]func(){
		"wake-ups of a word": func() { h.post(1<<40|2, All) },
		"closed objects":     h.postCheck,
	} {
		t.Run(name, func(t *testing.T) {
			const living, shared = 200, hubPlaces - 1 // the last place may have several processes
			for place := 2; place < 300; place++ {
				h.settle(place, dead)
			}
			h.settle(living, alive)
			h.settle(shared, dead)
			for range hubMails + 2 {
				notify()
			}
			if got := slices.Collect(h.others()); !slices.Equal(got, []int{living, shared}) {
				t.Errorf("places that get wake-ups: %v, want %d and %d", got, living, shared)
			}
			if at64(h.at(2), hubOwner).Load() != 0 || at64(h.at(living), hubOwner).Load() != alive.Word() {
				t.Error("the dead process's place is not free, or the living process has lost its own")
			}
			if at32(h.at(living), hubLost).Load() == 0 || at32(h.at(living), hubWord).Load() == 0 {
				t.Error("the living process was not woken")
			}
		})
	}
}

// BenchmarkClose closes objects while 300 other processes have parked goroutines.
func BenchmarkClose(b *testing.B) {
	h, err := ownHub()
	if err != nil {
		b.Fatal(err)
	}
	for place := 2; place < 302; place++ {
		h.settle(place, Child(os.Getppid()))
	}
	for b.Loop() {
		o, err := New(64)
		if err != nil {
			b.Fatal(err)
		}
		o.Close()
	}
}
