// Package queue implements the queues for goroutines and for processes, and the ends of
// pipes, for values of any type.
package queue

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// An Untyped is a queue of any kind. Put and Get take a pointer to a value of the type that
// the queue was made for. Only a queue for processes may keep that pointer after the call.
type Untyped interface {
	Put(ctx context.Context, v unsafe.Pointer, wait bool) error
	Get(ctx context.Context, v unsafe.Pointer, wait bool) (ok bool, err error)
	Length() int
	Close()
	Handle() ([]byte, error)
	Done() error
	Join(ctx context.Context) error
}

// maxQueue is the largest size of a queue.
const maxQueue = 1<<31 - 1

// New makes a queue for values of the type that pointer points to, which e describes. If shared
// is true, the queue is for processes. It holds up to size values, or any number if size is 0.
// If counted is true, it counts the values for JoinableQueue.
//
//go:noinline
func New(pointer any, e call.Elem, shared bool, size int, counted bool) (Untyped, error) {
	switch {
	case size < 0 || size > maxQueue:
		return nil, fmt.Errorf("mp: cannot make a queue for %d values: the size must be between 0 (no limit) and %d", size, maxQueue)
	case shared:
		return newSharedQueue(reflect.TypeOf(pointer).Elem(), size, counted)
	case uint64(size) > shm.MaxBlock/uint64(e.Size+4):
		return nil, fmt.Errorf("mp: cannot make a queue for %d values: the queue would be larger than %d TiB", size, shm.MaxBlock>>40)
	}
	if err := shm.HeapAllows(size * int(e.Size+4)); err != nil {
		return nil, failure.Wrap(fmt.Sprintf("cannot make a queue for %d values", size), err)
	}
	if 0 < size && size <= maxChannel {
		return newChannelQueue(e, size, counted), nil
	}
	return newRingQueue(e, size, counted), nil
}

// MakeLocal returns the queue of a zero mp.Queue. The first call makes the queue and stores its
// address at at.
//
//go:noinline
func MakeLocal(at *unsafe.Pointer, e call.Elem) Untyped {
	atomic.CompareAndSwapPointer(at, nil, unsafe.Pointer(newRingQueue(e, 0, true)))
	return Local(atomic.LoadPointer(at))
}

// Local returns the *ringQueue p as an Untyped. It is for code that does not know the type.
func Local(p unsafe.Pointer) Untyped { return (*ringQueue)(p) }

// LocalPointer is the inverse of Local. It returns nil for a queue of another type.
//
//go:noinline
func LocalPointer(q Untyped) unsafe.Pointer {
	local, _ := q.(*ringQueue)
	return unsafe.Pointer(local)
}

// Open opens the queue that another process's handle names. Its values have the type that
// pointer points to.
//
//go:noinline
func Open(pointer any, handle []byte) (Untyped, error) {
	return openSharedQueue(reflect.TypeOf(pointer).Elem(), handle)
}

// Describe returns a text with the number of values in q, or "<nil>" if q is nil.
//
//go:noinline
func Describe(q Untyped) string {
	if q == nil {
		return "<nil>"
	}
	if n := q.Length(); n != 1 {
		return fmt.Sprintf("a queue of %d values", n)
	}
	return "a queue of 1 value"
}

// IsPlain reports whether q keeps no pointers to values, and calls no methods of values.
//
//go:noinline
func IsPlain(q Untyped) bool {
	switch q := q.(type) {
	case *sharedQueue:
		return q.codec.Fixed
	case *channelQueue:
		return true
	}
	return false
}

var errTooDone = errors.New("mp: TaskDone was called more often than values were put into the queue")
