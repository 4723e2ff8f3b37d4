package a

import (
	"context"

	"github.com/perijove/perijove/lib/mp"
)

var (
	X      int
	limits = map[string]int{}
	fixed  = 3
	set    int
	own    int
)

func init() { set = 5 }

func access(string) { _ = X }

func indirect(s string) { access(s) }

func bounded(n int) int { return limits["a"] + n }

func constant(n int) int { return fixed + set + n }

func private(n int) int { own = n; own++; return own }

func generic[T any](T) { _ = X }

func change() {
	X = 1
	limits["a"]++
}

func send(ctx context.Context) {
	mp.Start(ctx, mp.Processes, access, "")       // want `access is sent to a process and reads X \(changed in line 32\)`
	mp.Start(ctx, mp.Processes, indirect, "")     // want `indirect is sent to a process and reads X`
	mp.Start(ctx, mp.Processes, generic[int], 1)  // want `generic is sent to a process and reads X`
	mp.Start(ctx, mp.Goroutines, access, "")      // shared
	mp.Go[int](ctx, mp.Processes, constant, 1)    // never changed after init
	mp.Go[int](ctx, mp.Processes, private, 1)     // changed by itself alone
	mp.Go[int](ctx, (mp.Processes), (bounded), 1) // want `bounded is sent to a process and reads limits`
	pool, _ := mp.NewPool(mp.Processes)
	mp.Map[int](ctx, pool, bounded, nil) // want `bounded is sent to a process and reads limits`
}

var (
	config   string
	level    int
	late     int
	prepared int
)

func setup() { level = 2 }

func main() {
	config = "file" // in children, too
	setup()
	mp.Init()
	late = 1
	ctx := context.Background()
	mp.Start(ctx, mp.Processes, configured, 1)
	mp.Start(ctx, mp.Processes, tooLate, 1) // want `tooLate is sent to a process and reads late \(changed in line`
	mp.Initializer(prepare, 3)
	mp.Start(ctx, mp.Processes, usePrepared, 1)
	mp.Start(ctx, mp.Processes, func(int) { _ = late }, 1) // want `the function is sent to a process and reads late`
	mp.Start(ctx, mp.Processes, func(int) { own = 3; _ = own }, 1)
	mp.Start(ctx, mp.Processes, func(int) { tooLate(3) }, 1) // want `the function is sent to a process and reads late`
}

func configured(int)  { _, _ = config, level }
func tooLate(int)     { _ = late }
func prepare(n int)   { prepared = n }
func usePrepared(int) { _ = prepared }
