package cluster

import (
	"context"
	"time"

	"github.com/perijove/perijove/lib/cluster/internal/keyvalue"
)

// An Event is a flag on the server, for which the processes of a cluster can wait. It may
// be part of the argument of a task.
type Event struct{ entry }

// NewEvent makes an Event that is not set.
func NewEvent(ctx context.Context, c *Cluster) (*Event, error) {
	e, err := newEntry(ctx, c, "Event", []byte("0"))
	if err != nil {
		return nil, err
	}
	return &Event{e}, nil
}

// Set sets the Event and wakes all tasks and processes that wait for it.
func (e *Event) Set(ctx context.Context) error { return e.put(ctx, "1") }

// Clear resets the Event, so that Wait waits again.
func (e *Event) Clear(ctx context.Context) error { return e.put(ctx, "0") }

func (e *Event) put(ctx context.Context, value string) error {
	return e.change(ctx, func(old []byte) ([]byte, error) {
		if string(old) == value {
			return nil, nil
		}
		return []byte(value), nil
	})
}

// IsSet reports whether the Event is set.
func (e *Event) IsSet(ctx context.Context) (bool, error) {
	now, err := e.get(ctx)
	return string(now.Value) == "1", err
}

// Wait waits until the Event is set. If ctx ends first, Wait returns the cause of ctx.
func (e *Event) Wait(ctx context.Context) error {
	return e.watch(ctx, time.Hour, func(now keyvalue.Entry, _ bool) (bool, error) { return string(now.Value) == "1", nil })
}

// Close deletes the Event. After that the other methods return mp.ErrClosed in all processes.
func (e *Event) Close(ctx context.Context) error { return e.remove(ctx) }
