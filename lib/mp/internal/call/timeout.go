package call

import (
	"context"
	"fmt"
	"time"
	"unsafe"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// A Timeout is how long a task of a pool may take; 0 means no limit.
type Timeout time.Duration

// Start returns the current time, or the zero time if there is no limit.
func (d Timeout) Start() (begin time.Time) {
	if d > 0 {
		begin = time.Now()
	}
	return begin
}

// WithTimeout returns a context that ends when ctx ends or when the limit has passed. The caller
// must call the returned function.
func (d Timeout) WithTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if d > 0 {
		return context.WithTimeoutCause(ctx, time.Duration(d), d.Exceeded())
	}
	return context.WithCancel(ctx)
}

// Exceeded returns the error of a task that took longer than the limit.
func (d Timeout) Exceeded() error { return failure.TaskTimeout(time.Duration(d)) }

// Outcome returns the error of a task that began at begin and has now returned err.
// If the limit has passed, the result is or wraps the error of Exceeded; a PanicError is
// returned unchanged.
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
	return fmt.Errorf("%w; the task failed with: %w", d.Exceeded(), failure.Unprefixed(err))
}

// limited is Protected with the time limit d, which is not 0.
func (c *Function) limited(ctx context.Context, d Timeout, a, r unsafe.Pointer) error {
	begin := d.Start()
	ctx, cancel := d.WithTimeout(ctx)
	defer cancel()
	err := d.Outcome(begin, c.Protected(ctx, a, r))
	if err != nil {
		c.Result.Clear(r)
	}
	return err
}
