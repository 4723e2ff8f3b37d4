package mp

import (
	"context"
	"fmt"
	"time"
)

// TaskTimeout returns the error of a task that took longer than limit.
func TaskTimeout(limit time.Duration) error { return timeoutError{limit} }

type timeoutError struct{ limit time.Duration }

func (e timeoutError) Error() string {
	return fmt.Sprintf("mp: the task took longer than the pool's TaskTimeout of %v: %v", e.limit, context.DeadlineExceeded)
}

func (e timeoutError) Unwrap() error { return context.DeadlineExceeded }

// Timeout returns true, so that os.IsTimeout returns true for the error.
func (e timeoutError) Timeout() bool { return true }
