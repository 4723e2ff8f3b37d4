package object

import (
	"context"
	"runtime/trace"

	"github.com/perijove/perijove/lib/mp/internal/guard"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
)

// LockTraced takes a lock with try, or with wait if try fails, and calls TraceLock.
func LockTraced(ctx context.Context, o *shm.Object, reads bool, try func() bool, wait func(context.Context) error) error {
	if !try() {
		span := tracing.Wait(tracing.WaitLock)
		err := wait(ctx)
		span.End()
		if err != nil {
			return err
		}
	}
	TraceLock(o, reads)
	return nil
}

// TraceLock logs that a lock was taken, and TraceUnlock logs that a lock is about to be
// released, if a trace is recorded. Both also note this for CheckLocks. Both are small enough
// to be inlined.
func TraceLock(o *shm.Object, reads bool) {
	if tracing.AreLocksNoted() {
		noteLocked(o, reads)
	}
}

func TraceUnlock(o *shm.Object, reads bool) {
	if tracing.AreLocksNoted() {
		noteUnlocking(o, reads)
	}
}

//go:noinline
func noteLocked(o *shm.Object, reads bool) {
	if trace.IsEnabled() {
		tracing.Locked(o, reads)
	}
	if guard.On() {
		guard.Locked(o, !reads)
	}
}

//go:noinline
func noteUnlocking(o *shm.Object, reads bool) {
	if trace.IsEnabled() {
		tracing.Unlocking(o, reads)
	}
	if guard.On() {
		guard.Unlocking(o, !reads)
	}
}
