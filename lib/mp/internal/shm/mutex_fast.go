//go:build (amd64 || arm64) && go1.26 && !go1.27 && !race

package shm

import (
	"sync/atomic"
	"unsafe"
)

// A sync.Mutex begins with its state: 0 if it is free, 1 if it is held and no goroutine
// waits. Together with Slow before it that is one word, so a LocalMutex is taken and
// released with one operation, as a sync.Mutex is. TestMutexLayout pins this.
const heldWord = 1 << 32

func (m *LocalMutex) word() *uint64 { return (*uint64)(unsafe.Pointer(m)) }

// LockFast takes a free mutex whose Slow is 0. It may fail for no reason.
func (m *LocalMutex) LockFast() bool { return atomic.CompareAndSwapUint64(m.word(), 0, heldWord) }

// UnlockFast releases a held mutex that has no waiters and whose Slow is 0.
func (m *LocalMutex) UnlockFast() bool { return atomic.CompareAndSwapUint64(m.word(), heldWord, 0) }
