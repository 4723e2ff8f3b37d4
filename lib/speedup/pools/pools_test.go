package pools

import (
	"context"
	"os"
	"testing"

	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/speedup"
)

func TestMain(m *testing.M) {
	mp.Init()
	os.Exit(m.Run())
}

func pid(int) int { return os.Getpid() }

func TestPoolsAreKept(t *testing.T) {
	t.Cleanup(func() {
		if err := CloseAll(); err != nil {
			t.Error(err)
		}
	})
	ctx := context.Background()
	seen := map[*mp.Pool]int{}
	var pids []int
	run := func(p *mp.Pool) error {
		seen[p]++
		all, err := mp.Map[int](ctx, p, pid, []int{1})
		pids = append(pids, all...)
		return err
	}
	goroutines, processes := Case(mp.Goroutines, run), Case(mp.Processes, run)
	if goroutines.Name != "goroutines" || processes.Name != "processes" {
		t.Errorf("the cases are %q and %q", goroutines.Name, processes.Name)
	}
	for range 2 {
		for _, c := range []speedup.Case{goroutines, processes} {
			for n := 1; n <= 2; n++ {
				if err := c.Run(n); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d pools for 2 backends and 2 numbers of workers", len(seen))
	}
	sizes := map[int]int{}
	for p, n := range seen {
		sizes[p.Workers()] += n
	}
	if sizes[1] != 4 || sizes[2] != 4 {
		t.Errorf("runs by the number of workers are %v", sizes)
	}
	if pids[0] != os.Getpid() || pids[2] == os.Getpid() {
		t.Errorf("the tasks ran in processes %v; this is %d", pids, os.Getpid())
	}
}

func TestCloseAllStartsAnew(t *testing.T) {
	first, err := Get(mp.Goroutines, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := CloseAll(); err != nil {
		t.Fatal(err)
	}
	second, err := Get(mp.Goroutines, 3)
	if err != nil || second == first {
		t.Errorf("after CloseAll, Get returns %v, %v", second, err)
	}
	if err := CloseAll(); err != nil {
		t.Fatal(err)
	}
	if _, err := Get(mp.Processes, 0); err == nil {
		t.Error("a pool of 0 workers was started")
	}
}
