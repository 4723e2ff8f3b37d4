package session

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
)

const testTimeout = 2 * time.Minute // how long tests wait before they fail

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(testTimeout); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// execute runs a cell and returns its transcript.
func execute(t *testing.T, s *Session, code string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	tr := &transcript{}
	s.Execute(ctx, output.Request{Code: code, StoreHistory: true}, tr)
	if ctx.Err() != nil {
		t.Fatalf("the cell hangs: %s\n%s", code, tr.text())
	}
	return tr.text()
}

func mustContain(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%q is missing in\n%s", w, got)
		}
	}
}
