package mp

import (
	"fmt"
	"iter"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/object"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// An Array is a slice that processes share, without any copy: what one writes
// another reads. Its elements must be free of pointers. Nothing orders writes
// and reads but what else the processes do, with a Mutex or a Barrier, say.
//
// The memory lies in Go's heap, and stays for as long as a slice of it can be
// reached. The collector counts its size in each process that has the Array,
// against GOMEMLIMIT too, although the elements exist once: with GOGC=100 a
// program with an Array of 1 GiB lets 1 GiB more garbage gather between two
// collections. The collector never reads the elements.
type Array[T any] struct {
	b *shm.Block
	n int
}

// arrayHead is where the elements begin: a page, so that they are aligned for
// anything.
const arrayHead = 4096

// NewArray makes an Array of n zero elements. If T has a pointer in it, the
// error names the field.
func NewArray[T any](b Backend, n int) (*Array[T], error) {
	block, err := newArray(b, n, unsafe.Sizeof(*new(T)), (*T)(nil))
	if err != nil {
		return nil, err
	}
	return &Array[T]{b: block, n: n}, nil
}

// newArray makes the memory of an Array of n of what pointer points to.
//
//go:noinline
func newArray(b Backend, n int, size uintptr, pointer any) (*shm.Block, error) {
	if err := codec.CheckShareable(pointer, "an Array"); err != nil {
		return nil, err
	}
	switch {
	case n < 0:
		return nil, fmt.Errorf("mp: cannot make an Array of %d elements: the number is negative", n)
	case size > 0 && uint64(n) > shm.MaxBlock/uint64(size):
		return nil, fmt.Errorf("mp: cannot make an Array of %d elements: it would be larger than %d TiB", n, shm.MaxBlock>>40)
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
func (a *Array[T]) Slice() []T {
	if a == nil {
		panicNil("Array")
	}
	if a.n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&a.b.Mem[arrayHead])), a.n)
}

// Close gives up what it takes to send the Array to further processes. The
// elements stay, in this process for as long as it has a slice of them.
func (a *Array[T]) Close() {
	if a == nil {
		panicNil("Array")
	}
	if a.b != nil {
		a.b.Close()
	}
}

// All yields the elements with their places.
func (a *Array[T]) All() iter.Seq2[int, T] {
	if a == nil {
		panicNil("Array")
	}
	return func(yield func(int, T) bool) {
		for i, v := range a.Slice() {
			if !yield(i, v) {
				return
			}
		}
	}
}

// Parts divides the places of the elements among n workers, for a Map or ForEach
// over them: pairs of the first place and the one past the last.
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

// GobEncode lets an Array be part of what is sent to a process: a reference to
// it, not its elements.
func (a *Array[T]) GobEncode() ([]byte, error) {
	if a == nil {
		return nil, nilError("Array")
	}
	if a.b == nil {
		return nil, notMade("Array", "mp.NewArray")
	}
	return object.Encode(a.b, "Array")
}

// GobDecode is the other end of GobEncode.
func (a *Array[T]) GobDecode(b []byte) (err error) {
	if a == nil {
		return nilError("Array")
	}
	a.b, a.n, err = openArray(b, unsafe.Sizeof(*new(T)))
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

// arrayLen is where the number of elements is, before the elements.
func arrayLen(b *shm.Block) *uint64 { return (*uint64)(unsafe.Pointer(&b.Mem[0])) }
