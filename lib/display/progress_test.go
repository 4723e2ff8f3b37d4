package display

import (
	"strings"
	"testing"
)

func TestProgressBeyondItsEnds(t *testing.T) {
	for _, tt := range []struct {
		bar  Progress
		full int
	}{{Progress{}, 0}, {Progress{Done: 5}, 0}, {Progress{-1, 4, ""}, 0}, {Progress{9, 4, ""}, barWidth}, {Progress{1, 4, "a<b"}, 8}} {
		text := tt.bar.String()
		if got := strings.Count(text, "#"); got != tt.full || strings.Count(text, ".") != barWidth-tt.full {
			t.Errorf("%+v is %q, want %d full", tt.bar, text, tt.full)
		}
	}
	if h := (Progress{1, 4, "a<b"}).HTML(); !strings.Contains(h, "a&lt;b") || !strings.Contains(h, `value="0.250"`) {
		t.Errorf("HTML %q", h)
	}
}
