package streams

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRestoreStream: restore handles all changes that a cell can make to os.Stdout.
func TestRestoreStream(t *testing.T) {
	open := func() *os.File {
		f, err := os.Create(filepath.Join(t.TempDir(), "out"))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	initial, before, after, closed := open(), open(), open(), open()
	closed.Close()
	r, unread, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer unread.Close()
	for name, c := range map[string]struct {
		before, now *os.File
		isClosed    bool
		failed      bool
		want        *os.File
		text        string
	}{
		"untouched":                 {initial, initial, false, false, initial, ""},
		"closed":                    {initial, initial, true, false, initial, "is open again"},
		"redirected":                {initial, after, false, false, after, ""},
		"redirected by a failure":   {initial, after, false, true, initial, "which failed; it is the notebook's output again"},
		"redirected twice, failed":  {before, after, false, true, before, "it is again the file that it was before"},
		"kept by a failure":         {before, before, false, true, before, ""},
		"nil":                       {initial, nil, false, false, initial, "was nil"},
		"a closed file":             {initial, closed, false, false, initial, "closed"},
		"a closed file, and before": {closed, closed, false, false, initial, "closed"},
		"a pipe without a reader":   {before, unread, false, false, before, "pipe"},
	} {
		t.Run(name, func(t *testing.T) {
			now := c.now
			s := &stream{name: "os.Stdout", at: &now, initial: initial, before: c.before}
			s.closed.Store(c.isClosed)
			text := s.restore(c.failed)
			if now != c.want {
				t.Errorf("os.Stdout is %v", now)
			}
			if c.text == "" && text != "" || !strings.Contains(text, c.text) {
				t.Errorf("said %q, want %q", text, c.text)
			}
			if s.closed.Load() {
				t.Error("the stream is still closed")
			}
		})
	}
}
