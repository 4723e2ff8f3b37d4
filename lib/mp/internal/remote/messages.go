package remote

import (
	"context"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/object"
	"github.com/perijove/perijove/lib/mp/internal/queue"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// messages is a queue of asks or answers between processes.
type messages[T any] struct{ q queue.Untyped }

type (
	asks    = messages[ask]
	answers = messages[answer]
)

func newMessages[T any]() (*messages[T], error) {
	q, err := queue.New((*T)(nil), call.ElemOf[T](), true, 0, false)
	if err != nil {
		return nil, err
	}
	return &messages[T]{q}, nil
}

func (m *messages[T]) Put(ctx context.Context, v T) error {
	return m.q.Put(ctx, unsafe.Pointer(&v), true)
}

func (m *messages[T]) Get(ctx context.Context) (v T, err error) {
	_, err = m.q.Get(ctx, unsafe.Pointer(&v), true)
	return v, err
}

func (m *messages[T]) Close() { m.q.Close() }

// GobEncode lets messages be part of a value that is sent to a process, as a reference.
func (m *messages[T]) GobEncode() ([]byte, error) { return m.q.Handle() }

// GobDecode is the inverse of GobEncode.
func (m *messages[T]) GobDecode(b []byte) (err error) {
	m.q, err = queue.Open((*T)(nil), b)
	return err
}

// A flag is a shared flag that is set once.
type flag struct{ at object.Handle }

func newFlag() (*flag, error) {
	f := new(flag)
	return f, f.at.Make(true, object.Size)
}

func (f *flag) Set() {
	o := f.at.Get()
	o.U32(0).Store(1)
	o.Wake(0, shm.All)
}

func (f *flag) IsSet() bool { return f.at.Get().U32(0).Load() == 1 }

// GobEncode lets a flag be part of a value that is sent to a process, as a reference.
func (f *flag) GobEncode() ([]byte, error) { return f.at.Encode("Ref") }

// GobDecode is the inverse of GobEncode.
func (f *flag) GobDecode(b []byte) error { return f.at.Open(b, "Ref") }
