package main

import (
	"os"
	"strings"
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

func TestMain(m *testing.M) {
	mp.Init()
	os.Exit(m.Run())
}

func TestReport(t *testing.T) {
	var b strings.Builder
	report(&b, "calls", []float64{11, 22, 33, 44, 55, 66, 770}, []float64{10, 20, 30, 40, 50, 60, 70})
	if got, want := b.String(), "calls\t1.100\t1.100 to 11.000\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestCalls makes one measurement, with this version in place of the version before.
func TestCalls(t *testing.T) {
	t.Chdir("../..")
	var b strings.Builder
	if err := calls(&b, t.TempDir(), ".", 1, 1); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(b.String()), "\n"); len(lines) != 8 || !strings.HasPrefix(lines[0], "mutex, goroutines: fastest ") {
		t.Errorf("got %s", b.String())
	}
}

func TestMeasureNeedsFigures(t *testing.T) {
	if _, err := measure("/bin/echo", 1, map[string][]float64{}); err == nil || !strings.Contains(err.Error(), "cannot read the time in the line") {
		t.Errorf("a program without figures: %v", err)
	}
}
