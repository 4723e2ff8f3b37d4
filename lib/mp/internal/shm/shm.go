// Package shm provides memory whose words goroutines or processes wait on: an
// Object. With goroutines it is plain memory. With processes it lies in a file
// that they map, and knows which processes have it, so that a waiter learns that
// those it waits for are dead.
//
// # Layout
//
// A shared object begins with a header: the generation of its place, whether it is
// closed, and the processes that have it. Small objects are slots of a segment
// that belongs to the process which made them; only that process gives a slot to
// the next object, with another generation, when no living process has the one
// before. Large objects have a segment each.
//
// # Waiting
//
// A waiter sleeps on a futex if few threads of its process do. All others are
// parked: one thread of the process sleeps for them on a word that every process
// of the tree knows (see hub). A sleep that is not ended, since the one that should
// was killed, ends by looking again, within 100 ms.
package shm

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

var (
	// ErrClosed is the error of what was closed.
	ErrClosed = errors.New("mp: closed")
	// ErrPeerDied is the error of a wait that no other process can end, since those
	// that had the object are dead.
	ErrPeerDied = errors.New("mp: every other process that used it is dead")
	// ErrUnsupported is returned for what this operating system does not offer.
	ErrUnsupported = errors.New("mp: not supported on " + runtime.GOOS)
	// ErrMalformed is the error of a handle that is none.
	ErrMalformed = errors.New("mp: malformed handle of shared memory")
	// ErrLocal is the refusal to send what was made for goroutines.
	ErrLocal = errors.New("it was made for mp.Goroutines; make it with mp.Processes to send it to one")
)

// handleSize is the size of a segment's handle in bytes.
const handleSize = 16

// A droppedError says that a process does not have a segment any more.
type droppedError struct{ pid uint32 }

func (e *droppedError) Error() string {
	return fmt.Sprintf("process %d, which sent it, does not have it any more (keep it referenced until it has arrived)", e.pid)
}

func (*droppedError) Unwrap() error { return os.ErrNotExist }
