package mp

import (
	"context"
	"runtime"
)

// An Event is a flag that can be waited for. The zero Event is one for
// goroutines.
type Event struct{ at home }

func (e *Event) cell() *cell { return e.at.cell(cellSize) }

// NewEvent makes an Event that is not set.
func NewEvent(b Backend) (*Event, error) {
	c, err := newCell(b, cellSize)
	if err != nil {
		return nil, err
	}
	made := new(Event)
	made.at.set(c)
	return made, nil
}

// Set sets the flag and wakes all that wait for it.
func (e *Event) Set() {
	if e.cell().u32(0).Swap(1) == 0 {
		e.cell().wake(0, allWaiters)
	}
	runtime.KeepAlive(e)
}

// Clear takes the flag back.
func (e *Event) Clear() {
	e.cell().u32(0).Store(0)
	runtime.KeepAlive(e)
}

// IsSet reports whether the flag is set.
func (e *Event) IsSet() bool {
	defer runtime.KeepAlive(e)
	return e.cell().u32(0).Load() == 1
}

// Wait waits until the flag is set. Its error is ctx's.
func (e *Event) Wait(ctx context.Context) error {
	for !e.IsSet() {
		if err := e.cell().wait(ctx, 0, 0, longWait); err != nil {
			return err
		}
	}
	return nil
}

// GobEncode lets an Event be part of what is sent to a process.
func (e *Event) GobEncode() ([]byte, error) { return e.at.encode("Event") }

// GobDecode is the other end of GobEncode.
func (e *Event) GobDecode(b []byte) error { return e.at.open(b, "Event") }
