package queue

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"testing"
	"time"
	"unsafe"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// TestQueueMendsTheCountsOfTheDead checks that the counts are corrected after a process
// was killed between two steps of advance.
func TestQueueMendsTheCountsOfTheDead(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for steps := range 4 {
		diesWhilePutting(ctx, t, steps, new("1"), new("2"), []byte{2, 0, 0, 0, 2, '2'})
	}
	for _, steps := range []int{0, 3} { // values of fixed size are not counted
		diesWhilePutting(ctx, t, steps, new(1), new(2), []byte{8, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0})
	}
}

// diesWhilePutting puts first, simulates a process that dies while it puts second, and
// then uses the queue. bytes is second as it is in the ring.
func diesWhilePutting[T comparable](ctx context.Context, t *testing.T, steps int, first, second *T, bytes []byte) {
	t.Helper()
	q, err := newSharedQueue(reflect.TypeFor[T](), 2, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Put(ctx, unsafe.Pointer(first), true); err != nil {
		t.Fatal(err)
	}
	dieIn(q, steps, bytes)
	if steps < 3 { // else the value was put before the process died
		if err := q.Put(ctx, unsafe.Pointer(second), false); err != nil {
			t.Errorf("killed after %d steps, there is room for 1 of 2: %v", steps, err)
		}
	}
	for _, want := range []*T{first, second} {
		var v T
		if _, err := q.Get(ctx, unsafe.Pointer(&v), true); err != nil || v != *want {
			t.Errorf("killed after %d steps: got %v, %v; want %v", steps, v, err, *want)
		}
	}
	if n := q.Length(); n != 0 {
		t.Errorf("killed after %d steps, %d values in an empty queue", steps, n)
	}
	for range 2 {
		if err := q.Done(); err != nil {
			t.Error(err)
		}
	}
	if err := q.Join(ctx); err != nil {
		t.Errorf("killed after %d steps, join: %v", steps, err)
	}
}

// dieIn does the first steps of putting a value, and leaves the lock with a dead owner.
func dieIn(q *sharedQueue, steps int, value []byte) {
	tail := q.o.U64(queueTail).Load()
	if err := q.extend(tail + uint64(len(value))); err != nil {
		panic(err)
	}
	q.write(tail, value)
	to, n := tail+uint64(len(value)), q.o.U64(queuePut).Load()
	if steps > 0 {
		q.o.U64(queuePutIntent).Store(n<<32 | uint64(uint32(to)))
	}
	if steps > 1 {
		q.o.U64(queuePut).Add(1)
	}
	if steps > 2 {
		q.o.U64(queueTail).Store(to)
	}
	const nobody = 1 << 22 // larger than any process id of Linux
	q.o.U64(queuePutLock).Store(shm.Owner{PID: nobody, Start: 1}.Word())
}

// TestQueueAtItsLimit checks that a queue without a size is full when its ring is full,
// and that no value is lost or overwritten then, wherever in a block the first value
// begins.
func TestQueueAtItsLimit(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const blocks = 9
	for _, first := range []int{0, 1, 100_000, blockSize - 3} {
		q, err := newSharedRing(reflect.TypeFor[[]byte](), 0, false, blocks)
		if err != nil {
			t.Fatal(err)
		}
		value := make([]byte, first)
		for range 3 { // so that the ends are not at the edge of a block
			if err := q.Put(ctx, unsafe.Pointer(&value), true); err != nil {
				t.Fatal(err)
			}
			var got []byte
			if _, err := q.Get(ctx, unsafe.Pointer(&got), true); err != nil || len(got) != first {
				t.Fatalf("%d bytes, %v", len(got), err)
			}
		}
		for round := range 5 {
			fillAndDrain(ctx, t, q, 30_000+1000*round)
		}
	}
	q, err := newSharedRing(reflect.TypeFor[[]byte](), 0, false, blocks)
	if err != nil {
		t.Fatal(err)
	}
	large := make([]byte, blocks*blockSize)
	if err := q.Put(ctx, unsafe.Pointer(&large), false); err == nil || errors.Is(err, failure.ErrFull) {
		t.Errorf("a value larger than the queue: %v", err)
	}
}

func fillAndDrain(ctx context.Context, t *testing.T, q *sharedQueue, size int) {
	t.Helper()
	n := 0
	for ; ; n++ {
		value := bytes.Repeat([]byte{byte(n)}, size)
		err := q.Put(ctx, unsafe.Pointer(&value), false)
		if errors.Is(err, failure.ErrFull) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 6*blockSize/size {
		t.Errorf("full with %d values of %d bytes", n, size)
	}
	for i := range n {
		var got []byte
		if _, err := q.Get(ctx, unsafe.Pointer(&got), true); err != nil || len(got) != size || got[0] != byte(i) || got[size-1] != byte(i) {
			t.Fatalf("value %d: %d bytes, %v", i, len(got), err)
		}
	}
}
