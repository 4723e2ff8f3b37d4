package session

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/sinks"
	"golang.org/x/sys/unix"
)

// streams is a sink that keeps the text of each stream.
type streams struct {
	sinks.Discard
	text map[string]string
}

func (s *streams) Stream(name, text string) { s.text[name] += text }

// TestOutputLimitOfEnvironment: an invalid limit in the environment is reported once.
func TestOutputLimitOfEnvironment(t *testing.T) {
	t.Setenv("PERIJOVE_OUTPUT_LIMIT", "much")
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

// TestOddOutput prints long lines, colours, progress, and characters in several writes.
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
			ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
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

// TestOutputAfterChild: a child that outlives its cell and keeps standard output open
// does not keep the cell from ending, and its later output is shown.
func TestOutputAfterChild(t *testing.T) {
	s := newTestSession(t)
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	tr := &transcript{}
	reply := s.Execute(t.Context(), output.Request{Code: fmt.Sprintf(`c := exec.Command("sh", "-c", "cat %s")
c.Stdout = os.Stdout
fmt.Println(c.Start())`, fifo), StoreHistory: true}, tr)
	if reply.Status != output.OK {
		t.Fatal(reply.Error)
	}
	if err := os.WriteFile(fifo, []byte("late words\n"), 0); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the child's words", func() bool { return strings.Contains(tr.text(), "late words") })
}

// TestLotsOfOutput: 20 MB of output are complete and in order, with a display in the middle.
func TestLotsOfOutput(t *testing.T) {
	s := newTestSession(t)
	c := &counter{}
	reply := s.Execute(t.Context(), output.Request{Code: `import "github.com/perijove/perijove/lib/display"
w := bufio.NewWriter(os.Stdout)
for i := range 2_500_000 {
	fmt.Fprintf(w, "%07d\n", i)
	if i == 1_000_000 { w.Flush(); display.Markdown("middle") }
}
w.Flush()`, StoreHistory: true}, c)
	if reply.Status != output.OK {
		t.Fatal(reply.Error)
	}
	if c.lines != 2_500_000 || c.wrong != "" || c.atDisplay != 1_000_001 {
		t.Errorf("%d lines, first wrong one %q, display after %d", c.lines, c.wrong, c.atDisplay)
	}
}

// A counter checks that the lines of a stream are numbered without a gap.
type counter struct {
	sinks.Discard
	rest      string
	lines     int
	atDisplay int
	wrong     string
}

func (c *counter) Stream(_, text string) {
	text = c.rest + text
	for {
		line, rest, ok := strings.Cut(text, "\n")
		if !ok {
			break
		}
		if line != fmt.Sprintf("%07d", c.lines) && c.wrong == "" {
			c.wrong = line
		}
		c.lines++
		text = rest
	}
	c.rest = text
}

func (c *counter) Display(output.Display) { c.atDisplay = c.lines }
