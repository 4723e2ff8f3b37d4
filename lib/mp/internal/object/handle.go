// Package object provides handles of shared objects, for the types that goroutines or
// processes share.
package object

import (
	"context"
	"fmt"
	"sync/atomic"
	"unsafe"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// Size is the size in bytes of the shared memory of a small object, such as a Mutex or an Event.
const Size = 256

// A Handle refers to an object. The zero Handle is for goroutines: its object is made
// when it is first used.
//
// The field is not an atomic.Pointer: each package with a variable of a type with a Handle
// would compile the methods of atomic.Pointer.
type Handle struct{ p unsafe.Pointer } // *shm.Object

func (h *Handle) Get() *shm.Object { return (*shm.Object)(atomic.LoadPointer(&h.p)) }

func (h *Handle) Set(o *shm.Object) { atomic.StorePointer(&h.p, unsafe.Pointer(o)) }

func (h *Handle) Object(size int) *shm.Object {
	if o := h.Get(); o != nil {
		return o
	}
	return h.local(size)
}

//go:noinline
func (h *Handle) local(size int) *shm.Object {
	atomic.CompareAndSwapPointer(&h.p, nil, unsafe.Pointer(shm.NewLocal(size)))
	return h.Get()
}

// Make makes the object, shared or for goroutines.
func (h *Handle) Make(shared bool, size int) error {
	if !shared {
		h.Set(shm.NewLocal(size))
		return nil
	}
	o, err := shm.New(size)
	if err == nil {
		h.Set(o)
	}
	return err
}

// Open opens the object that an encoded handle names, and makes h refer to it. what names the
// type of the object in errors.
func (h *Handle) Open(encoded []byte, what string) error {
	o, err := shm.Open(encoded, 0)
	if err != nil {
		return failure.Wrap("cannot open "+failure.WithArticle(what), err)
	}
	h.Set(o)
	return nil
}

// Encode returns an encoded handle of the object for another process. That process must call
// Open while this process has the object. what names the type of the object in errors.
func (h *Handle) Encode(what string) ([]byte, error) {
	o := h.Get()
	if o == nil {
		return nil, fmt.Errorf("mp: the %s is a zero value: make it with mp.New%s", what, what)
	}
	return Encode(o, what)
}

func Encode(o interface{ Handle() ([]byte, error) }, what string) ([]byte, error) {
	b, err := o.Handle()
	if err != nil {
		return nil, failure.Wrap("cannot send this "+what, err)
	}
	return b, nil
}

// Wait waits on a word as Object.Wait of package shm does. It also ends when the mphost.Host
// cancels the caller's work.
func Wait(ctx context.Context, o *shm.Object, off int, val uint32, w shm.Watch) error {
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	defer tracing.Wait(tracing.WaitEvent).End()
	return o.Wait(ctx, off, val, w)
}
