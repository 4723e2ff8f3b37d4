package wire

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// checkText fails unless a TextStream has the same content as a Stream.
func checkText(t *testing.T, text string) {
	t.Helper()
	want, err := marshal(&Stream{Name: "stdout", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	got, err := marshal(&TextStream{Name: "stdout", Text: []byte(text)})
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%q: got %s, %v, want %s", text, got, err, want)
	}
}

func TestTextStream(t *testing.T) {
	all := []string{"", "text", "line\n", "<a href=\"b\">&</a>", "é…│😀\u2027\u2028\u2029\u202a\u20a8", "\x7f\u0080", "\xe2", "\xe2\x80", "a\xff\xe2\x80\xa8"}
	for c := range 0x100 {
		all = append(all, string(rune(c)), string([]byte{byte(c)}))
	}
	for _, special := range all {
		for before := range 17 { // each place in a word of eight bytes
			checkText(t, strings.Repeat("x", before)+special+strings.Repeat("\u00e9", 9))
			checkText(t, strings.Repeat("\x80", before)+special+"\x1f!\x20"+special)
		}
	}
}

func FuzzTextStream(f *testing.F) {
	f.Add("0123456789\n\x1f\u2028\"\\")
	f.Fuzz(checkText)
}

var benchText = strings.Repeat("0123456789abcdef0123456789abcde\n", 1<<14)

func BenchmarkTextStream(b *testing.B) {
	s, content := newSigner(b), &TextStream{Name: "stdout", Text: []byte(benchText)}
	b.SetBytes(int64(len(benchText)))
	for b.Loop() {
		if _, err := s.Encode(&Outgoing{Content: content}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStream measures the same as BenchmarkTextStream, with package json.
func BenchmarkStream(b *testing.B) {
	s, content := newSigner(b), &Stream{Name: "stdout", Text: benchText}
	b.SetBytes(int64(len(benchText)))
	for b.Loop() {
		if _, err := s.Encode(&Outgoing{Content: content}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendString(b *testing.B) {
	text, buf := []byte(benchText), []byte(nil)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		buf = appendString(buf[:0], text)
	}
}

func BenchmarkValid(b *testing.B) {
	text := []byte(benchText)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		utf8.Valid(text)
	}
}
