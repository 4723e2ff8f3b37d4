package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/must"
)

func halfOf(x int) (int, error) {
	if x%2 == 1 {
		return 0, fmt.Errorf("%d: %w", x, fs.ErrNotExist)
	}
	return x / 2, nil
}

func anyOf(x int) any { return x }

// TestJobOfAnotherBuild starts a job, half of which is done, and joins it with another build,
// as a notebook does after a restart.
func TestJobOfAnotherBuild(t *testing.T) {
	c, ctx := openAlone(t)
	other := must.Get(Open(ctx, URL(c.URL()), Token(c.Token())))
	defer other.Close()
	other.build[0]++
	args := []int{0, 1, 2, 3, 4}
	j := must.Get(StartJob[int](ctx, c, "x", halfOf, args))
	must.Get(StartJob[any](ctx, c, "any", anyOf, args))
	_, err := JoinJob[any](ctx, other, "any")
	if err == nil || !strings.Contains(err.Error(), "another build") || !strings.Contains(err.Error(), "contains an interface") {
		t.Errorf("got %v", err)
	}
	must.Do(c.Workers(1))
	if ys, err := j.Results(ctx); !errors.Is(err, fs.ErrNotExist) || !slices.Equal(ys, []int{0, 0, 1, 0, 2}) {
		t.Errorf("the same build: %v, %v", ys, err)
	}
	k := must.Get(JoinJob[int](ctx, other, "x"))
	ys, err := k.Results(ctx)
	if err == nil || !strings.Contains(err.Error(), "1: file does not exist") || errors.Is(err, fs.ErrNotExist) || !slices.Equal(ys, []int{0, 0, 1, 0, 2}) {
		t.Errorf("another build: %v, %v", ys, err)
	}
	k = must.Get(StartJob[int](ctx, other, "x", halfOf, args)) // nothing is left to do
	if _, err := k.Results(ctx); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("another build has started it, too: %v", err)
	}
	_, err = StartJob[any](ctx, other, "any", anyOf, args)
	if err == nil || !strings.Contains(err.Error(), "another build") {
		t.Errorf("got %v", err)
	}
}

// TestJobIsContinuedByAnotherBuild starts a job without workers. Workers of another build run
// it when that build starts it again.
func TestJobIsContinuedByAnotherBuild(t *testing.T) {
	c, ctx := openAlone(t)
	other := must.Get(Open(ctx, URL(c.URL()), Token(c.Token())))
	defer other.Close()
	other.build[0]++
	must.Get(StartJob[int](ctx, c, "x", twice, []int{1, 2, 3}))
	must.Do(other.Workers(1))
	j := must.Get(StartJob[int](ctx, other, "x", twice, []int{1, 2, 3}))
	if ys, err := j.Results(ctx); err != nil || !slices.Equal(ys, []int{2, 4, 6}) {
		t.Errorf("%v, %v", ys, err)
	}
	// A message that is no result fails its batch only.
	j = must.Get(StartJob[int](ctx, c, "y", twice, []int{1, 2}))
	must.Get(c.publish(ctx, c.resultSubject(j.in.record.ID, 2), "", []byte("nonsense")))
	must.Do(c.Workers(1))
	errs := []error{}
	for y, err := range j.Stream(ctx) {
		if errs = append(errs, err); err == nil && y != 2 {
			t.Errorf("got %d", y)
		}
	}
	if len(errs) != 2 || errs[0] != nil || errs[1] == nil || !strings.Contains(errs[1].Error(), "malformed message") {
		t.Errorf("got %v", errs)
	}
	must.Do(j.Delete(ctx))
	if _, err := j.Results(ctx); !errors.Is(err, mp.ErrClosed) {
		t.Errorf("a deleted job: %v", err)
	}
}

// TestJobWithoutWorkers joins a job whose tasks no worker has. Results fails, and says what to
// do; when StartJob has given the tasks to other workers, it returns them.
func TestJobWithoutWorkers(t *testing.T) {
	c, ctx := openAlone(t)
	args := []int{1, 2, 3}
	must.Get(StartJob[int](ctx, c, "x", twice, args))
	other := must.Get(Open(ctx, URL(c.URL()), Token(c.Token()), WorkerTimeout(20*time.Millisecond)))
	defer other.Close()
	other.build[0]++
	must.Do(other.Workers(1))
	j := must.Get(JoinJob[int](ctx, other, "x"))
	ys, err := j.Results(ctx)
	if !errors.Is(err, ErrNoWorkers) || len(ys) != 0 || !strings.HasPrefix(err.Error(), "cluster: job x: ") || !strings.Contains(err.Error(), "call StartJob again") {
		t.Errorf("%v, %v", ys, err)
	}
	must.Get(StartJob[int](ctx, other, "x", twice, args))
	for { // the worker of a slow machine may be silent for the WorkerTimeout
		if ys, err = j.Results(ctx); !errors.Is(err, ErrNoWorkers) {
			break
		}
	}
	if err != nil || !slices.Equal(ys, []int{2, 4, 6}) {
		t.Errorf("%v, %v", ys, err)
	}
	must.Do(j.Delete(ctx))
	if ys, err := j.Results(ctx); len(ys) != 0 || !errors.Is(err, mp.ErrClosed) || !strings.Contains(err.Error(), "job x was deleted") {
		t.Errorf("a deleted job: %v, %v", ys, err)
	}
}
