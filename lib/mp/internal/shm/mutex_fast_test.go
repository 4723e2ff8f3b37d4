//go:build (amd64 || arm64) && go1.26 && !go1.27 && !race

package shm

import (
	"runtime"
	"sync/atomic"
	"testing"
	"unsafe"
)

// TestMutexLayout checks the layout of a sync.Mutex on which LockFast depends.
func TestMutexLayout(t *testing.T) {
	var m LocalMutex
	if at := unsafe.Offsetof(m.Mu); at != 4 || unsafe.Alignof(m) != 8 {
		t.Fatalf("Mu is at %d, alignment %d", at, unsafe.Alignof(m))
	}
	if m.Mu.Lock(); *m.word() != heldWord {
		t.Errorf("held: %#x", *m.word())
	}
	if m.Mu.Unlock(); *m.word() != 0 {
		t.Errorf("free: %#x", *m.word())
	}
	if !m.LockFast() || m.Mu.TryLock() || m.LockFast() {
		t.Error("LockFast does not take the sync.Mutex")
	}
	if !m.UnlockFast() || m.UnlockFast() || !m.Mu.TryLock() {
		t.Error("UnlockFast does not release the sync.Mutex")
	}
	waits := make(chan struct{})
	go func() {
		m.Mu.Lock()
		close(waits)
	}()
	for atomic.LoadUint64(m.word()) == heldWord { // until it waits
		runtime.Gosched()
	}
	if m.UnlockFast() {
		t.Fatal("UnlockFast left a waiter")
	}
	m.Mu.Unlock()
	<-waits
	if m.Slow = 1; m.UnlockFast() || m.LockFast() {
		t.Error("Slow is not seen")
	}
}
