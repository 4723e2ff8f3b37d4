package server

import (
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
)

// TestUnfinishedLineIsThePrompt: the prompt also includes the part of the line that was published before.
func TestUnfinishedLineIsThePrompt(t *testing.T) {
	for _, test := range []struct {
		name, published, text, want, left string
	}{
		{"begun", "", "one\nname: ", "name: ", "one\n"},
		{"whole", "", "one\n", "", "one\n"},
		{"published", "one\nna", "me: ", "name: ", ""},
		{"all published", "name: ", "", "name: ", ""},
		{"other line", "na", "me\nx ", "x ", "me\n"},
		{"bar", "", "\r10%", "", "\r10%"},
	} {
		k := &sink{name: output.Stdout, text: []byte(test.published)}
		k.noteUnfinished()
		k.text = []byte(test.text)
		if got := k.takeUnfinished(); got != test.want || string(k.text) != test.left {
			t.Errorf("%s: %q, left %q, want %q and %q", test.name, got, k.text, test.want, test.left)
		}
	}
	if k := (&sink{name: output.Stderr, text: []byte("x")}); k.takeUnfinished() != "" {
		t.Error("stderr is a prompt")
	}
}
