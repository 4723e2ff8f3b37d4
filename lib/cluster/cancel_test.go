package cluster

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/must"
)

func makeFile(name string) (int, error) { return 0, os.WriteFile(name, nil, 0o600) }

// TestCancelBeforeItsBatch sends the message that a task is canceled before it sends the
// task, which then does not begin.
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
	file := filepath.Join(t.TempDir(), "begun")
	if _, err := mp.Submit[int](ctx, p, makeFile, file).Result(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the canceled task has begun: %v", err)
	}
}

// TestWithdraw: when the context of tasks ends, those that were not sent are withdrawn with the first that is
// abandoned, and the workers are told of the newest tasks first.
func TestWithdraw(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	r := &runner{id: "p", inflight: map[uint64]*batch{}}
	one := func(ctx context.Context) *task { return &task{ctx: ctx} }
	q := &queue{pending: []*task{one(ended), one(t.Context()), one(ended)}}
	r.queues = []*queue{q}
	for id := range uint64(3) {
		r.inflight[id] = &batch{id: id, tasks: []*task{one(ended), nil, one(t.Context()), one(ended)}}
	}
	want := []wire.Cancel{{Pool: "p", Batch: 2, Indexes: []int{3, 0}}, {Pool: "p", Batch: 1, Indexes: []int{3, 0}}, {Pool: "p", Batch: 0, Indexes: []int{3, 0}}}
	if got := r.withdrawLocked(); !reflect.DeepEqual(got, want) {
		t.Errorf("the workers are told %v, want %v", got, want)
	}
	if len(q.pending) != 1 || q.pending[0].ctx != t.Context() {
		t.Errorf("%d tasks are waiting, want the one whose context has not ended", len(q.pending))
	}
	if again := r.withdrawLocked(); len(again) > 0 {
		t.Errorf("the workers are told again: %v", again)
	}
}
