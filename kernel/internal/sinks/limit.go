package sinks

import (
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/perijove/perijove/kernel/internal/memory"
	"github.com/perijove/perijove/kernel/internal/output"
)

const (
	// limitVariable is the environment variable that sets how much text a
	// cell may print.
	limitVariable = "PERIJOVE_OUTPUT_LIMIT"
	// defaultLimit is in bytes. It is more than a user can read, and not too much for a browser.
	defaultLimit = 128_000_000
	// tailSize is how many bytes at the end of the dropped text are shown.
	tailSize = 4 << 10
)

// A Limited sink passes on text up to a number of bytes. It counts and drops further text, except for the last lines,
// which often say how the cell ended. The cell keeps running.
type Limited struct {
	output.Sink
	limit Limit

	mu      sync.Mutex // guards the fields below
	passed  int64
	dropped int64
	tail    []byte // the end of the dropped text
	stream  string // the stream that tail belongs to
	ended   bool
}

// NewLimited returns a sink that passes on at most limit bytes of text to s.
func NewLimited(s output.Sink, limit Limit) *Limited { return &Limited{Sink: s, limit: limit} }

func (l *Limited) unwrap() output.Sink { return l.Sink }

func (l *Limited) Stream(name, text string) { l.StreamBytes(name, []byte(text)) }

// StreamBytes passes on text as Stream does.
func (l *Limited) StreamBytes(name string, text []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	room := int(min(max(int64(l.limit)-l.passed, 0), int64(len(text))))
	for room > 0 && room < len(text) && !utf8.RuneStart(text[room]) {
		room--
	}
	if l.dropped > 0 {
		room = 0 // once text was dropped, also drop shorter text that would fit
	}
	if room > 0 {
		l.passed += int64(room)
		output.StreamBytes(l.Sink, name, text[:room])
	}
	if rest := text[room:]; len(rest) > 0 {
		l.drop(name, rest)
	}
}

func (l *Limited) drop(name string, text []byte) {
	if l.dropped == 0 {
		l.Sink.Stream(output.Stderr, fmt.Sprintf("\nThis cell has printed %s. The rest is not shown; %%output SIZE in a cell changes the limit for the cells after it.\n", memory.Format(l.passed)))
	}
	l.dropped += int64(len(text))
	if l.ended {
		return
	}
	if name != l.stream {
		l.tail, l.stream = l.tail[:0], name
	}
	text = text[max(0, len(text)-tailSize):]
	if over := len(l.tail) + len(text) - tailSize; over > 0 {
		l.tail = l.tail[:copy(l.tail, l.tail[over:])]
	}
	l.tail = append(l.tail, text...)
}

// End shows the last lines of the dropped text. Call it when the cell ends. Text after that is dropped without a
// notice.
func (l *Limited) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	if l.dropped == 0 {
		return
	}
	tail := string(l.tail)
	if i := strings.IndexByte(tail, '\n'); i >= 0 && l.dropped > int64(len(tail)) {
		tail = tail[i+1:]
	}
	l.Sink.Stream(output.Stderr, fmt.Sprintf("\n%s were not shown. The last lines:\n", memory.Format(l.dropped)))
	l.Sink.Stream(l.stream, strings.ToValidUTF8(tail, ""))
	l.tail = nil
}

// A Limit is the number of bytes of text that a cell may print.
type Limit int64

// InitialLimit returns the limit that an environment variable sets, or the default. If the value of the variable is
// invalid, it returns an error and the default limit.
func InitialLimit() (Limit, error) {
	text := os.Getenv(limitVariable)
	if text == "" {
		return defaultLimit, nil
	}
	l, err := ParseLimit(text)
	if err != nil {
		return defaultLimit, fmt.Errorf("the environment variable %s is invalid: %w", limitVariable, err)
	}
	return l, nil
}

// ParseLimit parses a limit in the syntax of %output: a size, or off.
func ParseLimit(text string) (Limit, error) {
	if text == "off" {
		return math.MaxInt64, nil
	}
	n, err := memory.ParseSize(text, 0)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is not an amount of output: write an amount such as 200MB or 1GB, or off for no limit", text)
	}
	return Limit(n), nil
}

func (l Limit) String() string {
	if l == math.MaxInt64 {
		return "without limit"
	}
	return "up to " + memory.Format(int64(l))
}
