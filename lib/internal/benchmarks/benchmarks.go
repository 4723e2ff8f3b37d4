// Package benchmarks runs the benchmarks of %%bench of the kernel with package testing. Generated code of cells calls
// its functions.
package benchmarks

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/perijove/perijove/lib/mp/mphost"
)

// CellName is the name of the benchmark that Cell runs.
const CellName = "BenchmarkCell"

// A Start calls testing.MainStart with benchmarks and returns its result. Generated code provides it, because MainStart
// needs a value of package testing/internal/testdeps, which this package cannot import.
type Start func([]testing.InternalBenchmark) *testing.M

// Cell runs one benchmark, whose results are written to the file report in the format of package testing. It calls
// body in the calling goroutine, so that stopping this goroutine stops the benchmark.
func Cell(report string, start Start, body func(*testing.B)) {
	requests, answers := make(chan *testing.B), make(chan struct{})
	stopped, result := make(chan struct{}), make(chan int, 1)
	r := begin(report)
	code := 0
	ended := false
	defer func() {
		if !ended {
			close(stopped)
			<-result // does not wait long: the benchmark fails at once
		}
		r.exit(code)
	}()
	go func() {
		result <- start([]testing.InternalBenchmark{{Name: CellName, F: func(b *testing.B) {
			defer r.use()()
			select {
			case requests <- b:
			case <-stopped:
				b.FailNow()
			}
			select {
			case <-answers:
			case <-stopped:
				b.FailNow()
			}
		}}}).Run()
	}()
	for !ended {
		select {
		case b := <-requests:
			body(b)
			answers <- struct{}{}
		case code = <-result:
			ended = true
		}
	}
}

// Functions runs benchmarks like Cell, but not in the calling goroutine, since a benchmark may end its goroutine. If
// the cell is interrupted, Functions returns, and no further benchmark begins.
func Functions(report string, start Start, list []testing.InternalBenchmark) {
	ctx, release := mphost.WithCancel(context.Background())
	defer release()
	r := begin(report)
	list = slices.Clone(list)
	for i, f := range list {
		list[i].F = func(b *testing.B) {
			defer r.use()()
			defer func() {
				if ctx.Err() != nil {
					select {} // the goroutine that waits for this one would print FAIL into the output of another cell
				}
			}()
			f.F(b)
		}
	}
	result := make(chan int, 1)
	go func() { result <- start(list).Run() }()
	select {
	case code := <-result:
		r.exit(code)
	case <-ctx.Done():
		r.exit(0)
	}
}

// A redirection makes package testing write its results to a file, but not the output of
// benchmarks.
type redirection struct {
	stdout, file *os.File

	mu    sync.Mutex // guards ended and os.Stdout
	ended bool
}

// begin redirects standard output. Package testing keeps the redirected file, and writes its
// results to it.
func begin(report string) *redirection {
	f, err := os.Create(report)
	if err != nil {
		panic(fmt.Errorf("cannot make the file for the results of the benchmarks: %w", err))
	}
	runtime.GC() // do not measure the collection of earlier cells' garbage
	r := &redirection{stdout: os.Stdout, file: f}
	r.set(f)
	return r
}

func (r *redirection) set(f *os.File) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		os.Stdout = f
	}
}

// use restores standard output while a benchmark runs.
func (r *redirection) use() (end func()) {
	r.set(r.stdout)
	return func() { r.set(r.file) }
}

// exit ends the redirection, and the process, or the cell, if a benchmark has failed.
func (r *redirection) exit(code int) {
	r.set(r.stdout)
	r.mu.Lock()
	r.ended = true
	r.mu.Unlock()
	r.file.Close()
	if code != 0 {
		os.Exit(code)
	}
}
