package cluster_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/mp"
)

// keepKey appends its key to a file of its task, and returns the keys of all runs. If the
// task is a mortal, its process ends in the first run.
func keepKey(ctx context.Context, e errand) ([]string, error) {
	name := filepath.Join(e.Folder, "keys")
	if e.N >= 0 {
		name = filepath.Join(e.Folder, string(rune('a'+e.N)))
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	derived, cancel := context.WithCancel(ctx)
	defer cancel()
	if _, err := f.WriteString(cluster.TaskKey(derived) + "\n"); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(name)
	keys := strings.Fields(string(b))
	if e.N < 0 && len(keys) == 1 {
		os.Exit(1)
	}
	return keys, err
}

// TestTaskKey: each run of a task has the same key, and each task another one.
func TestTaskKey(t *testing.T) {
	if key := cluster.TaskKey(t.Context()); key != "" {
		t.Errorf("outside of a task the key is %q", key)
	}
	c := open(t, 2)
	p, dir := newPool(t, c), t.TempDir()
	keys, err := mp.Submit[[]string](watchdog(t), p, keepKey, errand{N: -1, Folder: dir}).Result(watchdog(t))
	if err != nil || len(keys) != 2 || keys[0] == "" || keys[0] != keys[1] {
		t.Errorf("the keys of two runs are %q, %v", keys, err)
	}
	var all []string
	var errands []errand
	for i := range 20 {
		errands = append(errands, errand{N: i, Folder: dir})
	}
	for range 2 { // other tasks, although the function and the arguments are the same
		lists, err := mp.Map[[]string](watchdog(t), p, keepKey, errands)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lists {
			all = append(all, l[len(l)-1])
		}
	}
	all = append(all, keys[0])
	slices.Sort(all)
	if n := len(all); len(slices.Compact(all)) != n || all[0] == "" {
		t.Errorf("%d tasks have %d keys, the first %q", n, len(slices.Compact(all)), all[0])
	}
}

// TestTaskKeyOfAJob: a task of a job has the same key in each run, and a job that is started
// again runs nothing again.
func TestTaskKeyOfAJob(t *testing.T) {
	c, ctx, dir := open(t, 2), watchdog(t), t.TempDir()
	args := []errand{{N: 0, Folder: dir}, {N: -1, Folder: dir}, {N: 1, Folder: dir}}
	var first [][]string
	for range 2 {
		j, err := cluster.StartJob[[]string](ctx, c, "keys", keepKey, args)
		if err != nil {
			t.Fatal(err)
		}
		lists, err := j.Results(ctx)
		if err != nil || len(lists[1]) != 2 || lists[1][0] != lists[1][1] || lists[1][0] == "" {
			t.Fatalf("got %q, %v", lists, err)
		}
		if first != nil && !slices.EqualFunc(first, lists, slices.Equal) {
			t.Errorf("tasks ran again: %q, then %q", first, lists)
		}
		first = lists
	}
	if first[0][0] == first[2][0] {
		t.Errorf("two tasks have the key %q", first[0][0])
	}
}
