package compiler

import (
	"errors"
	"slices"
	"testing"
)

// TestMemoryLimit: if the compiler reaches its memory limit, Compile fails without another
// attempt, and the next unit compiles.
func TestMemoryLimit(t *testing.T) {
	for _, standby := range []bool{false, true} {
		c := newCompiler(t, func(cfg *Config) { cfg.Memory = func() int64 { return 1 } })
		for range 2 {
			if standby {
				c.Prepare()
			}
			// The compiler allocates the whole array, since its last element has a value.
			if _, err := c.Compile(t.Context(), unit("var big = [100_000_000]int{99_999_999: 1}")); !errors.Is(err, ErrMemory) {
				t.Errorf("standby %v: %v", standby, err)
			}
			if pid := c.PID(); pid != 0 {
				t.Errorf("process %d counts as working", pid)
			}
			if _, err := c.Compile(t.Context(), unit("import \"net/http\"\nvar small = http.StatusText(200)")); err != nil {
				t.Errorf("standby %v, with little memory: %v", standby, err)
			}
		}
	}
}

// TestStop ends the process that compiles, with a reason.
func TestStop(t *testing.T) {
	reason := errors.New("enough")
	for _, standby := range []bool{false, true} {
		var c *Compiler
		stop := func() bool { // called when a compiler has its sources
			c.Stop(reason)
			return false
		}
		c = newCompiler(t, func(cfg *Config) { cfg.Next = stop })
		if standby {
			c.Prepare()
		}
		if _, err := c.Compile(t.Context(), unit("import \"net/http\"\nvar x = http.Get")); !errors.Is(err, reason) {
			t.Errorf("standby %v: %v", standby, err)
		}
		c.Stop(reason) // nothing is compiling
	}
}

func TestCollectorEnv(t *testing.T) {
	for limit, want := range map[int64]string{0: "GOMEMLIMIT=2147483648", 1 << 40: "GOMEMLIMIT=2147483648", 1 << 30: "GOMEMLIMIT=536870912"} {
		if got := collectorEnv(limit); !slices.Equal(got, []string{"GOGC=off", want}) {
			t.Errorf("with a limit of %d: %q, want %s", limit, got, want)
		}
	}
}
