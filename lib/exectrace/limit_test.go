package exectrace

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

// TestLongRecording checks that a recording with too many events is read in part, and
// that the trace says so.
func TestLongRecording(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "trace")
	err := mp.Trace(folder, func() error {
		for range 2000 {
			runtime.Gosched()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := Read(folder)
	if err != nil || len(whole.Problems) > 0 || whole.Events < 2000 {
		t.Fatalf("%d events, problems %q, %v", whole.Events, whole.Problems, err)
	}
	defer func(n int) { maxEvents = n }(maxEvents)
	maxEvents = 1000
	part, err := Read(folder)
	if err != nil || part.Events != 1000 || part.Length >= whole.Length {
		t.Errorf("%d events, %v of %v, %v", part.Events, part.Length, whole.Length, err)
	}
	if text := part.String(); !strings.Contains(text, "only its first 1000 events were read") {
		t.Errorf("the text does not say so:\n%s", text)
	}
}
