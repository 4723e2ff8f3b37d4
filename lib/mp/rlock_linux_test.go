package mp

import "testing"

// Between the moment in which a process has inherited an RLock and that in which
// its goroutine has become the owner, the dead one's goroutine id is still there:
// it means no goroutine of the heir.
func TestHeirOfAnRLockIsOneGoroutine(t *testing.T) {
	l, err := NewRLock(Processes)
	if err != nil {
		t.Fatal(err)
	}
	l.own(goroutineID())
	dead := owner{pid: 1 << 22, start: 1}
	l.cell().u64(rlockProcess).Store(dead.word())
	l.mutex().state().Store(self().word()) // just inherited by another goroutine
	if l.TryLock() {
		t.Error("two goroutines have the RLock")
	}
	l.mutex().state().Store(dead.word())
	l.Lock()
	if l.Recovered() != 1 {
		t.Errorf("recovered %d times", l.Recovered())
	}
	l.Lock()
	l.Unlock()
	l.Unlock()
	defer func() {
		if recover() == nil {
			t.Error("an unlock too many")
		}
	}()
	l.Unlock()
}
