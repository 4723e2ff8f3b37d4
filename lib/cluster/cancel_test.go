package cluster

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/must"
)

func untilDone(ctx context.Context, _ int) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

// TestCancelBeforeItsBatch sends the message that a task is canceled before it sends the
// task.
func TestCancelBeforeItsBatch(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := must.Get(Open(ctx))
	defer c.Close()
	must.Do(c.Workers(1))
	p := must.Get(c.Pool())
	pool := slices.Collect(maps.Keys(c.pools))[0]
	early := wire.Cancel{Pool: pool, Batch: 1, Indexes: []int{0, 5}}
	must.Do(c.conn.Publish(c.cancelSubject(), early.Encode()), c.conn.Flush())
	if _, err := mp.Submit[int](ctx, p, untilDone, 1).Result(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
