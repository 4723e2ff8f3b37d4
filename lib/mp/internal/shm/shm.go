// Package shm provides memory with words that goroutines or processes can wait on: an
// Object. For goroutines it is ordinary memory. For processes it is a file that they
// map. The file has a list of the processes that use the Object, so that a waiter can find
// out that all others are dead.
//
// # Layout
//
// A shared object begins with a header: the generation of its slot, whether it is
// closed, and the processes that have it. Small objects are in slots of a segment that
// belongs to the process that made them. Only that process reuses a slot: when no
// living process has the old object, the slot gets a new generation and can hold
// another object. Each large object has its own segment.
//
// # Waiting
//
// While only a few threads of a process sleep on futexes, a waiter sleeps on a futex, too.
// Further waiters are parked: one thread of the process sleeps for all of them, on a word
// that every process of the tree of processes knows (see hub). A waiter checks its word again
// within 100 ms, in case the process that should have woken it was killed.
package shm

import (
	"errors"
	"fmt"
	"os"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

var (
	// ErrClosed is the error of using an object that was closed.
	ErrClosed = errors.New("mp: the object is closed")
	// ErrPeerDied is the error of a wait that no other process can end, because all
	// others that had the object are dead.
	ErrPeerDied = errors.New("mp: every other process that used the object is dead")
	// ErrUnsupported is the error of a feature that this operating system does not support.
	ErrUnsupported = failure.Wrap("cannot use shared memory", failure.ErrUnsupported)
	// ErrMalformed is the error of an invalid handle.
	ErrMalformed = errors.New("mp: cannot open an object in shared memory: its handle is malformed")
	// ErrLocal is the error of sending an object that was made for goroutines.
	ErrLocal = errors.New("the object was made for mp.Goroutines; make it with mp.Processes to send it to a process")
)

// Sizes of handles in bytes.
const (
	handleSize       = 16 // of a segment
	BlockHandleSize  = handleSize
	ObjectHandleSize = handleSize + 12
)

// A droppedError is the error of opening a segment that the sending process does not
// have any more.
type droppedError struct{ pid uint32 }

func (e *droppedError) Error() string {
	return fmt.Sprintf("process %d, which sent the object, no longer has it: keep a reference to the object in that process until the object has arrived", e.pid)
}

func (*droppedError) Unwrap() error { return os.ErrNotExist }
