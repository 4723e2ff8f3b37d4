package call

import (
	"context"
	"fmt"
	"time"
	"unsafe"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// A Timeout is how long a task of a pool may take; 0 is no limit.
type Timeout time.Duration

// Start returns when a task begins, if that matters.
func (d Timeout) Start() (begin time.Time) {
	if d > 0 {
		begin = time.Now()
	}
	return begin
}

// WithTimeout is ctx that also ends when the task has taken too long.
func (d Timeout) WithTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if d > 0 {
		return context.WithTimeoutCause(ctx, time.Duration(d), d.Exceeded())
	}
	return context.WithCancel(ctx)
}

// Exceeded is the error of a task that took longer.
func (d Timeout) Exceeded() error { return failure.TaskTimeout(time.Duration(d)) }

// Outcome is the error of a task that has returned err. A panic stays one.
func (d Timeout) Outcome(begin time.Time, err error) error {
	if d <= 0 || time.Since(begin) < time.Duration(d) {
		return err
	}
	switch err.(type) {
	case nil:
		return d.Exceeded()
	case *failure.PanicError:
		return err
	}
	switch {
	case failure.Is(err, d.Exceeded()): // the context's cause
		return err
	case err == context.DeadlineExceeded || err == context.Canceled:
		return d.Exceeded()
	}
	return fmt.Errorf("%w: %w", d.Exceeded(), failure.Unprefixed(err))
}

// limited is protected for a task that may take only so long.
func (c *Function) limited(ctx context.Context, d Timeout, a, r unsafe.Pointer) error {
	if d <= 0 {
		return c.Protected(ctx, a, r)
	}
	begin := d.Start()
	ctx, cancel := d.WithTimeout(ctx)
	defer cancel()
	err := d.Outcome(begin, c.Protected(ctx, a, r))
	if err != nil {
		c.Result.Clear(r)
	}
	return err
}
