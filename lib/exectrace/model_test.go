package exectrace_test

import (
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/exectrace"
)

// TestShortProcess checks that UsedCores returns at most the number of cores.
func TestShortProcess(t *testing.T) {
	for _, tt := range []struct {
		used time.Duration
		ok   bool
	}{{0, false}, {time.Millisecond, true}, {2 * time.Millisecond, true}, {16 * time.Millisecond, false}} {
		p := &exectrace.Process{End: time.Millisecond, CPU: []exectrace.Sample{{}, {At: time.Millisecond, Used: tt.used}}}
		if used, ok := p.UsedCores(2); ok != tt.ok {
			t.Errorf("%v in 1 ms on 2 cores: %v cores, %v; want %v", tt.used, used, ok, tt.ok)
		}
		text := (&exectrace.Trace{Cores: 2, Length: time.Millisecond, Processes: []*exectrace.Process{p}}).String()
		if strings.Contains(text, " of processor time, ") != tt.ok {
			t.Errorf("%v: %s", tt.used, text)
		}
	}
}
