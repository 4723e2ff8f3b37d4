package speedup

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/perijove/perijove/internal/procfs"
	"github.com/perijove/perijove/lib/internal/cgroup"
	"github.com/perijove/perijove/lib/progresshost"
)

// A Case is one way to do the work. Measure compares several Cases.
type Case struct {
	Name string // name in the table and the chart; the cases of a measurement must have different names
	// Run does all of the work with the given number of workers, and returns
	// when it is done. The total work must not depend on workers, unless
	// Options.Work says how it grows with them.
	Run func(workers int) error
}

// Options are the options of a measurement. Workers must be set.
type Options struct {
	Workers []int // worker counts to measure, each at least 1, without duplicates
	Rounds  int   // number of rounds; 0 means 7; with fewer than 6, results have ranges instead of 95 % intervals

	// Serial does the work without any workers: it is the baseline. If it is nil, the baseline
	// is the first case with one worker.
	Serial func() error

	// Work, if set, says that the work grows with the workers: Run(n) does
	// Work(n) times as much as Serial, and the speedup is Work(n) times the
	// baseline's time divided by the time of Run(n). If 25 % of the work is done once
	// and the rest once for each worker, Work(n) is 0.25 + 0.75*n.
	Work func(workers int) float64

	// Record, if set, records one more run of each case with each number of workers, after
	// the rounds: see package speedup/timelines.
	Record Recorder

	// Progress, if set, is called after each run with the number of runs done and
	// the total number of runs.
	Progress func(done, total int)
}

const defaultRounds = 7

