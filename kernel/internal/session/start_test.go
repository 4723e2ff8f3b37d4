package session

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/perijove/perijove"
	"github.com/perijove/perijove/kernel/internal/image"
)

var starts = flag.Int("starts", 50, "how many workers to start and end")

// TestStart starts workers beside each other: what happens at start, hooks and
// the module list among it, must not race with the runtime.
func TestStart(t *testing.T) {
	img, err := image.Open(t.Context(), image.Options{Source: perijove.Source})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for i := range *starts {
				p, err := startProcess(t.Context(), []string{img.Worker(), img.Dir}, t.TempDir(), t.TempDir(), nil, limit{}, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatalf("start %d: %v", i, err)
				}
				p.kill()
			}
		})
	}
}

// TestStartWithFewFiles: wherever files run out, a worker that cannot be started
// leaves none open.
func TestStartWithFewFiles(t *testing.T) {
	img, err := image.Open(t.Context(), image.Options{Source: perijove.Source})
	if err != nil {
		t.Fatal(err)
	}
	var usual unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &usual); err != nil {
		t.Fatal(err)
	}
	dir, fifos, log := t.TempDir(), t.TempDir(), slog.New(slog.DiscardHandler)
	failures := 0
	for free := 0; ; free++ {
		before := countFDs(t)
		few := usual
		few.Cur = limitFor(free)
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
			t.Fatal(err)
		}
		p, err := startProcess(t.Context(), []string{img.Worker(), img.Dir}, dir, fifos, nil, limit{}, log)
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &usual); err != nil {
			t.Fatal(err)
		}
		if err == nil {
			p.kill()
			break
		}
		failures++
		eventually(t, fmt.Sprintf("as many open files as before the failure with %d: %v", free, err), func() bool { return countFDs(t) <= before })
	}
	if failures < 5 {
		t.Errorf("only %d failures", failures)
	}
}

// limitFor is the limit of open files with which so many more can be opened.
func limitFor(free int) uint64 {
	n := uint64(0)
	for ; free > 0; n++ {
		if _, err := os.Lstat(fmt.Sprint("/proc/self/fd/", n)); err != nil {
			free--
		}
	}
	return n
}
