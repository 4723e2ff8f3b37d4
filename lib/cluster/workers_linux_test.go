package cluster_test

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

func ownPID(int) int { return os.Getpid() }

// pids returns the processes that run tasks of p.
func pids(t *testing.T, p *mp.Pool) map[int]bool {
	t.Helper()
	list, err := mp.Map[int](watchdog(t), p, ownPID, upTo(300))
	if err != nil {
		t.Fatal(err)
	}
	set := map[int]bool{}
	for _, pid := range list {
		set[pid] = true
	}
	return set
}

// TestWorkersAreForEachPool checks what the comment of Workers says: each pool has its own n
// processes, which end with it.
func TestWorkersAreForEachPool(t *testing.T) {
	c := open(t, 2)
	if got, want := c.String(), "a cluster of 2 workers for each pool at "+c.URL(); got != want {
		t.Errorf("String returns %q, want %q", got, want)
	}
	p, q := newPool(t, c), newPool(t, c)
	ofP, ofQ := pids(t, p), pids(t, q)
	if len(ofP) > 2 || len(ofQ) > 2 {
		t.Errorf("the pools have %d and %d processes", len(ofP), len(ofQ))
	}
	for pid := range ofQ {
		if ofP[pid] {
			t.Errorf("process %d runs tasks of both pools", pid)
		}
	}
	if err := q.Close(); err != nil {
		t.Error(err)
	}
	for pid := range ofQ {
		for ctx := watchdog(t); syscall.Kill(pid, 0) == nil; time.Sleep(time.Millisecond) {
			if ctx.Err() != nil {
				t.Fatalf("process %d of a closed pool still runs", pid)
			}
		}
	}
	expectMap(t, p)
	if err := c.Workers(1); err != nil {
		t.Fatal(err)
	}
	if n := len(pids(t, p)); n > 3 {
		t.Errorf("there are %d processes", n)
	}
}
