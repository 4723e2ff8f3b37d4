package cluster_test

import (
	"slices"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/internal/pooltest"
	"github.com/perijove/perijove/lib/mp"
)

// TestPoolOptions tests the options of pools, with workers of the pool's process and with
// those of another one.
func TestPoolOptions(t *testing.T) {
	t.Run("Here", func(t *testing.T) { testPoolOptions(t, open(t, 2)) })
	t.Run("Elsewhere", func(t *testing.T) {
		c := open(t, 0)
		startMachine(t, c)
		testPoolOptions(t, c)
	})
}

func testPoolOptions(t *testing.T, c *cluster.Cluster) {
	pooltest.Run(t, func(t *testing.T, opts ...mp.PoolOption) *mp.Pool {
		p := optionPool(t, c, opts...)
		t.Cleanup(func() { _ = p.Close() })
		return p
	})
}

func optionPool(t *testing.T, c *cluster.Cluster, opts ...mp.PoolOption) *mp.Pool {
	t.Helper()
	p, err := c.Pool(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func prepareQueue(*mp.Queue[int]) {}

func TestPoolOptionsThatAreRefused(t *testing.T) {
	c := open(t, 0, cluster.MaxValue(1<<20))
	n := 1
	for _, r := range []struct {
		opt  mp.PoolOption
		want []string
	}{
		{mp.Workers(4), []string{"mp: Workers(4)", "method Workers of the Cluster"}},
		{mp.Retries(-1), []string{"Retries(-1)"}},
		{mp.TaskTimeout(0), []string{"TaskTimeout(0s)"}},
		{mp.Stdout(nil), []string{"Stdout(nil)"}},
		{mp.Env("A=", "x"), []string{`Env("x")`}},
		{mp.Env("A=" + string(slices.Repeat([]byte("a"), 1<<17))), []string{"the option Env of the pool", "more than the limit"}},
		{mp.Initializer(func(x int) { n = x }, 1), []string{"initializer", "captures variables"}},
		{mp.Initializer(prepareQueue, (*mp.Queue[int])(nil)), []string{"initializer", "another machine"}},
		{mp.Initializer(func(string) {}, string(make([]byte, 2<<20))), []string{"options of the pool take", "cluster.MaxValue"}},
		{nil, []string{"an option is nil"}},
	} {
		_, err := c.Pool(mp.Grace(time.Second), r.opt)
		refused(t, err, r.want...)
	}
	if n != 1 {
		t.Error("the initializer ran here")
	}
}
