package session

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
)

// streams keeps what each stream was given.
type streams struct {
	quiet
	text map[string]string
}

func (s *streams) Stream(name, text string) { s.text[name] += text }

func TestCapped(t *testing.T) {
	kept := &streams{text: map[string]string{}}
	c := &capped{Sink: kept, limit: 10}
	c.Stream(output.Stdout, "12345678")
	c.Stream(output.Stdout, "9é0") // é would be cut
	c.Stream(output.Stdout, "a")   // is short, and yet comes after what was dropped
	for i := range 2000 {
		c.Stream(output.Stdout, fmt.Sprintln("line", i))
	}
	c.end()
	c.Stream(output.Stdout, "late")
	out, err := kept.text[output.Stdout], kept.text[output.Stderr]
	if !strings.HasPrefix(out, "123456789line ") || !strings.HasSuffix(out, "\nline 1999\n") || len(out) > keptTail+10 {
		t.Errorf("stdout: %d bytes, %.30q ... %q", len(out), out, out[len(out)-20:])
	}
	mustContain(t, err, "has printed 9 bytes", "%output SIZE", "19 kB were not shown")
	if strings.Count(err, "not shown") != 2 {
		t.Errorf("stderr: %s", err)
	}
}

func TestCappedAtOnce(t *testing.T) {
	kept := &streams{text: map[string]string{}}
	c := &capped{Sink: kept, limit: 4}
	c.Stream(output.Stdout, "1234")
	c.end()
	if kept.text[output.Stdout] != "1234" || kept.text[output.Stderr] != "" {
		t.Errorf("%q", kept.text)
	}
}

func TestParseOutputLimit(t *testing.T) {
	for text, want := range map[string]int64{"1": 1, "20kb": 20_000, "1MiB": 1 << 20, "1.5MB": 1_500_000, "2G": 2_000_000_000} {
		if got, err := parseOutputLimit(text); int64(got) != want || err != nil {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	if l, err := parseOutputLimit("off"); err != nil || l.String() != "without limit" {
		t.Errorf("off: %v, %v", l, err)
	}
	for _, text := range []string{"", "0", "-1", "MB", "0.1", "1e30", "99999999999TB", "50%"} {
		if l, err := parseOutputLimit(text); err == nil || !strings.Contains(err.Error(), "200MB") {
			t.Errorf("%q: %v, %v", text, l, err)
		}
	}
}

// TestOutputLimitOfEnvironment: one that cannot be read is told once.
func TestOutputLimitOfEnvironment(t *testing.T) {
	t.Setenv(outputEnv, "much")
	s := newTestSession(t)
	mustContain(t, execute(t, s, "1"), "PERIJOVE_OUTPUT_LIMIT", "up to 128 MB")
	if got := execute(t, s, "2"); strings.Contains(got, "PERIJOVE") {
		t.Error(got)
	}
	mustContain(t, execute(t, s, "%output 2KB"), "up to 2 kB")
	got := execute(t, s, "for i := range 10_000 { fmt.Println(i) }\ndone := true")
	mustContain(t, got, "has printed 2 kB", "47 kB were not shown", "9998\n9999\n")
	mustContain(t, execute(t, s, "done"), "true")
}

// TestOddOutput: long lines, colours, progress, broken characters.
func TestOddOutput(t *testing.T) {
	s := newTestSession(t)
	for name, c := range map[string]struct{ code, want string }{
		"a line of 10 MB": {`fmt.Print(strings.Repeat("é", 5_000_000))`, strings.Repeat("é", 5_000_000)},
		"colours":         {`fmt.Print("\x1b[1;31mred\x1b[0m\n")`, "\x1b[1;31mred\x1b[0m\n"},
		"progress":        {`for i := range 3 { fmt.Printf("\r%d %%", i) }; fmt.Println("\b!")`, "\r0 %\r1 %\r2 %\b!\n"},
		"cut runes":       {`for _, b := range []byte("a😀é\n") { os.Stdout.Write([]byte{b}); time.Sleep(time.Millisecond) }`, "a😀é\n"},
		"no UTF-8":        {`os.Stdout.Write([]byte("a\xff\xfe\xc3(\xf0\x9f\x98\n"))`, "a\uFFFD(\uFFFD\n"},
		"half a rune":     {`os.Stdout.Write([]byte("a\xc3"))`, "a\uFFFD"},
		"zero bytes":      {`os.Stdout.Write([]byte{0, 'a', 0, '\n'})`, "\x00a\x00\n"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			kept := &streams{text: map[string]string{}}
			reply := s.Execute(ctx, output.Request{Code: c.code, StoreHistory: true}, kept)
			if reply.Error != nil {
				t.Fatal(reply.Error)
			}
			if got := kept.text[output.Stdout]; got != c.want {
				t.Errorf("%d bytes, want %d: %.100q", len(got), len(c.want), got)
			}
		})
	}
}
