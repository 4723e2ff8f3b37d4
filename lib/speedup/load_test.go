package speedup

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestBusyTicksLeaveIdleOut(t *testing.T) {
	got, ok := busyTicks([]byte("cpu  1 2 4 1000 2000 8 16 32 64 0\ncpu0 9 9\n"))
	if !ok || got != 1+2+4+8+16+32 {
		t.Errorf("got %v, %v", got, ok)
	}
	if _, ok := busyTicks([]byte("cpu x")); ok {
		t.Error("nonsense was read")
	}
}

func TestOwnTicksFollowDescendants(t *testing.T) {
	proc := t.TempDir()
	stat := func(pid, parent, utime int) {
		write(t, filepath.Join(proc, fmt.Sprint(pid), "stat"),
			fmt.Sprintf("%d (a ) b) S %d 0 0 0 0 0 0 0 0 0 %d 1 10 100 0 0", pid, parent, utime))
	}
	stat(1, 0, 7000)
	stat(50, 1, 1000)
	stat(51, 50, 2000) // a child
	stat(52, 51, 4000) // its child
	stat(60, 1, 8000)  // a stranger
	if got := ownTicks(proc, 50); got != 7000+3*111 {
		t.Errorf("own ticks %v, want %v", got, 7000+3*111)
	}
}

func TestForeign(t *testing.T) {
	at := time.Unix(0, 0)
	start, end := load{at, 1000, 100}, load{at.Add(2 * time.Second), 1350, 250}
	if got := foreign(start, end, true); got != 1 {
		t.Errorf("foreign load of %v cores, want 1", got)
	}
	if got := foreign(start, load{at.Add(time.Second), 1001, 200}, true); got != 0 {
		t.Errorf("rounding of ticks gives %v, want 0", got)
	}
	if got := foreign(start, end, false); !math.IsNaN(got) {
		t.Errorf("unknown load is %v", got)
	}
}
