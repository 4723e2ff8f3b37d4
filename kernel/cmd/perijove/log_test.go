package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestLog: a kernel logs only warnings and errors, unless another level is set.
func TestLog(t *testing.T) {
	for _, test := range []struct{ level, shown, hidden string }{
		{"", "trouble", "serving"},
		{"info", "serving", "detail"},
		{"debug", "detail", ""},
		{"ERROR", "", "trouble"},
		{"loud", "unknown log level", "serving"},
	} {
		var b bytes.Buffer
		log := newLog(&b, test.level)
		log.Debug("detail")
		log.Info("serving")
		log.Warn("trouble")
		if got := b.String(); !strings.Contains(got, test.shown) || test.hidden != "" && strings.Contains(got, test.hidden) {
			t.Errorf("%s=%s: %q", logEnv, test.level, got)
		}
	}
}
