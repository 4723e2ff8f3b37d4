package session

import (
	"slices"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/sinks"
)

// TestNext: the compiler of a cell calls the cell's HasNext, and no compiler calls it
// after the cell has ended.
func TestNext(t *testing.T) {
	s := newTestSession(t)
	var asked []string
	for _, code := range []string{"x := 1", "x + missing", "x + 1"} {
		r := s.Execute(t.Context(), output.Request{Code: code, StoreHistory: true, HasNext: func() bool {
			asked = append(asked, code)
			return true
		}}, sinks.Discard{})
		if s.hasNext() {
			t.Errorf("after %q another cell waits for it still", code)
		}
		if (r.Status == output.OK) != (code != "x + missing") {
			t.Errorf("%q: %v", code, r.Error)
		}
	}
	if want := []string{"x := 1", "x + 1"}; !slices.Equal(slices.Compact(asked), want) {
		t.Errorf("asked during %q, want %q", asked, want)
	}
}
