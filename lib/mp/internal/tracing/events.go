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

// Send logs that this goroutine is about to send the value number seq to key.
func Send(kind string, key, seq uint64) { log(CategorySend, kind, key, seq, "") }

// SendBatch logs that tasks from index first on are about to be sent to a child.
func SendBatch(pid int, batch uint64, first int) {
	log(CategorySend, KindBatch, BatchKey(pid, batch), 0, " "+strconv.Itoa(first))
}

// Receive logs that this goroutine has received the value number seq of key.
func Receive(kind string, key, seq uint64) { log(CategoryReceive, kind, key, seq, "") }

// SendLocal logs that this goroutine is about to hand over the value number seq of the
// object at p to another goroutine, and ReceiveLocal that it has received it. Neither
// does anything without a trace.
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

// Task begins the span of a task, which the caller ends. It is task i of a child's
// batch with this key, or, if the key is 0, task i of a Map or Stream.
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

// Wait begins the span of a wait, which the caller ends.
func Wait(name string) *trace.Region { return trace.StartRegion(context.Background(), name) }

// A Lock identifies a lock in a trace.
type Lock struct {
	Key   uint64
	Scope string // one of the scopes below
}

// Scopes of locks.
const (
	SharedLock     = "shared" // the key is the same in all processes
	LocalLock      = "local"  // the key is known only in this process
	SharedReadLock = "shared-read"
	LocalReadLock  = "local-read"
)

// Locked logs that this goroutine has taken a lock, and Unlocking that it is about to
// release it.
func Locked(l Lock) { logLock(CategoryLock, l) }

func Unlocking(l Lock) { logLock(CategoryUnlock, l) }

func logLock(category string, l Lock) {
	b := strconv.AppendUint(make([]byte, 0, 40), l.Key, 16)
	trace.Log(context.Background(), category, string(append(append(b, ' '), l.Scope...)))
}

// OfObject returns the lock of an object: for reading, if reads is true.
func OfObject(o *shm.Object, reads bool) Lock {
	switch l := (Lock{o.TraceKey(0), SharedLock}); {
	case o.IsShared() && reads:
		l.Scope = SharedReadLock
		return l
	case o.IsShared():
		return l
	case reads:
		l.Scope = LocalReadLock
		return l
	default:
		l.Scope = LocalLock
		return l
	}
}

// keys is the last key that NewKey has returned.
var keys atomic.Uint64

// NewKey returns a key for an object that only this process has.
func NewKey() uint64 { return keys.Add(1) }
