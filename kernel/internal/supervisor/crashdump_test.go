package supervisor

import (
	"slices"
	"strings"
	"testing"
)

const overflow = "runtime: goroutine stack exceeds 1000000000-byte limit\nfatal error: stack overflow\n\n" +
	"goroutine 7 [running]:\nmain.f(0x1)\n\tCell [2]:1 +0x5\nmain.f(0x2)\n\tCell [2]:1 +0x5\nmain.cell.3()\n\tCell [3]:4 +0x1\n" +
	"created by main.start in goroutine 1\n\t/src/worker.go:9 +0x2\n"

func TestCrashDump(t *testing.T) {
	var d CrashDump
	show, holding := d.split([]byte("printed before\n" + overflow))
	if string(show) != "printed before\n" || !holding {
		t.Fatalf("shown: %q, holding: %v", show, holding)
	}
	if show, holding := d.split([]byte("more\n")); len(show) > 0 || !holding {
		t.Errorf("what follows is shown: %q", show)
	}
	if got := d.timeout(); got != crashTimeout {
		t.Errorf("timeout %v, want %v", got, crashTimeout)
	}
	if got := d.Cause(); !strings.Contains(got, "the stack overflowed") {
		t.Errorf("cause %q", got)
	}
	if got := d.Cells(); !slices.Equal(got, []int{3}) {
		t.Errorf("cells %v, want 3", got)
	}
	var calls []string
	for _, f := range d.Frames(false) {
		calls = append(calls, f.Func)
	}
	if want := []string{"main.f", "main.cell.3"}; !slices.Equal(calls, want) {
		t.Errorf("calls %q, want %q", calls, want)
	}
	if got := len(d.Frames(true)); got != 3 {
		t.Errorf("%d calls in all, want 3", got)
	}
}

// TestNoCrash: text that only looks like a crash is shown as it is.
func TestNoCrash(t *testing.T) {
	var d CrashDump
	if show, holding := d.split([]byte("no panic here\n")); string(show) != "no panic here\n" || holding {
		t.Errorf("%q, %v", show, holding)
	}
	text := "panic: said the user\n"
	if show, holding := d.split([]byte(text)); len(show) > 0 || !holding {
		t.Errorf("%q, %v", show, holding)
	}
	if got := d.timeout(); got != maybeCrashTimeout {
		t.Errorf("timeout %v, want %v", got, maybeCrashTimeout)
	}
	if got := string(d.release()); got != text {
		t.Errorf("released %q", got)
	}
}

// TestCrashOfChild: the crash dump of a child process is shortened.
func TestCrashOfChild(t *testing.T) {
	var d CrashDump
	d.split([]byte(overflow + "printed meanwhile\n"))
	got := string(d.release())
	for _, want := range []string{"(in a child process)\n", "Cell [2] line 1, in f\n", "printed meanwhile\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %q", want, got)
		}
	}
	if strings.Contains(got, "goroutine 7") {
		t.Errorf("the stacks are shown: %q", got)
	}
}

func TestFindDump(t *testing.T) {
	for _, test := range []struct {
		text      string
		at        int
		isCertain bool
	}{
		{"", -1, false},
		{"\n\n", -1, false},
		{"fatal error: all goroutines are asleep", 0, true},
		{"a fatal error: x\n fatal error: x\n", -1, false},
		{"one\ntwo\nruntime: out of memory: x", 8, true},
		{"runtime: program exceeds 1-thread limit", 0, true},
		{"unexpected fault address 0x1\npanic: x", 0, true},
		{"\npanic: x\nfatal error: x", 1, false},
		{"SIGSEGV: segmentation violation", 0, false},
		{"SIG: x\nSIGa: x\nSIGNAL\nSIGQUIT:x", -1, false},
		{"panic:\nruntime: x\nfatal\nu", -1, false},
	} {
		if at, isCertain := findDump([]byte(test.text)); at != test.at || isCertain != test.isCertain {
			t.Errorf("%q: at %d, certain: %v, want %d, %v", test.text, at, isCertain, test.at, test.isCertain)
		}
	}
}
