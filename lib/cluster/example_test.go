package cluster_test

import (
	"context"
	"fmt"

	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/must"
)

func Example() {
	// In a program, main calls mp.Init first.
	ctx := context.Background()
	c := must.Get(cluster.Open(ctx))
	defer c.Close()
	must.Do(c.Workers(2))
	pool := must.Get(c.Pool())
	fmt.Println(must.Get(mp.Map[int](ctx, pool, square, []int{1, 2, 3})))
	fmt.Println(pool)
	// Output:
	// [1 4 9]
	// a pool of 2 cluster workers, 3 tasks done
}
