package program

import (
	"errors"
	"testing"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// TestCompilerErrors: an error that only the compiler finds has a position in the
// cell, and the next cell compiles.
func TestCompilerErrors(t *testing.T) {
	for _, prepared := range []bool{false, true} {
		p := newProgram(t, func(cfg *Config) { cfg.KeepSources = false })
		t.Cleanup(p.Compiler.Close)
		if prepared {
			p.Compiler.Prepare()
		}
		_, err := buildText(t.Context(), p, 1, "func large() [1 << 31]byte { return [1 << 31]byte{} }\nfunc f() byte { a := large(); return a[5] }")
		var errs cell.Errors
		if !errors.As(err, &errs) || errs[0].Pos.Line != 1 {
			t.Errorf("prepared %v: %v", prepared, err)
		}
		if _, err := buildText(t.Context(), p, 2, "x := 1"); err != nil {
			t.Errorf("prepared %v: %v", prepared, err)
		}
	}
}
