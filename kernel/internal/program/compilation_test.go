package program

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
)

// TestMemoryLimit: a compiler that is refused memory fails the Build, and is not
// started again; the next one is not harmed.
func TestMemoryLimit(t *testing.T) {
	tc := listStd()
	if tc.err != nil {
		t.Fatal(tc.err)
	}
	for _, ahead := range []bool{false, true} {
		p := New(Config{Compile: filepath.Join(tc.tool, "compile"), Dir: t.TempDir(), Importer: tc.imp, Memory: func() int64 { return 1 }})
		defer p.Close()
		for range 2 {
			if ahead {
				p.Prepare()
			}
			// The compiler makes an array whose last element is given in its memory.
			if _, err := buildText(t.Context(), p, 1, "var big = [100_000_000]int{99_999_999: 1}"); !errors.Is(err, ErrMemory) {
				t.Errorf("ahead %v: %v", ahead, err)
			}
			if pid := p.CompilerPID(); pid != 0 {
				t.Errorf("process %d counts as working", pid)
			}
			if _, err := buildText(t.Context(), p, 2, "import \"net/http\"\nvar small = http.StatusText(200)"); err != nil {
				t.Errorf("ahead %v, with little memory: %v", ahead, err)
			}
		}
	}
}

// TestStopCompiler ends the compiler that works, with a reason.
func TestStopCompiler(t *testing.T) {
	tc := listStd()
	if tc.err != nil {
		t.Fatal(tc.err)
	}
	reason := errors.New("enough")
	for _, ahead := range []bool{false, true} {
		var p *Program
		stop := func() bool { // called when a compiler has its sources
			p.StopCompiler(reason)
			return false
		}
		p = New(Config{Compile: filepath.Join(tc.tool, "compile"), Dir: t.TempDir(), Importer: tc.imp, Next: stop})
		defer p.Close()
		if ahead {
			p.Prepare()
		}
		if _, err := buildText(t.Context(), p, 1, "import \"net/http\"\nvar x = http.Get"); !errors.Is(err, reason) {
			t.Errorf("ahead %v: %v", ahead, err)
		}
		p.StopCompiler(reason) // nothing works
	}
}

func TestCollectorEnv(t *testing.T) {
	for limit, want := range map[int64]string{0: "GOMEMLIMIT=2147483648", 1 << 40: "GOMEMLIMIT=2147483648", 1 << 30: "GOMEMLIMIT=536870912"} {
		if got := collectorEnv(limit); !slices.Equal(got, []string{"GOGC=off", want}) {
			t.Errorf("with a limit of %d: %q, want %s", limit, got, want)
		}
	}
}
