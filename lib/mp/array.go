package mp

import (
	"fmt"
	"iter"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/guard"
	"github.com/perijove/perijove/lib/mp/internal/object"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// An Array is a slice whose memory processes share: a write in one process is seen in the
// others, and nothing is copied. T must not contain pointers. An Array does not
// synchronize reads and writes; use a Mutex or a Barrier, for example. GuardedBy names the
// lock that protects the elements, and CheckLocks turns on reports of accesses by At, Set
// and All without that lock.
//
// The memory lies in Go's heap and lives as long as a slice of it is reachable. The
// elements exist once, but the garbage collector of each process that has the Array
// counts their size, also against GOMEMLIMIT. With GOGC=100, an Array of 1 GiB lets 1
// GiB more garbage accumulate between two collections. The collector never scans the
// elements.
type Array[T any] struct {
	b     *shm.Block
	n     int
	guard *guard.Guard
}

// arrayHead is the offset of the elements in bytes: one page, so that elements of every
// type are aligned.
const arrayHead = 4096

// NewArray makes an Array of n zero elements. If T contains a pointer, the error names the field.
func NewArray[T any](b Backend, n int) (*Array[T], error) {
	block, err := newArray(b, n, unsafe.Sizeof(*new(T)), (*T)(nil))
	if err != nil {
		return nil, err
	}
	return &Array[T]{b: block, n: n}, nil
}

// newArray makes the memory of an Array of n elements of size bytes. pointer is a nil *T,
// which gives the type of the elements.
//
//go:noinline
func newArray(b Backend, n int, size uintptr, pointer any) (*shm.Block, error) {
	if err := codec.CheckShareable(pointer, "an Array"); err != nil {
		return nil, err
	}
	switch {
	case n < 0:
		return nil, fmt.Errorf("mp: cannot make an Array of %d elements: the number must be 0 or more", n)
	case size > 0 && uint64(n) > shm.MaxBlock/uint64(size):
		return nil, fmt.Errorf("mp: cannot make an Array of %d elements: the Array would be larger than %d TiB", n, shm.MaxBlock>>40)
	}
	shared, err := isShared(b)
	if err != nil {
		return nil, err
	}
	block, err := shm.NewBlock(shared, arrayHead+n*int(size))
	if err != nil {
		return nil, failure.Wrap(fmt.Sprintf("cannot make an Array of %d elements (%d bytes)", n, arrayHead+n*int(size)), err)
	}
	*arrayLen(block) = uint64(n)
	return block, nil
}

// Len returns the number of elements.
func (a *Array[T]) Len() int {
	if a == nil {
		panicNil("Array")
	}
	return a.n
}

// Slice returns the elements themselves. The slice stays valid without the Array.
// Accesses to its elements are not checked, even if the Array has a guard.
func (a *Array[T]) Slice() []T {
	if a == nil {
		panicNil("Array")
	}
	if a.n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&a.b.Mem[arrayHead])), a.n)
}

// GuardedBy names the lock that protects the elements, and returns a. A goroutine must
// hold the lock to write elements; a read lock is enough to read them. GuardedBy has an
// effect only while accesses are checked: see CheckLocks. Call it before other goroutines
// and processes have the Array. A child that gets the Array gets the lock with it.
func (a *Array[T]) GuardedBy(l Lock) *Array[T] {
	if a == nil {
		panicNil("Array")
	}
	a.guard = guardOf(l)
	return a
}

// At returns the element at i.
func (a *Array[T]) At(i int) T {
	if a == nil {
		panicNil("Array")
	}
	return *(*T)(elementAt(a.b, i, a.n, unsafe.Sizeof(*new(T)), a.guard, "At(%d) of an Array", false))
}

// Set sets the element at i.
func (a *Array[T]) Set(i int, v T) {
	if a == nil {
		panicNil("Array")
	}
	*(*T)(elementAt(a.b, i, a.n, unsafe.Sizeof(v), a.guard, "Set(%d) of an Array", true)) = v
}

// elementAt returns the address of element i of n, for an access that g checks.
func elementAt(b *shm.Block, i, n int, size uintptr, g *guard.Guard, access string, write bool) unsafe.Pointer {
	if uint(i) >= uint(n) {
		panicIndex(i, n)
	}
	g.Check(access, i, write)
	return unsafe.Pointer(&b.Mem[arrayHead+i*int(size)])
}

//go:noinline
func panicIndex(i, n int) {
	panic(fmt.Sprintf("mp: index %d is out of range for an Array of %d elements", i, n))
}

// Close makes it impossible to send the Array to more processes. Processes that have a
// slice of the elements can still use it.
func (a *Array[T]) Close() {
	if a == nil {
		panicNil("Array")
	}
	if a.b != nil {
		a.b.Close()
	}
}

// All yields the elements with their indexes.
func (a *Array[T]) All() iter.Seq2[int, T] {
	if a == nil {
		panicNil("Array")
	}
	return func(yield func(int, T) bool) {
		for i, v := range a.Slice() {
			a.guard.Check("All of an Array", i, false)
			if !yield(i, v) {
				return
			}
		}
	}
}

// Parts divides the elements among n workers, for a Map or ForEach over the parts. Each
// part is the index of its first element and the index after its last. An Array with
// fewer than n elements has one part for each element.
func (a *Array[T]) Parts(n int) [][2]int {
	if a == nil {
		panicNil("Array")
	}
	n = max(1, min(n, a.n))
	parts := make([][2]int, n)
	for i := range parts {
		parts[i] = [2]int{i * a.n / n, (i + 1) * a.n / n}
	}
	return parts
}

// GobEncode lets an Array be part of a value that is sent to a process. It encodes a
// reference, not the elements.
func (a *Array[T]) GobEncode() ([]byte, error) {
	if a == nil {
		return nil, nilError("Array")
	}
	if a.b == nil {
		return nil, notMade("Array", "mp.NewArray")
	}
	b, err := object.Encode(a.b, "Array")
	if err != nil {
		return nil, err
	}
	return a.guard.Append(b)
}

// GobDecode is the inverse of GobEncode.
func (a *Array[T]) GobDecode(b []byte) (err error) {
	if a == nil {
		return nilError("Array")
	}
	n := min(len(b), shm.BlockHandleSize)
	if a.b, a.n, err = openArray(b[:n], unsafe.Sizeof(*new(T))); err == nil {
		a.guard, err = guard.Open(b[n:])
	}
	return err
}

//go:noinline
func openArray(handle []byte, size uintptr) (*shm.Block, int, error) {
	block, err := shm.OpenBlock(handle)
	if err != nil {
		return nil, 0, failure.Wrap("cannot open an Array", err)
	}
	if len(block.Mem) < arrayHead {
		return nil, 0, failure.ErrMalformed
	}
	n := *arrayLen(block)
	if size > 0 && uint64(len(block.Mem)-arrayHead)/uint64(size) < n {
		return nil, 0, failure.ErrMalformed
	}
	return block, int(n), nil
}

// arrayLen returns the address of the number of elements, which lies before them.
func arrayLen(b *shm.Block) *uint64 { return (*uint64)(unsafe.Pointer(&b.Mem[0])) }
