package session

import (
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/memory"
	"github.com/perijove/perijove/kernel/internal/output"
)

const (
	// outputEnv names the variable that changes how much text a cell may print.
	outputEnv = "PERIJOVE_OUTPUT_LIMIT"
	// defaultOutput is more than any reader reads, and what a browser bears.
	defaultOutput = 128_000_000
	// keptTail is how much of the end is shown of what was left out.
	keptTail = 4 << 10
)

// A capped sink passes on text up to a number of bytes. What a cell prints
// beyond it is counted and dropped, but for the last lines: they often say how
// it ended. The cell goes on running.
type capped struct {
	output.Sink
	limit int64

	mu      sync.Mutex // guards what follows
	passed  int64
	dropped int64
	tail    []byte // the last of what was dropped
	stream  string // that tail belongs to
	ended   bool
}

func (c *capped) Stream(name, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := int(min(max(c.limit-c.passed, 0), int64(len(text))))
	for room > 0 && room < len(text) && !utf8.RuneStart(text[room]) {
		room--
	}
	if c.dropped > 0 {
		room = 0 // a short text must not come after a long one was dropped
	}
	if room > 0 {
		c.passed += int64(room)
		c.Sink.Stream(name, text[:room])
	}
	if rest := text[room:]; rest != "" {
		c.drop(name, rest)
	}
}

func (c *capped) drop(name, text string) {
	if c.dropped == 0 {
		c.Sink.Stream(output.Stderr, fmt.Sprintf("\nThis cell has printed %s. The rest is not shown; %%output SIZE in a cell changes the limit for those after it.\n", memory.Format(c.passed)))
	}
	c.dropped += int64(len(text))
	if c.ended {
		return
	}
	if name != c.stream {
		c.tail, c.stream = c.tail[:0], name
	}
	text = text[max(0, len(text)-keptTail):]
	if over := len(c.tail) + len(text) - keptTail; over > 0 {
		c.tail = c.tail[:copy(c.tail, c.tail[over:])]
	}
	c.tail = append(c.tail, text...)
}

// end tells what the cell has lost, when it ends.
func (c *capped) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.dropped == 0 {
		return
	}
	tail := string(c.tail)
	if i := strings.IndexByte(tail, '\n'); i >= 0 && c.dropped > int64(len(tail)) {
		tail = tail[i+1:]
	}
	c.Sink.Stream(output.Stderr, fmt.Sprintf("\n%s were not shown. The last lines:\n", memory.Format(c.dropped)))
	c.Sink.Stream(c.stream, strings.ToValidUTF8(tail, ""))
	c.tail = nil
}

// outputLimit is how much text a cell may print, in bytes.
type outputLimit int64

func firstOutputLimit() (outputLimit, error) {
	text := os.Getenv(outputEnv)
	if text == "" {
		return defaultOutput, nil
	}
	l, err := parseOutputLimit(text)
	if err != nil {
		return defaultOutput, fmt.Errorf("%s: %w", outputEnv, err)
	}
	return l, nil
}

func parseOutputLimit(text string) (outputLimit, error) {
	if text == "off" {
		return math.MaxInt64, nil
	}
	n, err := memory.ParseSize(text, 0)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is no amount of output: write one like 200MB or 1GB, or off for no limit", text)
	}
	return outputLimit(n), nil
}

func (l outputLimit) String() string {
	if l == math.MaxInt64 {
		return "without limit"
	}
	return "up to " + memory.Format(int64(l))
}

func (r *run) output(d cell.DirectiveLine) error {
	if text := strings.TrimSpace(d.Args); text != "" {
		l, err := parseOutputLimit(text)
		if err != nil {
			return err
		}
		r.outputLimit = l
	}
	r.print("the text that a cell prints is shown %v\n", r.outputLimit)
	return nil
}
