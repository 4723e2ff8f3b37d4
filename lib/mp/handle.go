package mp

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// ErrPeerDied is the error of a call that waits for another process, when every
// other process that had the object was killed or crashed. It comes once for each
// time that this process is left alone; the object can be used further on.
var ErrPeerDied = shm.ErrPeerDied

// objectSize is the size of an object without further data, in bytes.
const objectSize = 256

func newObject(b Backend, size int) (*shm.Object, error) {
	switch b {
	case Goroutines:
		return shm.NewLocal(size), nil
	case Processes:
		return shm.New(size)
	}
	return nil, fmt.Errorf("mp: %v", b)
}

// A handle is where an object is. The zero handle is for goroutines: its object is
// made when it is first needed.
//
// The pointer is no atomic.Pointer, whose methods each package that has an
// object with a handle would compile.
type handle struct{ p unsafe.Pointer } // *shm.Object

func (h *handle) get() *shm.Object { return (*shm.Object)(atomic.LoadPointer(&h.p)) }

func (h *handle) set(o *shm.Object) { atomic.StorePointer(&h.p, unsafe.Pointer(o)) }

func (h *handle) object(size int) *shm.Object {
	if o := h.get(); o != nil {
		return o
	}
	return h.local(size)
}

//go:noinline
func (h *handle) local(size int) *shm.Object {
	atomic.CompareAndSwapPointer(&h.p, nil, unsafe.Pointer(shm.NewLocal(size)))
	return h.get()
}

// make makes the object.
func (h *handle) make(b Backend, size int) error {
	o, err := newObject(b, size)
	if err == nil {
		h.set(o)
	}
	return err
}

// open makes the object that an encoded handle names the handle's.
func (h *handle) open(encoded []byte, what string) error {
	o, err := shm.Open(encoded, 0)
	if err != nil {
		return failure.Wrap("cannot open "+failure.WithArticle(what), err)
	}
	h.set(o)
	return nil
}

// encode names the object for another process, which must open it while this one
// has it.
func (h *handle) encode(what string) ([]byte, error) {
	o := h.get()
	if o == nil {
		return nil, notMade(what, "mp.New"+what)
	}
	return encodeObject(o, what)
}

func encodeObject(o interface{ Handle() ([]byte, error) }, what string) ([]byte, error) {
	b, err := o.Handle()
	if err != nil {
		return nil, failure.Wrap("cannot send this "+what, err)
	}
	return b, nil
}
