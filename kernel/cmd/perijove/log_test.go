package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestLog: a kernel says nothing on its terminal unless something is wrong, or
// more is asked for.
func TestLog(t *testing.T) {
	for _, test := range []struct{ level, shown, hidden string }{
		{"", "trouble", "serving"},
		{"info", "serving", "detail"},
		{"debug", "detail", ""},
		{"ERROR", "", "trouble"},
		{"loud", "unknown level of logging", "serving"},
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
