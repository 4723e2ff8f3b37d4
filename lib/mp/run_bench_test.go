package mp

import (
	"context"
	"testing"
	"time"
)

func sq(x int) int { return x * x }

func BenchmarkRunner(b *testing.B) {
	var t task[int, int, func(int) int]
	args := make([]byte, 8*10000)
	for b.Loop() {
		v := &invocation{fn: funcvalOf(sq), n: 10000, args: reader{b: args}, credit: newCredit(), dropped: func(int) bool { return false }, since: time.Now(), context: func(int) (context.Context, context.CancelFunc) { return nil, nil }}
		v.credit.grant(10000)
		t.run(v)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10000, "ns/task")
}
