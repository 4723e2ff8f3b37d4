package mp

import "context"

// A tally counts the values of a queue for goroutines that are put and not yet
// dealt with.
type tally struct {
	counted bool
	left    cell // one word
}

func newTally(counted bool) tally {
	c, _ := newCell(Goroutines, cellSize) // goroutines' memory cannot fail
	return tally{counted, *c}
}

func (t *tally) handle() ([]byte, error) { return t.left.encode("Queue") }

// expect counts a value that is about to be put, and unless undoes that if it
// was not.
func (t *tally) expect() {
	if t.counted {
		t.left.u32(0).Add(1)
	}
}

func (t *tally) unless(err error) error {
	if err != nil && t.counted {
		_ = t.done()
	}
	return err
}

func (t *tally) done() error {
	for n := t.left.u32(0).Load(); ; n = t.left.u32(0).Load() {
		if n == 0 {
			return errTooDone
		}
		if t.left.u32(0).CompareAndSwap(n, n-1) {
			if n == 1 {
				t.left.wake(0, allWaiters)
			}
			return nil
		}
	}
}

func (t *tally) join(ctx context.Context) error {
	for n := t.left.u32(0).Load(); n > 0; n = t.left.u32(0).Load() {
		if err := t.left.wait(ctx, 0, n, longWait); err != nil {
			return err
		}
	}
	return nil
}
