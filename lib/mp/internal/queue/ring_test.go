package queue

import (
	"testing"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
)

// TestRingWraps checks that slots are reused in order, from any first slot.
func TestRingWraps(t *testing.T) {
	for _, size := range []int{1, 2, 3, 64} {
		e := call.ElemOf[int]()
		r := newRing(&e, 1, 0, size)
		v := 0
		const far = 1 << 40
		count := uint64(far - far%size)
		r.head.word.Store(count * endCount)
		r.tail.word.Store(count * endCount)
		r.seenHead, r.seenTail = count, count
		for i := range 5 * size {
			if state := r.get(unsafe.Pointer(&v)); state != ringEmpty {
				t.Fatalf("size %d: there is something in it: %v", size, state)
			}
			for k := range size {
				if state := r.put(number(i + k)); state != ringDone || r.length() != k+1 {
					t.Fatalf("size %d: put %d: %v, length %d", size, k, state, r.length())
				}
			}
			if state := r.put(number(0)); state != ringFull {
				t.Fatalf("size %d: not full: %v", size, state)
			}
			for k := range size {
				if state := r.get(unsafe.Pointer(&v)); state != ringDone || v != i+k {
					t.Fatalf("size %d: got %d, %v", size, v, state)
				}
			}
			// The next round begins at another slot.
			if r.put(number(7)) != ringDone {
				t.Fatal("there was room")
			}
			if r.get(unsafe.Pointer(&v)); v != 7 {
				t.Fatal(v)
			}
		}
		r.close()
		if state := r.get(unsafe.Pointer(&v)); state != ringEnded || r.put(number(0)) != ringEnded {
			t.Errorf("size %d: not closed", size)
		}
	}
}

func number(n int) unsafe.Pointer { return unsafe.Pointer(&n) }
