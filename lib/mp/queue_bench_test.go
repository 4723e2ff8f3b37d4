package mp_test

import (
	"context"
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

type stream[T any] struct {
	Queue *mp.Queue[T]
	Value T
	N     int
}

func pour(s stream[[]byte]) error {
	for range s.N {
		if err := s.Queue.Put(context.Background(), s.Value); err != nil {
			return err
		}
	}
	return nil
}

func BenchmarkQueueOfLargeValues(b *testing.B) {
	q := made(mp.NewQueue[[]byte](mp.Processes, 0))
	p := made(mp.Start(watchdog(b), mp.Processes, pour, stream[[]byte]{q, make([]byte, 1<<20), b.N}))
	ctx := watchdog(b)
	b.SetBytes(1 << 20)
	for range b.N {
		if _, err := q.Get(ctx); err != nil {
			b.Fatal(err)
		}
	}
	if err := p.Join(watchdog(b)); err != nil {
		b.Fatal(err)
	}
}
func BenchmarkQueueInto(b *testing.B) {
	q := made(mp.NewQueue[[]byte](mp.Processes, 0))
	p := made(mp.Start(watchdog(b), mp.Processes, pour, stream[[]byte]{q, make([]byte, 1<<20), b.N}))
	ctx := watchdog(b)
	var v []byte
	b.SetBytes(1 << 20)
	for range b.N {
		if err := q.GetInto(ctx, &v); err != nil {
			b.Fatal(err)
		}
	}
	if err := p.Join(watchdog(b)); err != nil {
		b.Fatal(err)
	}
}
