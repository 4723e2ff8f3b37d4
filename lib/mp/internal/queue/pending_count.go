package queue

import (
	"context"

	"github.com/perijove/perijove/lib/mp/internal/object"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// A pendingCount counts the values of a queue for goroutines that were put and not yet
// reported done.
type pendingCount struct {
	counted bool
	left    *shm.Object // the count, in one word
}

func newPendingCount(counted bool) pendingCount {
	return pendingCount{counted, shm.NewLocal(8)}
}

func (t *pendingCount) Handle() ([]byte, error) { return object.Encode(t.left, "Queue") }

// addPending counts a value that is about to be put. If the put fails, removeOn undoes
// that.
func (t *pendingCount) addPending() {
	if t.counted {
		t.left.U32(0).Add(1)
	}
}

func (t *pendingCount) removeOn(err error) error {
	if err != nil && t.counted {
		_ = t.Done()
	}
	return err
}

func (t *pendingCount) Done() error {
	for n := t.left.U32(0).Load(); ; n = t.left.U32(0).Load() {
		if n == 0 {
			return errTooDone
		}
		if t.left.U32(0).CompareAndSwap(n, n-1) {
			if n == 1 {
				t.left.Wake(0, shm.All)
			}
			return nil
		}
	}
}

func (t *pendingCount) Join(ctx context.Context) error {
	for n := t.left.U32(0).Load(); n > 0; n = t.left.U32(0).Load() {
		if err := object.Wait(ctx, t.left, 0, n, shm.Watch{}); err != nil {
			return err
		}
	}
	return nil
}
