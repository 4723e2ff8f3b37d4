package session

import (
	"strings"
	"testing"
)

// TestPathStart marks the cursor with |. The wanted text is the part of a path before the cursor.
func TestPathStart(t *testing.T) {
	for text, want := range map[string]string{
		"!cat da|": "da", "!ls -l x/y|": "x/y", "%cd no|": "no", "%run a/|": "a/", "%cd|": "none", "!|": "",
		"os.Open(\"da|": "da", "os.Open(\"da|\")": "da", "os.Open(`x/|`)": "x/", "os.Open(\"da\"|)": "none", "x := da|": "none",
		"y := \"a\" + b|": "none", "x := 1\nos.Open(\"a/b|\")": "a/b", "'da|": "none",
	} {
		code := strings.Replace(text, "|", "", 1)
		cursor := strings.IndexByte(text, '|')
		start, ok := pathStart(code, cursor)
		got := "none"
		if ok {
			got = code[start:cursor]
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
