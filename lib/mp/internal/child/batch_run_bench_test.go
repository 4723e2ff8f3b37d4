package child

import (
	"context"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/codec"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
)

func sq(x int) int { return x * x }

func BenchmarkRunner(b *testing.B) {
	t := call.Of[int, int](sq, false).Runner
	args := make([]byte, 8*10000)
	for b.Loop() {
		v := &batchRun{fn: call.FuncvalOf(sq), n: 10000, args: codec.Reader{B: args}, budget: protocol.NewBudget(), dropped: func(int) bool { return false }, since: time.Now(), context: func(int) (context.Context, context.CancelFunc) { return nil, nil }}
		v.budget.Grant(10000)
		t.Run(v)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10000, "ns/task")
}
