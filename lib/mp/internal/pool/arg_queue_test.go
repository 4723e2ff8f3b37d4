package pool

import (
	"testing"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
)

// TestArgQueue adds values on one goroutine while another takes them and seals the queue at some point. It checks that
// all values that count can be taken, in order, and that add reports for each value whether it counts.
func TestArgQueue(t *testing.T) {
	for _, sealAt := range []int{0, 1, 7, 8, 9, 1000, 5000} {
		q := newArgQueue(call.ElemOf[int]())
		wanted := make(chan int)
		go func() {
			n := 0
			for ; n < 5000; n++ {
				if q.full() {
					q.grow(n)
				}
				if !q.add(unsafe.Pointer(&n)) {
					break
				}
			}
			wanted <- n
		}()
		taken := 0
		take := func() (n int) {

			if n = q.count() - taken; n == 0 {
				return 0
			}
			at, n := q.take(n)
			for i, v := range unsafe.Slice((*int)(at), n) {
				if v != taken+i {
					t.Fatalf("value %d is %d", taken+i, v)
				}
			}
			taken += n
			return n
		}
		for taken < sealAt {
			take()
		}
		q.seal()
		for take() > 0 {
		}
		if n := <-wanted; n != taken || q.count() != n {
			t.Errorf("sealed at %d: %d values were wanted, %d counted, %d taken", sealAt, n, q.count(), taken)
		}
	}
}

func TestArgQueueOfLargeAndEmptyValues(t *testing.T) {
	type large [maxBlockBytes]byte
	q := newArgQueue(call.ElemOf[large]())
	for i := range 2 * minBlock {
		if q.full() {
			q.grow(1 << 20)
		}
		q.add(unsafe.Pointer(&large{byte(i)}))
	}
	for i := range 2 * minBlock {
		at, n := q.take(1)
		if got := (*large)(at)[0]; n != 1 || got != byte(i) {
			t.Errorf("value %d is %d", i, got)
		}
	}
	empty := newArgQueue(call.ElemOf[struct{}]())
	for range 3 * minBlock {
		if empty.full() {
			empty.grow(1 << 20)
		}
		empty.add(unsafe.Pointer(&struct{}{}))
	}
	if n := empty.count(); n != 3*minBlock {
		t.Errorf("%d empty values, want %d", n, 3*minBlock)
	}
}
