package session

import (
	"flag"
	"log/slog"
	"testing"

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
				p, err := startProcess([]string{img.Worker(), img.Dir}, t.TempDir(), t.TempDir(), nil, limit{}, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatalf("start %d: %v", i, err)
				}
				p.kill()
			}
		})
	}
}
