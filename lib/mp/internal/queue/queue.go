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

// An Untyped is a queue of any kind. Put and Get take pointers to values of the type
// that it was made for. Only a queue for processes may keep such a pointer.
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

// New makes a queue for values of the type that pointer points to.
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

// MakeLocal returns the queue of a zero mp.Queue, and makes it on the first call.
//
//go:noinline
func MakeLocal(at *unsafe.Pointer, e call.Elem) Untyped {
	atomic.CompareAndSwapPointer(at, nil, unsafe.Pointer(newRingQueue(e, 0, true)))
	return Local(atomic.LoadPointer(at))
}

// Local and LocalPointer convert between a *ringQueue and a pointer, for code that does
// not know the type.
func Local(p unsafe.Pointer) Untyped { return (*ringQueue)(p) }

//go:noinline
func LocalPointer(q Untyped) unsafe.Pointer {
	local, _ := q.(*ringQueue)
	return unsafe.Pointer(local)
}

//go:noinline
func Open(pointer any, handle []byte) (Untyped, error) {
	return openSharedQueue(reflect.TypeOf(pointer).Elem(), handle)
}

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
