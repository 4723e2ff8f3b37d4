package supervisor

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/perijove/perijove"
	"github.com/perijove/perijove/kernel/internal/image"
	"golang.org/x/sys/unix"
)

var starts = flag.Int("starts", 50, "how many workers to start and end")

// nullExtension is an extension that ignores what it receives.
type nullExtension struct{}

func (nullExtension) Receive([]byte)                   {}
func (nullExtension) TakePrompt() (string, bool, bool) { return "", false, false }
func (nullExtension) Close()                           {}

func testOptions(t *testing.T, img *image.Image) Options {
	return Options{
		Command: []string{img.Worker(), img.Dir}, Dir: t.TempDir(), PipeDir: t.TempDir(), Log: slog.New(slog.DiscardHandler),
		Extension: func(*Worker, io.Writer) Extension { return nullExtension{} },
	}
}

// TestStart starts worker processes concurrently: the changes that such a process makes to the runtime at its start,
// such as hooks and the module list, must not race with the runtime.
func TestStart(t *testing.T) {
	img, err := image.Open(t.Context(), image.Options{Source: perijove.Source})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for i := range *starts {
				w, err := Start(t.Context(), testOptions(t, img))
				if err != nil {
					t.Fatalf("start %d: %v", i, err)
				}
				w.Kill()
			}
		})
	}
}

// TestStartWithFewFiles limits the number of open files so that the start of a worker process fails at each of its
// steps: no file stays open.
func TestStartWithFewFiles(t *testing.T) {
	img, err := image.Open(t.Context(), image.Options{Source: perijove.Source})
	if err != nil {
		t.Fatal(err)
	}
	var usual unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &usual); err != nil {
		t.Fatal(err)
	}
	opt := testOptions(t, img)
	failures := 0
	for free := 0; ; free++ {
		before := countFDs(t)
		few := usual
		few.Cur = limitFor(free)
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
			t.Fatal(err)
		}
		w, err := Start(t.Context(), opt)
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &usual); err != nil {
			t.Fatal(err)
		}
		if err == nil {
			w.Kill()
			break
		}
		failures++
		for end := time.Now().Add(time.Minute); countFDs(t) > before; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("files stay open after the failure with %d: %v", free, err)
			}
		}
	}
	if failures < 5 {
		t.Errorf("only %d failures", failures)
	}
}

// limitFor returns the RLIMIT_NOFILE with which free more files can be opened.
func limitFor(free int) uint64 {
	n := uint64(0)
	for ; free > 0; n++ {
		if _, err := os.Lstat(fmt.Sprint("/proc/self/fd/", n)); err != nil {
			free--
		}
	}
	return n
}

func countFDs(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
