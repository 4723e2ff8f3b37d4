package tracing

import (
	"context"
	"runtime/trace"
	"strconv"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// Root marks the calling goroutine as one that runs the traced function.
func Root() { trace.Log(context.Background(), CategoryRoot, "") }

// Send logs that this goroutine is about to send a value. key identifies the queue, pipe, batch
// or process that the value goes to, and seq is the number of the value there.
func Send(kind string, key, seq uint64) { log(CategorySend, kind, key, seq, "") }

// SendBatch logs that tasks from index first on are about to be sent to a child.
func SendBatch(pid int, batch uint64, first int) {
	log(CategorySend, KindBatch, BatchKey(pid, batch), 0, " "+strconv.Itoa(first))
}

// Receive logs that this goroutine has received the value that Send has logged with the same
// kind, key and seq.
func Receive(kind string, key, seq uint64) { log(CategoryReceive, kind, key, seq, "") }

// SendLocal logs that this goroutine is about to hand over the value number seq of the
// object at p to another goroutine. ReceiveLocal logs that this goroutine has received such
// a value. Neither does anything without a trace.
func SendLocal(kind string, p unsafe.Pointer, seq int) {
	if trace.IsEnabled() {
		Send(kind, uint64(uintptr(p)), uint64(seq))
	}
}

func ReceiveLocal(kind string, p unsafe.Pointer, seq int) {
	if trace.IsEnabled() {
		Receive(kind, uint64(uintptr(p)), uint64(seq))
	}
}

// BatchKey returns the key of a batch of a child.
func BatchKey(pid int, batch uint64) uint64 { return uint64(pid)<<32 | batch&(1<<32-1) }

func log(category, kind string, key, seq uint64, extra string) {
	b := append(make([]byte, 0, 64), kind...)
	b = strconv.AppendUint(append(b, ' '), key, 16)
	b = strconv.AppendUint(append(b, ' '), seq, 10)
	trace.Log(context.Background(), category, string(append(b, extra...)))
}

// Task begins the span of a task, which the caller must end. The task has the index i in the
// batch with the given key, or, if the key is 0, in its Map or Stream.
func Task(function string, key uint64, i int) *trace.Region {
	r := trace.StartRegion(context.Background(), "task "+function)
	b := strconv.AppendUint(make([]byte, 0, 32), key, 16)
	b = strconv.AppendInt(append(b, ' '), int64(i), 10)
	trace.Log(context.Background(), CategoryTask, string(b))
	return r
}

// Names of the spans of waits.
const (
	WaitLock     = "wait for a lock"
	WaitQueueGet = "wait for a value in a queue"
	WaitQueuePut = "wait for room in a queue"
	WaitEvent    = "wait for an event"
)

// Wait begins the span of a wait, which the caller must end.
func Wait(name string) *trace.Region { return trace.StartRegion(context.Background(), name) }

// Scopes of the keys of locks. Of a lock that is held to read, the scope is followed by
// suffixRead.
const (
	scopeShared = "shared" // the key is the same in all processes
	scopeLocal  = "local"  // the key is known only in this process
	suffixRead  = "-read"
)

// Locked logs that this goroutine has taken the lock o. reads is true for a read lock.
//
//go:noinline
func Locked(o *shm.Object, reads bool) { logLock(CategoryLock, o, reads) }

// Unlocking logs that this goroutine is about to release the lock o.
//
//go:noinline
func Unlocking(o *shm.Object, reads bool) { logLock(CategoryUnlock, o, reads) }

// LockedLocal is Locked for the lock at p, which is for goroutines and has no Object.
//
//go:noinline
func LockedLocal(p unsafe.Pointer) { logKey(CategoryLock, uint64(uintptr(p)), scopeLocal) }

// UnlockingLocal is Unlocking for the lock at p, which is for goroutines and has no Object.
//
//go:noinline
func UnlockingLocal(p unsafe.Pointer) { logKey(CategoryUnlock, uint64(uintptr(p)), scopeLocal) }

func logLock(category string, o *shm.Object, reads bool) {
	scope := scopeLocal
	if o.IsShared() {
		scope = scopeShared
	}
	if reads {
		scope += suffixRead
	}
	logKey(category, o.TraceKey(0), scope)
}

func logKey(category string, key uint64, scope string) {
	b := strconv.AppendUint(make([]byte, 0, 40), key, 16)
	trace.Log(context.Background(), category, string(append(append(b, ' '), scope...)))
}

// keys is the last key that NewKey has returned.
var keys atomic.Uint64

// NewKey returns a key for an object that only this process has.
func NewKey() uint64 { return keys.Add(1) }
