package mp

import (
	"context"
	"fmt"

	"github.com/perijove/perijove/lib/mp/internal/object"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// Init makes this program able to start children, and is where they begin: in
// a child it runs what the parent sends and exits the process. Call it first
// in main; in tests, in TestMain.
func Init() {
	h := mphost.Program()
	if mphost.IsChild() {
		mphost.RunChild(h)
	}
	mphost.Set(h)
}

// A Backend says where a function runs.
type Backend int

const (
	// Goroutines runs functions in this process: memory is shared, nothing is
	// copied or encoded, and a goroutine cannot be killed.
	Goroutines Backend = iota
	// Processes runs functions in child processes: arguments and results are
	// copied, variables are not shared, and a child can be killed.
	Processes
)

// String returns "goroutines" or "processes".
func (b Backend) String() string {
	switch b {
	case Goroutines:
		return "goroutines"
	case Processes:
		return "processes"
	}
	return "unknown backend"
}

// isShared reports whether what is made for a backend is shared by processes.
//
//go:noinline
func isShared(b Backend) (bool, error) {
	if b != Goroutines && b != Processes {
		return false, fmt.Errorf("mp: %v", b)
	}
	return b == Processes, nil
}

// makeHandle makes an object for a backend.
func makeHandle(h *object.Handle, b Backend, size int) error {
	shared, err := isShared(b)
	if err != nil {
		return err
	}
	return h.Make(shared, size)
}

// A Target is a function that Start takes: no result but perhaps an error.
type Target[A any] interface {
	~func(A) | ~func(A) error | ~func(context.Context, A) | ~func(context.Context, A) error
}

// A Func is a function with a result, as Go and the pool take it.
type Func[A, R any] interface {
	~func(A) R | ~func(A) (R, error) | ~func(context.Context, A) R | ~func(context.Context, A) (R, error)
}

// None is the argument of a function that needs none.
type None = struct{}
