package mp

import (
	"context"
	"runtime"

	"github.com/perijove/perijove/lib/mp/internal/object"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// An Event is a flag that goroutines or processes can wait for. The zero Event works
// for goroutines.
type Event struct{ at object.Handle }

func (e *Event) object() *shm.Object { return e.at.Object(object.Size) }

// NewEvent makes an Event that is not set.
func NewEvent(b Backend) (*Event, error) {
	e := new(Event)
	if err := makeHandle(&e.at, b, object.Size); err != nil {
		return nil, err
	}
	return e, nil
}

// Set sets the flag and wakes all goroutines and processes that wait for it.
func (e *Event) Set() {
	if e == nil {
		panicNil("Event")
	}
	if e.object().U32(0).Swap(1) == 0 {
		e.object().Wake(0, shm.All)
	}
	runtime.KeepAlive(e)
}

// Clear resets the flag.
func (e *Event) Clear() {
	if e == nil {
		panicNil("Event")
	}
	e.object().U32(0).Store(0)
	runtime.KeepAlive(e)
}

// IsSet reports whether the flag is set.
func (e *Event) IsSet() bool {
	if e == nil {
		panicNil("Event")
	}
	defer runtime.KeepAlive(e)
	return e.object().U32(0).Load() == 1
}

// Wait waits until the flag is set. It returns the error of ctx if ctx ends first,
// ErrClosed if the Event is closed, and ErrPeerDied if no other process is left that
// could set the flag.
func (e *Event) Wait(ctx context.Context) error {
	if e == nil {
		return nilError("Event")
	}
	o := e.object()
	w := shm.Watch{Peers: true, Losses: o.Losses()}
	for !e.IsSet() {
		if err := object.Wait(ctx, o, 0, 0, w); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the Event in every process: calls of Wait return ErrClosed.
func (e *Event) Close() {
	if e == nil {
		panicNil("Event")
	}
	e.object().Close()
}

// GobEncode lets an Event be part of a value that is sent to a process, as a reference.
func (e *Event) GobEncode() ([]byte, error) {
	if e == nil {
		return nil, nilError("Event")
	}
	return e.at.Encode("Event")
}

// GobDecode is the inverse of GobEncode.
func (e *Event) GobDecode(b []byte) error {
	if e == nil {
		return nilError("Event")
	}
	return e.at.Open(b, "Event")
}
