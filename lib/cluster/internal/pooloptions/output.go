package pooloptions

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"sync"

	"github.com/perijove/perijove/lib/mp/mpremote"
)

// An Output writes the output of a pool's tasks to the writers of its options Stdout and
// Stderr, one piece at a time. After a failed write it writes nothing more to either.
type Output struct {
	mu  sync.Mutex
	err error

	Stdout, Stderr io.Writer // nil for standard output and standard error of this process
}

// NewOutput returns the Output of a pool.
func NewOutput(o *mpremote.PoolOptions) *Output {
	out := &Output{}
	if o.Stdout != nil {
		out.Stdout = &part{out, o.Stdout}
	}
	if o.Stderr != nil {
		out.Stderr = &part{out, o.Stderr}
	}
	return out
}

// Write writes pieces of standard output and standard error. It writes in a goroutine without
// profiler labels and waits for it: a notebook assigns the output of a goroutine without labels
// to the running cell. The caller has the labels of the cell that made the pool.
func (o *Output) Write(stdout, stderr []byte) {
	if len(stdout)+len(stderr) == 0 {
		return
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		pprof.SetGoroutineLabels(context.Background())
		write(o.Stdout, os.Stdout, stdout)
		write(o.Stderr, os.Stderr, stderr)
	}()
	<-written
}

func write(w io.Writer, other *os.File, b []byte) {
	if w == nil {
		w = other
	}
	if len(b) > 0 {
		_, _ = w.Write(b) // Err returns the error
	}
}

// Err returns the error of the first failed write to a writer of the options.
func (o *Output) Err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

type part struct {
	o *Output
	w io.Writer
}

func (p *part) Write(b []byte) (n int, err error) {
	p.o.mu.Lock()
	defer p.o.mu.Unlock()
	if p.o.err != nil {
		return len(b), nil
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("mp: the writer of the option Stdout or Stderr panicked: %v", v)
		}
		if err == nil && n < len(b) {
			err = io.ErrShortWrite
		}
		if err != nil {
			p.o.err = errors.Join(p.o.err, fmt.Errorf("mp: cannot write a child's output: %w", err))
			n, err = len(b), nil // the tasks go on
		}
	}()
	return p.w.Write(b)
}
