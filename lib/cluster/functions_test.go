package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mpremote"
	"github.com/perijove/perijove/lib/mp/mpsource"
)

// otherBuildVariable makes a process with workers one of another build, which offers
// functions.
const otherBuildVariable = "CLUSTER_TEST_OTHER_BUILD"

type point struct {
	X, Y int
	Name string
}

func offeredSum(p point) (int, error) {
	switch {
	case p.Name == "end":
		return 0, io.EOF
	case p.Name == "fail":
		return 0, fmt.Errorf("no sum for %s: %w", p.Name, io.ErrUnexpectedEOF)
	case p.Name == "panic":
		panic("oh no")
	}
	fmt.Println("sum of", p.Name)
	return p.X + p.Y, nil
}

func offeredEach(ctx context.Context, n int) error { return context.Cause(ctx) }
func offeredAny(n int) any {
	if n < 0 {
		return point{X: n}
	}
	return fmt.Sprint(n)
}
func changedFunc(n int) int { return n }
func missingFunc(n int) int { return n }
func takesAny(v any) int    { return 1 }

// sourceTable returns hashes of these functions. In the table of the worker, limit has another hash
// and missingFunc is missing.
func sourceTable(ofWorker bool) *mpsource.Table {
	limit := mpsource.Declaration{Name: "limit", Kind: "constant", Hash: "1"}
	names := []string{"offeredSum", "offeredEach", "offeredAny", "changedFunc", "takesAny"}
	if ofWorker {
		limit.Hash = "2"
	} else {
		names = append(names, "missingFunc")
	}
	p := mpsource.Program{Go: "go1.26", Declarations: []mpsource.Declaration{limit}}
	for _, name := range names {
		d := mpsource.Declaration{Name: name, Kind: "function", Hash: name, Offered: true, Symbol: "github.com/perijove/perijove/lib/cluster_test." + name}
		if name == "changedFunc" {
			d.Uses = []string{"limit"}
		}
		p.Declarations = append(p.Declarations, d)
	}
	return mpsource.NewTable(p)
}

// offerFunctions makes c a Cluster of another build.
func offerFunctions(c *cluster.Cluster) {
	mpsource.Set(sourceTable(true))
	cluster.PretendOtherBuild(c)
	mpremote.Register[int, point]("offeredSum", offeredSum)
	mpremote.RegisterTarget[int]("offeredEach", offeredEach)
	mpremote.Register[any, int]("offeredAny", offeredAny)
	mpremote.Register[int, int]("changedFunc", changedFunc)
	mpremote.Register[int, any]("takesAny", takesAny)
}

