//go:build (amd64 || arm64) && go1.26 && !go1.27 && !race

package shm

import (
	"sync/atomic"
	"unsafe"
)

// heldWord is the word of a mutex that is held and has no waiters. A sync.Mutex begins
// with its state: 0 if it is free, 1 if it is held without waiters. The field
// LocalMutex.Slow and that state form one 64-bit word, so LockFast and UnlockFast take
// one atomic operation, like those of a sync.Mutex. TestMutexLayout checks this layout.
const heldWord = 1 << 32

func (m *LocalMutex) word() *uint64 { return (*uint64)(unsafe.Pointer(m)) }

// freeWord and lockedWord are the words that LockFast and UnlockFast replace. While a
// trace is recorded they are words that no mutex has, so that both fail and the caller
// can log the event; a check of a separate variable would make callers of
// Mutex.Lock too large to be inlined. Aligned words are read and written at once.
var (
	freeWord   uint64
	lockedWord uint64 = heldWord
)

const noWord = 1<<64 - 1

// SetTraced turns the fast paths of mutexes off if isTraced is true, and on again if it is false.
// While they are off, LockFast and UnlockFast return false.
func SetTraced(isTraced bool) {
	free, locked := uint64(0), uint64(heldWord)
	if isTraced {
		free, locked = noWord, noWord
	}
	atomic.StoreUint64(&freeWord, free)
	atomic.StoreUint64(&lockedWord, locked)
}

// LockFast takes the mutex if it is free and Slow is 0, and reports whether it did. It
// may fail spuriously.
func (m *LocalMutex) LockFast() bool {
	return atomic.CompareAndSwapUint64(m.word(), freeWord, heldWord)
}

// UnlockFast releases a held mutex if it has no waiters and Slow is 0, and reports
// whether it did.
func (m *LocalMutex) UnlockFast() bool { return atomic.CompareAndSwapUint64(m.word(), lockedWord, 0) }
