package speedup

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/internal/procfs"
)

// fakeMachine is a clock that simulated work advances, so that measurements are exact.
type fakeMachine struct{ t time.Time }

func (f *fakeMachine) now() time.Time       { return f.t }
func (f *fakeMachine) load() procfs.Load    { return procfs.Load{} }
func (f *fakeMachine) work(d time.Duration) { f.t = f.t.Add(d) }

func TestMeasureRunsEverythingOncePerRound(t *testing.T) {
	var machine fakeMachine
	var ran []string
	run := func(name string, seconds float64) func(int) error {
		return func(workers int) error {
			ran = append(ran, name+string(rune('0'+workers)))
			machine.work(time.Duration(seconds * 1e9 / float64(workers)))
			return nil
		}
	}
	var progress []int
	m := measurement{
		opts: Options{
			Workers: []int{1, 2}, Rounds: 3,
			Serial:   func() error { ran = append(ran, "serial"); machine.work(2 * time.Second); return nil },
			Progress: func(done, total int) { progress = append(progress, done, total) },
		},
		cases: []Case{{"a", run("a", 2)}, {"b", run("b", 4)}},
		now:   machine.now, load: machine.load,
		shuffle: func(n int, swap func(i, j int)) { swap(0, n-1) },
		total:   99,
	}
	rounds, err := m.run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	once := []string{"b2", "a2", "b1", "a1", "serial"}
	want := slices.Concat([]string{"serial", "a1", "a2", "b1", "b2", "serial"}, once, once, once)
	if !slices.Equal(ran, want) {
		t.Errorf("ran %v, want %v", ran, want)
	}
	if len(progress) != 2*len(want) || progress[len(progress)-2] != len(want) {
		t.Errorf("progress %v", progress)
	}
	r := Summarize(Options{Workers: []int{1, 2}}, []string{"a", "b"}, "serial", 2, rounds)
	got := []float64{}
	for _, s := range r.Series {
		for _, p := range s.Points {
			got = append(got, p.Speedup.Median, p.Efficiency)
		}
	}
	if want := []float64{1, 1, 2, 1, 0.5, 0.5, 1, 0.5}; !slices.Equal(got, want) {
		t.Errorf("speedups and efficiencies %v, want %v", got, want)
	}
}

func TestMeasureWithRealWork(t *testing.T) {
	sum := 0.0
	work := func(int) error {
		for i := range 100_000 {
			sum += math.Sqrt(float64(i))
		}
		return nil
	}
	r, err := Measure(context.Background(), Options{Workers: []int{2, 1}, Rounds: 2}, Case{"loop", work})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rounds) != 2 || r.Serial.Median <= 0 || r.SerialName != "loop, 1 worker" || r.Cores <= 0 ||
		r.Series[0].Points[0].Workers != 2 || sum == 0 {
		t.Errorf("result %+v", r)
	}
}

func TestMeasureRefuses(t *testing.T) {
	ok := Case{"ok", func(int) error { time.Sleep(time.Microsecond); return nil }}
	bad := Case{"bad", func(int) error { return errors.New("no children left") }}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	tests := []struct {
		ctx   context.Context
		opts  Options
		cases []Case
		want  string
	}{
		{context.Background(), Options{}, []Case{ok}, "Options.Workers is empty"},
		{context.Background(), Options{Workers: []int{1, 0}}, []Case{ok}, "Options.Workers contains 0: a number of workers must be at least 1"},
		{context.Background(), Options{Workers: []int{2, 2}}, []Case{ok}, "contains 2 twice"},
		{context.Background(), Options{Workers: []int{1}}, nil, "no case"},
		{context.Background(), Options{Workers: []int{1}}, []Case{{Name: "x"}}, `("x"): its field Run is nil`},
		{context.Background(), Options{Workers: []int{1}}, []Case{ok, bad, ok}, `cases 1 and 3 have the same name, "ok"`},
		{context.Background(), Options{Workers: []int{1}}, []Case{bad}, "bad with 1 worker: no children left"},
		{context.Background(), Options{Workers: []int{1}, Rounds: -1}, []Case{ok}, "Options.Rounds is -1"},
		{context.Background(), Options{Workers: []int{4}}, []Case{ok, bad}, "bad with 4 workers: no children left"},
		{canceled, Options{Workers: []int{1}}, []Case{ok}, "context canceled"},
	}
	for _, tt := range tests {
		r, err := Measure(tt.ctx, tt.opts, tt.cases...)
		if err == nil || !strings.Contains(err.Error(), tt.want) || r != nil {
			t.Errorf("result %v, error %v; want %q in it", r, err, tt.want)
		}
	}
}
