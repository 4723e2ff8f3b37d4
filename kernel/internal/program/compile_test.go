package program

import (
	"errors"
	"testing"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// TestCompilerErrors: what only the compiler refuses is told with the cell's
// position, and the next cell is not harmed.
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
