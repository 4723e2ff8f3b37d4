package program

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// BenchmarkHello measures the build of a small cell: the total time, and the time without the compiler.
func BenchmarkHello(b *testing.B) { benchCell(b, 0, `fmt.Println("hi", 1)`) }

// BenchmarkHello200 measures the same as BenchmarkHello, in a notebook with 200 cells of declarations.
func BenchmarkHello200(b *testing.B) { benchCell(b, 200, `fmt.Println("hi", f7(1))`) }

// BenchmarkMistake measures the time from a cell with a type error to its error message.
func BenchmarkMistake(b *testing.B) {
	p := declared(b, 200)
	for i := 0; b.Loop(); i++ {
		_, err := buildText(context.Background(), p, 1000+i, `fmt.Println("hi", f7("a"))`)
		var errs cell.Errors
		if !errors.As(err, &errs) {
			b.Fatal(err)
		}
	}
}

func benchCell(b *testing.B, cells int, src string) {
	p := declared(b, cells)
	var own time.Duration
	for i := 0; b.Loop(); i++ {
		u, err := buildText(context.Background(), p, 1000+i, src)
		if err != nil {
			b.Fatal(err)
		}
		p.Commit(u)
		own += u.Timing.Total - u.Timing.Compile
	}
	b.ReportMetric(float64(own.Microseconds())/float64(b.N), "own-µs/op")
}

// declared returns a program with n executed cells of declarations.
func declared(b *testing.B, n int) *Program {
	p := newProgram(b, func(cfg *Config) { cfg.KeepSources = false })
	for i := 1; i <= n; i++ {
		src := fmt.Sprintf(`type T%d struct{ a, b int; next *T%d }
func (t *T%d) Sum() int { return t.a + t.b }
func f%d(n int) int { t := T%d{a: n}; for i := range n { t.b += i }; return t.Sum() }
var v%d = T%d{a: f%d(3)}
`, i, max(i-i%10, 1), i, i, i, i, i, i)
		u, err := buildText(context.Background(), p, i, src)
		if err != nil {
			b.Fatal(err)
		}
		p.Commit(u)
	}
	if files, _ := filepath.Glob(p.cfg.Dir + "/*/*.go"); len(files) > 0 {
		b.Fatal("sources were left")
	}
	return p
}
