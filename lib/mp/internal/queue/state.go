package queue

import (
	"context"
	"errors"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// A State is the memory of an mp.Queue. A cell that uses an mp.Queue compiles all of its methods. To keep the methods
// short, they call the functions here, which are not inlined. All fields consist of pointers, because an mp.Queue
// declares its memory as an array of pointers.
type State struct {
	Queue Untyped        // nil for a zero mp.Queue, and where Ring is used
	Plain *struct{}      // not nil if IsPlain is true for Queue
	Ring  unsafe.Pointer // a *ringQueue, for goroutines; a zero mp.Queue makes it when it is first used
	Words *Words         // the result of WordsOf for Queue
}

// NewState returns the memory of a new mp.Queue. Its parameters are those of New.
//
//go:noinline
func NewState(pointer any, e call.Elem, shared bool, size int, counted bool) (*State, error) {
	made, err := New(pointer, e, shared, size, counted)
	if err != nil {
		return nil, err
	}
	s := new(State)
	if s.Ring = LocalPointer(made); s.Ring == nil {
		s.set(made)
		s.Words = WordsOf(made)
	}
	return s, nil
}

func (s *State) set(q Untyped) {
	s.Queue, s.Plain = q, nil
	if IsPlain(q) {
		s.Plain = new(struct{})
	}
}

// Open makes s refer to the queue that a handle names. Its values have the type that pointer
// points to.
//
//go:noinline
func (s *State) Open(pointer any, handle []byte) error {
	if s == nil {
		return failure.Nil("Queue")
	}
	in, err := Open(pointer, handle)
	if err == nil {
		s.set(in)
		s.Words = nil
		atomic.StorePointer(&s.Ring, nil)
	}
	return err
}

// Untyped returns the queue, or nil if s is nil or the memory of a zero mp.Queue.
//
//go:noinline
func (s *State) Untyped() Untyped {
	if s == nil {
		return nil
	}
	if s.Queue != nil {
		return s.Queue
	}
	if p := atomic.LoadPointer(&s.Ring); p != nil {
		return Local(p)
	}
	return nil
}

// The following functions are the parts of methods of mp.Queue that do not depend on its
// type. For a nil mp.Queue, q is nil.

// NotNil returns q. It panics if q is nil.
//
//go:noinline
func NotNil(q Untyped) Untyped {
	if q == nil {
		panic(failure.Nil("Queue"))
	}
	return q
}

// GetInto takes a value from q and stores it at v. It waits while q is empty.
//
//go:noinline
func GetInto(q Untyped, ctx context.Context, v unsafe.Pointer) error {
	if q == nil {
		return failure.Nil("Queue")
	}
	if v == nil {
		return ErrNoPlace
	}
	_, err := q.Get(ctx, v, true)
	return err
}

// ErrNoPlace is the error of GetInto for a nil pointer.
var ErrNoPlace = errors.New("mp: cannot store the received value: the pointer to its destination is nil")

// Handle returns a handle of q, with which another process can open the queue.
//
//go:noinline
func Handle(q Untyped) ([]byte, error) {
	if q == nil {
		return nil, failure.Nil("Queue")
	}
	return q.Handle()
}

// IsLast reports whether err says that the queue is closed, which is the normal end of an
// iteration.
//
//go:noinline
func IsLast(err error) bool { return errors.Is(err, shm.ErrClosed) }
