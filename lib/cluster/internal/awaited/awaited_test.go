package awaited

import (
	"slices"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/cluster/internal/wire"
)

func TestPools(t *testing.T) {
	s := Pools{Since: time.Now(), Max: 2}
	if !s.Exists("new") || !s.IsSilent("new") || s.IsClosed("new") {
		t.Error("a pool without an announcement")
	}
	s.Update(&wire.Pool{ID: "a"})
	if !s.Exists("a") || s.IsSilent("a") || s.IsClosed("a") {
		t.Error("a pool that has announced itself")
	}
	s.Update(&wire.Pool{ID: "a", Closed: true})
	if s.Exists("a") || !s.IsClosed("a") {
		t.Error("a closed pool")
	}
	if s.Forget(); !s.IsClosed("a") {
		t.Error("a closed pool was forgotten too early")
	}
	for _, id := range []string{"b", "c", "d"} {
		s.Update(&wire.Pool{ID: id})
	}
	if s.Forget(); len(s.seen) > 2 {
		t.Errorf("%d pools are remembered", len(s.seen))
	}
	old := Pools{Since: time.Now().Add(-2 * Timeout)}
	if old.Exists("x") {
		t.Error("a pool that never announced itself exists for ever")
	}
}

func TestCancels(t *testing.T) {
	var s Cancels
	s.Add(&wire.Cancel{Pool: "p", Batch: 1, Indexes: []int{1, 2}})
	s.Add(&wire.Cancel{Pool: "p", Batch: 1, Indexes: []int{3}})
	if got := s.Of(Key{"p", 1}); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("got %v", got)
	}
	for i := range maxCancels {
		s.Add(&wire.Cancel{Pool: "p", Batch: uint64(i + 2), Indexes: make([]int, 2*wire.MaxTasks)})
	}
	if len(s.Of(Key{"p", 1})) != 0 || len(s.indexes) != maxCancels || len(s.Of(Key{"p", 2})) != wire.MaxTasks {
		t.Errorf("%d batches are remembered, %d tasks of one", len(s.indexes), len(s.Of(Key{"p", 2})))
	}
}
