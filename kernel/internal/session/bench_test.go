package session

import (
	"testing"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/sinks"
)

// BenchmarkHello executes a cell in the session, without Jupyter.
func BenchmarkHello(b *testing.B) {
	s := newTestSession(b)
	for b.Loop() {
		if r := s.Execute(b.Context(), output.Request{Code: `fmt.Println("hello")`, StoreHistory: true}, sinks.Discard{}); r.Error != nil {
			b.Fatal(r.Error)
		}
	}
}

// BenchmarkBuild measures the kernel's part of a cell, including the compiler, and reports the compiler's time
// separately.
func BenchmarkBuild(b *testing.B) {
	s := newTestSession(b)
	var compile float64
	for b.Loop() {
		u, err := s.program.Load().Build(b.Context(), hello())
		if err != nil {
			b.Fatal(err)
		}
		compile += u.Timing.Compile.Seconds() * 1000
	}
	b.ReportMetric(compile/float64(b.N), "compile-ms/op")
}

// BenchmarkLoad measures the worker process's part of a cell.
func BenchmarkLoad(b *testing.B) {
	s := newTestSession(b)
	u, err := s.program.Load().Build(b.Context(), hello())
	if err != nil {
		b.Fatal(err)
	}
	w, err := s.ensureWorker(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := w.Run(b.Context(), control.Run{Object: u.Object, Fresh: u.Fresh, Entry: u.Entry, Init: u.Init}, sinks.Discard{}, func(_, _ []string) {}); err != nil {
			b.Fatal(err)
		}
	}
}

func hello() *cell.Cell {
	c, _ := cell.Parse(1, `fmt.Println("hello")`)
	return c
}
