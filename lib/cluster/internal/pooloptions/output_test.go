package pooloptions

import (
	"context"
	"runtime/pprof"
	"testing"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/mpremote"
)

// Package runtime keeps this function available for linkname.
//
//go:linkname profLabel runtime/pprof.runtime_getProfLabel
func profLabel() unsafe.Pointer

// labelWriter records the profiler labels of the goroutine that writes to it.
type labelWriter struct {
	text   string
	labels unsafe.Pointer
}

func (w *labelWriter) Write(b []byte) (int, error) {
	w.text += string(b)
	w.labels = profLabel()
	return len(b), nil
}

// TestOutputHasNoLabels checks that a writer is called without the profiler labels of the
// goroutine that receives the output, and that this goroutine keeps them.
func TestOutputHasNoLabels(t *testing.T) {
	pprof.Do(context.Background(), pprof.Labels("cell", "1"), func(context.Context) {
		before := profLabel()
		if before == nil {
			t.Fatal("the test has no labels")
		}
		stdout := &labelWriter{labels: before}
		stderr := &labelWriter{labels: before}
		o := NewOutput(&mpremote.PoolOptions{Stdout: stdout, Stderr: stderr})
		o.Write([]byte("a"), []byte("b"))
		o.Write(nil, nil)
		if stdout.text != "a" || stderr.text != "b" || o.Err() != nil {
			t.Errorf("wrote %q and %q, error %v", stdout.text, stderr.text, o.Err())
		}
		if stdout.labels != nil || stderr.labels != nil {
			t.Error("a writer was called with the labels of the receiving goroutine")
		}
		if profLabel() != before {
			t.Error("the receiving goroutine has lost its labels")
		}
	})
}
