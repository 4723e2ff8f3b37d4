package worker

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAgain: if the addresses for loaded code are in use, the worker process executes its program again with the same
// arguments, at most five times. It does not do so for other errors.
func TestAgain(t *testing.T) {
	t.Setenv(attemptsVariable, "")
	began := 0
	exec := func(path string, args, env []string) error {
		began++
		if path != "/proc/self/exe" || !slices.Equal(args, os.Args) || !slices.Contains(env, attemptsVariable+"="+os.Getenv(attemptsVariable)) {
			t.Errorf("%s %q", path, args)
		}
		return errors.New("not really")
	}
	reexec(errors.New("mmap: cannot allocate memory"), exec)
	if began != 0 {
		t.Error("began anew for a fault that stays")
	}
	taken := fmt.Errorf("mmap of 128 MB at 0x50000000: %w", unix.EEXIST)
	for range 10 {
		reexec(taken, exec)
	}
	if began != 5 {
		t.Errorf("began %d times", began)
	}
}
