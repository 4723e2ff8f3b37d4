package sinks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
)

// streams is a sink that keeps the text of each stream.
type streams struct {
	Discard
	text map[string]string
}

func (s *streams) Stream(name, text string) { s.text[name] += text }

func TestLimited(t *testing.T) {
	kept := &streams{text: map[string]string{}}
	c := NewLimited(kept, 10)
	c.Stream(output.Stdout, "12345678")
	c.Stream(output.Stdout, "9é0") // é does not fit
	c.Stream(output.Stdout, "a")   // would fit, but text before it was dropped
	for i := range 2000 {
		c.Stream(output.Stdout, fmt.Sprintln("line", i))
	}
	c.End()
	c.Stream(output.Stdout, "late")
	out, err := kept.text[output.Stdout], kept.text[output.Stderr]
	if !strings.HasPrefix(out, "123456789line ") || !strings.HasSuffix(out, "\nline 1999\n") || len(out) > tailSize+10 {
		t.Errorf("stdout: %d bytes, %.30q ... %q", len(out), out, out[len(out)-20:])
	}
	for _, want := range []string{"has printed 9 bytes", "%output SIZE", "19 kB were not shown"} {
		if !strings.Contains(err, want) {
			t.Errorf("%q is missing in %q", want, err)
		}
	}
	if strings.Count(err, "not shown") != 2 {
		t.Errorf("stderr: %s", err)
	}
}

func TestLimitedAtOnce(t *testing.T) {
	kept := &streams{text: map[string]string{}}
	c := NewLimited(kept, 4)
	c.Stream(output.Stdout, "1234")
	c.End()
	if kept.text[output.Stdout] != "1234" || kept.text[output.Stderr] != "" {
		t.Errorf("%q", kept.text)
	}
}

func TestParseLimit(t *testing.T) {
	for text, want := range map[string]int64{"1": 1, "20kb": 20_000, "1MiB": 1 << 20, "1.5MB": 1_500_000, "2G": 2_000_000_000} {
		if got, err := ParseLimit(text); int64(got) != want || err != nil {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	if l, err := ParseLimit("off"); err != nil || l.String() != "without limit" {
		t.Errorf("off: %v, %v", l, err)
	}
	for _, text := range []string{"", "0", "-1", "MB", "0.1", "1e30", "99999999999TB", "50%"} {
		if l, err := ParseLimit(text); err == nil || !strings.Contains(err.Error(), "200MB") {
			t.Errorf("%q: %v, %v", text, l, err)
		}
	}
}

// byteStreams is a sink that takes bytes, and counts how often.
type byteStreams struct {
	streams
	calls int
}

func (s *byteStreams) StreamBytes(name string, text []byte) {
	s.calls++
	s.Stream(name, string(text))
}

// TestBytes: text that passes through the sinks of a cell reaches a sink that takes bytes as bytes, and other sinks as
// a string.
func TestBytes(t *testing.T) {
	kept := &byteStreams{streams: streams{text: map[string]string{}}}
	output.StreamBytes(NewRecorder(NewLimited(kept, 5)), output.Stdout, []byte("123é567"))
	if got := kept.text[output.Stdout]; got != "123é" || kept.calls != 1 {
		t.Errorf("%d calls with %q", kept.calls, got)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "copy"))
	if err != nil {
		t.Fatal(err)
	}
	r := NewRecorder(NewTee(kept, f))
	output.StreamBytes(r, output.Stdout, []byte("text"))
	if copied, err := os.ReadFile(f.Name()); err != nil || string(copied) != "text" || kept.text[output.Stdout] != "123étext" || !HasOutput(r) {
		t.Errorf("copied %q, %v, passed on %q", copied, err, kept.text)
	}
}
