package sinks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
)

func TestIsDiscarded(t *testing.T) {
	kept := &streams{text: map[string]string{}}
	for _, test := range []struct {
		sink output.Sink
		want bool
	}{
		{kept, false},
		{NewRecorder(kept), false},
		{Discard{}, true},
		{&ResultOnly{}, true},
		{NewRecorder(NewLimited(NewTee(Discard{}, nil), 1)), true},
	} {
		if got := IsDiscarded(test.sink); got != test.want {
			t.Errorf("%T: %v, want %v", test.sink, got, test.want)
		}
	}
}

func TestRecorder(t *testing.T) {
	r := NewRecorder(Discard{})
	if HasOutput(r) {
		t.Error("a new recorder has output")
	}
	r.Result(output.Bundle{"text/plain": "42"}, nil)
	if r.Text != "42" || HasOutput(r) {
		t.Errorf("text %q, has output: %v", r.Text, HasOutput(r))
	}
	r.Stream(output.Stdout, "x")
	if !HasOutput(r) || !HasOutput(Discard{}) {
		t.Error("output is not noted")
	}
	r.Clear(false)
	if HasOutput(r) {
		t.Error("cleared output counts")
	}
}

func TestTee(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	kept := &streams{text: map[string]string{}}
	tee := NewTee(kept, f)
	tee.Stream(output.Stdout, "printed\n")
	tee.Display(output.Display{Data: output.Bundle{"text/plain": "plain", "text/html": "<b>"}})
	if b, err := os.ReadFile(path); err != nil || string(b) != "printed\n<b>" {
		t.Errorf("%q, %v", b, err)
	}
	f.Close()
	tee.Stream(output.Stdout, "more\n")
	tee.Stream(output.Stdout, "and more\n")
	if got := kept.text[output.Stdout]; got != "printed\nmore\nand more\n" {
		t.Errorf("passed on: %q", got)
	}
	if got := kept.text[output.Stderr]; got == "" {
		t.Error("the error is not shown")
	}
}

func TestDecoder(t *testing.T) {
	var d Decoder
	got := ""
	for _, b := range []byte("a😀é\xff\xc3") {
		got += d.Decode([]byte{b})
	}
	got += d.End()
	if want := "a😀é\uFFFD\uFFFD"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWholeLines(t *testing.T) {
	for _, test := range []struct{ texts, want string }{{"", ""}, {"a", "a\n"}, {"a\n|", "a\n"}, {"a\n|b", "a\nb\n"}, {"a|\n", "a\n"}} {
		kept := &streams{text: map[string]string{}}
		w := &WholeLines{TextOnly: TextOnly{Sink: kept}}
		for text := range strings.SplitSeq(test.texts, "|") {
			w.Stream(output.Stdout, text)
		}
		w.Stream(output.Stderr, "e")
		w.End()
		w.End()
		if got := kept.text[output.Stdout]; got != test.want || kept.text[output.Stderr] != "e" {
			t.Errorf("%q: %q, want %q", test.texts, got, test.want)
		}
	}
}