// TestOtherBuild: a worker of another build runs the functions whose hashes are the same, and no others.
func TestOtherBuild(t *testing.T) {
	mpsource.Set(sourceTable(false))
	t.Cleanup(func() { mpsource.Set(nil) })
	t.Setenv(otherBuildVariable, "1")
	c := open(t, 0)
	startMachine(t, c)
	p, ctx := newPool(t, c), watchdog(t)
	if got, err := mp.Map[int](ctx, p, offeredSum, []point{{1, 2, "a"}, {3, 4, "b"}}); err != nil || fmt.Sprint(got) != "[3 7]" {
		t.Errorf("offeredSum: %v, error %v", got, err)
	}
	if err := mp.ForEach(ctx, p, offeredEach, []int{1, 2}); err != nil {
		t.Errorf("offeredEach: %v", err)
	}
	if got, err := mp.Map[any](ctx, p, offeredAny, []int{1}); err != nil || fmt.Sprint(got) != "[1]" {
		t.Errorf("offeredAny: %v, error %v", got, err)
	}
	for name, want := range map[string]error{"end": io.EOF, "fail": io.ErrUnexpectedEOF} {
		if _, err := mp.Submit[int](ctx, p, offeredSum, point{Name: name}).Result(ctx); !errors.Is(err, want) {
			t.Errorf("the error is %v, want %v", err, want)
		}
	}
	_, err := mp.Submit[int](ctx, p, offeredSum, point{Name: "panic"}).Result(ctx)
	if panicked, ok := errors.AsType[*mp.PanicError](err); !ok || !strings.Contains(panicked.Stack, "offeredSum") {
		t.Errorf("the error of a panic is %v", err)
	}
	impatient, err := cluster.Open(ctx, cluster.URL(c.URL()), cluster.Token(c.Token()), cluster.WorkerTimeout(10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	defer impatient.Close()
	p = newPool(t, impatient)
	for want, f := range map[string]*mp.Future[int]{
		"the constant limit, which changedFunc uses, differs in that program": mp.Submit[int](ctx, p, changedFunc, 1),
		"it does not have the function missingFunc":                           mp.Submit[int](ctx, p, missingFunc, 1),
		"its argument may hold the interface interface {}":                    mp.Submit[int](ctx, p, takesAny, any(1)),
		"it is a function literal":                                            mp.Submit[int](ctx, p, func(n int) int { return n }, 1),
	} {
		if _, err := f.Result(ctx); !errors.Is(err, cluster.ErrNoWorkers) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	if got, err := mp.Submit[int](ctx, optionPool(t, c, mp.Initializer(offeredEach, 1), mp.Env("A=1")), offeredSum, point{1, 2, "a"}).Result(ctx); err != nil || got != 3 {
		t.Errorf("with an initializer that the worker has: %v, error %v", got, err)
	}
	_, err = mp.Submit[int](ctx, optionPool(t, impatient, mp.Initializer(func(int) {}, 1)), offeredSum, point{1, 2, "a"}).Result(ctx)
	if refused(t, err, "the function literal at functions_test.go", "it is a function literal"); !errors.Is(err, cluster.ErrNoWorkers) {
		t.Errorf("with an initializer that the worker does not have: %v", err)
	}
	_, err = mp.Submit[any](ctx, newPool(t, c), offeredAny, -1).Result(ctx)
	if want := "cannot be sent to another program"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a result of a type that only the worker has: %v, want an error with %q", err, want)
	}
}

// TestMovesToThisBuild: when workers of another build end, those of this build get their tasks.
func TestMovesToThisBuild(t *testing.T) {
	mpsource.Set(sourceTable(false))
	t.Cleanup(func() { mpsource.Set(nil) })
	t.Setenv(otherBuildVariable, "1")
	c := open(t, 0)
	worker := startMachine(t, c)
	p, ctx := newPool(t, c), watchdog(t)
	if got, err := mp.Submit[int](ctx, p, offeredSum, point{1, 2, "a"}).Result(ctx); err != nil || got != 3 {
		t.Fatalf("%v, error %v", got, err)
	}
	worker.stop()
	f := mp.Submit[int](ctx, p, offeredSum, point{5, 6, "b"})
	if err := c.Workers(1); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Result(ctx); err != nil || got != 11 {
		t.Errorf("%v, error %v", got, err)
	}
}

// TestJobOfOtherBuild: a worker of another build runs a job, whose starter has no workers.
func TestJobOfOtherBuild(t *testing.T) {
	mpsource.Set(sourceTable(false))
	t.Cleanup(func() { mpsource.Set(nil) })
	t.Setenv(otherBuildVariable, "1")
	c, ctx := open(t, 0), watchdog(t)
	startMachine(t, c)
	p := newPool(t, c)
	if got, err := mp.Submit[int](ctx, p, offeredSum, point{1, 2, "a"}).Result(ctx); err != nil || got != 3 { // the worker is there
		t.Fatalf("%v, error %v", got, err)
	}
	points := []point{{1, 2, "a"}, {Name: "end"}, {3, 4, "b"}}
	for range 2 {
		j, err := cluster.StartJob[int](ctx, c, "sums", offeredSum, points)
		if err != nil {
			t.Fatal(err)
		}
		got, err := j.Results(ctx)
		if fmt.Sprint(got) != "[3 0 7]" || err == nil || !strings.Contains(err.Error(), "task 1 of job sums: EOF") {
			t.Errorf("%v, error %v", got, err)
		}
	}
	other, err := cluster.StartJob[any](ctx, c, "any", offeredAny, []int{1}) // its result stays in this build
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Workers(1); err != nil {
		t.Fatal(err)
	}
	if got, err := other.Results(ctx); err != nil || fmt.Sprint(got) != "[1]" {
		t.Errorf("%v, error %v", got, err)
	}
}
