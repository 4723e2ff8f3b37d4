package mp

import (
	"testing"

	"github.com/perijove/perijove/lib/mp/internal/goroutine"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// TestHeirOfAReentrantMutexIsOneGoroutine checks a process that has just got a
// ReentrantMutex from a dead one. Until its goroutine has recorded itself as the owner,
// the words still have the goroutine id of the dead process: no goroutine of this
// process may take the mutex because of that id.
func TestHeirOfAReentrantMutexIsOneGoroutine(t *testing.T) {
	m, err := NewReentrantMutex(Processes)
	if err != nil {
		t.Fatal(err)
	}
	m.own(goroutine.ID())
	dead := shm.Owner{PID: 1 << 22, Start: 1}
	m.object().U64(reentrantProcess).Store(dead.Word())
	m.object().U64(0).Store(shm.Self().Word()) // as if another goroutine had just taken the lock from a dead owner
	if m.TryLock() {
		t.Error("two goroutines have the mutex")
	}
	m.object().U64(0).Store(dead.Word())
	m.Lock()
	if m.Recovered() != 1 {
		t.Errorf("recovered %d times", m.Recovered())
	}
	m.Lock()
	//lint:ignore SA2001 what Unlock does is tested
	m.Unlock()
	m.Unlock()
	defer func() {
		if recover() == nil {
			t.Error("an unlock too many")
		}
	}()
	m.Unlock()
}