// Measure runs the cases and returns the result. It begins with a warm-up: it runs the
// baseline, and every case with every worker count, once. A case can start workers in
// the warm-up and keep them. Measure fails with the first error of a run. It checks ctx
// before each run; if ctx is done, Measure fails with the cause of ctx.
func Measure(ctx context.Context, opts Options, cases ...Case) (*Result, error) {
	if err := checkOptions(&opts, cases); err != nil {
		return nil, err
	}
	m := measurement{opts: opts, cases: cases, now: time.Now, load: func() procfs.Load { return procfs.ReadLoad(os.DirFS("/")) }, shuffle: rand.Shuffle}
	m.total = 1 + len(cases)*len(opts.Workers) + 1 + opts.Rounds*(1+len(cases)*len(opts.Workers))
	if opts.Record != nil {
		m.total += len(cases) * len(opts.Workers)
	}
	if opts.Progress == nil {
		defer progresshost.Begin(progresshost.Task{What: "runs", Count: func() (int, int) { return int(m.doneNow.Load()), m.total }})()
	}
	rounds, err := m.run(ctx)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(cases))
	for i, c := range cases {
		names[i] = c.Name
	}
	r := Summarize(opts, names, m.serialName(), usableCores(), rounds)
	if opts.Record != nil {
		err = m.record(ctx, r)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// usableCores returns the number of cores that this process may use, by its affinity
// mask and the CPU quotas of its control groups. It need not be a whole number.
func usableCores() float64 { return min(float64(runtime.NumCPU()), cgroup.CPU(os.DirFS("/"))) }

func checkOptions(opts *Options, cases []Case) error {
	if len(opts.Workers) == 0 {
		return errors.New("speedup: Options.Workers is empty: set it to the numbers of workers to measure, such as []int{1, 2, 4}")
	}
	for i, w := range opts.Workers {
		if w < 1 {
			return fmt.Errorf("speedup: Options.Workers contains %d: a number of workers must be at least 1", w)
		}
		if slices.Contains(opts.Workers[:i], w) {
			return fmt.Errorf("speedup: Options.Workers contains %d twice: give each number of workers once", w)
		}
	}
	if opts.Work != nil {
		for _, w := range opts.Workers {
			if x := opts.Work(w); !(x > 0) || math.IsInf(x, 1) {
				return fmt.Errorf("speedup: Options.Work(%d) returns %v: the amount of work must be positive and finite", w, x)
			}
		}
	}
	if len(cases) == 0 {
		return errors.New("speedup: there is no case to measure: pass at least one Case")
	}
	for i, c := range cases {
		if c.Run == nil {
			return fmt.Errorf("speedup: cannot measure case %d (%q): its field Run is nil", i+1, c.Name)
		}
		same := func(other Case) bool { return other.Name == c.Name }
		if first := slices.IndexFunc(cases, same); first < i {
			return fmt.Errorf("speedup: cases %d and %d have the same name, %q: the table and the chart show cases by name, so each case needs its own name", first+1, i+1, c.Name)
		}
	}
	if opts.Rounds < 0 {
		return fmt.Errorf("speedup: Options.Rounds is %d: the number of rounds must not be negative", opts.Rounds)
	}
	if opts.Rounds == 0 {
		opts.Rounds = defaultRounds
	}
	return nil
}

// A Round is one pass over all cases and worker counts.
type Round struct {
	Before, After time.Duration     // times of the two runs of the baseline, before and after the cases
	Times         [][]time.Duration // Times[c][w] is the time of case c with Options.Workers[w]
	Foreign       float64           // mean number of cores that other programs used; NaN if it is not known
}

type measurement struct {
	opts  Options
	cases []Case

	now     func() time.Time
	load    func() procfs.Load
	shuffle func(n int, swap func(i, j int))

	done, total int
	doneNow     atomic.Int64 // the value of done, which a host reads concurrently
}

func (m *measurement) serialName() string {
	if m.opts.Serial != nil {
		return "serial"
	}
	return m.cases[0].Name + ", 1 worker"
}

func (m *measurement) run(ctx context.Context) ([]Round, error) {
	if err := m.warmUp(ctx); err != nil {
		return nil, err
	}
	baseline, err := m.measureSerial(ctx)
	if err != nil {
		return nil, err
	}
	rounds := make([]Round, m.opts.Rounds)
	for i := range rounds {
		rounds[i], err = m.round(ctx, baseline)
		if err != nil {
			return nil, err
		}
		baseline = rounds[i].After
	}
	return rounds, nil
}

func (m *measurement) warmUp(ctx context.Context) error {
	if _, err := m.measureSerial(ctx); err != nil {
		return err
	}
	for i := range m.cases {
		for _, w := range m.opts.Workers {
			if _, err := m.measureCase(ctx, i, w); err != nil {
				return err
			}
		}
	}
	return nil
}

// round measures all cases with all worker counts once, then the baseline. That
// baseline is also the one before the next round.
func (m *measurement) round(ctx context.Context, before time.Duration) (Round, error) {
	r := Round{Before: before, Times: make([][]time.Duration, len(m.cases))}
	type run struct{ c, w int }
	var order []run
	for c := range m.cases {
		r.Times[c] = make([]time.Duration, len(m.opts.Workers))
		for w := range m.opts.Workers {
			order = append(order, run{c, w})
		}
	}
	m.shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	start := m.load()
	for _, o := range order {
		d, err := m.measureCase(ctx, o.c, m.opts.Workers[o.w])
		if err != nil {
			return r, err
		}
		r.Times[o.c][o.w] = d
	}
	after, err := m.measureSerial(ctx)
	if err != nil {
		return r, err
	}
	r.After = after
	r.Foreign = procfs.ForeignCores(start, m.load())
	return r, nil
}

func (m *measurement) measureSerial(ctx context.Context) (time.Duration, error) {
	if m.opts.Serial == nil {
		return m.measureCase(ctx, 0, 1)
	}
	return m.measureTime(ctx, "the serial baseline", m.opts.Serial)
}

func (m *measurement) measureCase(ctx context.Context, c, workers int) (time.Duration, error) {
	what := m.cases[c].Name + " with " + countText(float64(workers), "worker")
	return m.measureTime(ctx, what, func() error { return m.cases[c].Run(workers) })
}

func (m *measurement) measureTime(ctx context.Context, what string, f func() error) (time.Duration, error) {
	if err := context.Cause(ctx); err != nil {
		return 0, fmt.Errorf("speedup: the measurement stopped before %s: %w", what, err)
	}
	start := m.now()
	err := f()
	d := m.now().Sub(start)
	if err != nil {
		return 0, fmt.Errorf("speedup: cannot measure %s: %w", what, err)
	}
	if d <= 0 {
		return 0, fmt.Errorf("speedup: cannot measure %s: the run took no measurable time; give it more work", what)
	}
	m.done++
	m.doneNow.Store(int64(m.done))
	if m.opts.Progress != nil {
		m.opts.Progress(m.done, m.total)
	}
	return d, nil
}
