package mp_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// TestMutexGoesToWhoWaits checks that a goroutine that has waited long gets the Mutex.
// As with a sync.Mutex, the goroutine that holds it can take it again once or twice at
// most before that.
func TestMutexGoesToWhoWaits(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const most = 10
	if n := overtakings(new(sync.Mutex)); n > most {
		t.Fatalf("a sync.Mutex: %d, so the test is wrong", n)
	}
	for name, m := range map[string]*mp.Mutex{"the zero Mutex": new(mp.Mutex), "NewMutex": made(mp.NewMutex(mp.Goroutines))} {
		if n := overtakings(m); n > most {
			t.Errorf("%s was taken %d times by others while a goroutine waited for it", name, n)
		}
	}
}

// overtakings returns how often a goroutine takes a lock again that it holds for longer
// than the starvation limit, while another waits for it.
func overtakings(l sync.Locker) (n int) {
	const limit = 100
	l.Lock()
	var waits, has atomic.Bool
	go func() {
		waits.Store(true)
		l.Lock()
		has.Store(true)
		l.Unlock()
	}()
	for !waits.Load() {
		runtime.Gosched()
	}
	for n < limit {
		time.Sleep(2 * time.Millisecond) // until the waiter has found the lock held
		l.Unlock()
		l.Lock()
		if has.Load() {
			break
		}
		n++
	}
	l.Unlock()
	return n
}

func TestMutexAfterClose(t *testing.T) {
	m := new(mp.Mutex)
	m.Lock()
	m.Close()
	m.Unlock() // the holder may still release it
	if m.TryLock() {
		t.Error("a closed Mutex was taken")
	}
	defer func() {
		if v := recover(); v != mp.ErrClosed {
			t.Errorf("Lock of a closed Mutex: %v", v)
		}
	}()
	m.Lock()
}
