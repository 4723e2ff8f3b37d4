package mp

import (
	"fmt"
	"strings"
)

// library is the prefix of the library's package paths.
const library = "github.com/perijove/perijove/lib/mp"

// A call is a frame of a printed stack: a line with the function and its arguments, and the
// line below it with the file and line.
type call struct{ name, place string }

// parseStack parses the stack of one goroutine, innermost call first.
func parseStack(lines []string) []call {
	var calls []call
	for i := 0; i+1 < len(lines); i++ {
		if strings.HasPrefix(lines[i+1], "\t") {
			place, _, _ := strings.Cut(lines[i+1], " fp=0x")
			calls = append(calls, call{lines[i], place})
			i++
		}
	}
	return calls
}

func (c call) String() string { return c.name + "\n" + c.place + "\n" }

// entersUser reports whether c is a function of the library that calls users' functions.
func (c call) entersUser() bool {
	name, ok := strings.CutPrefix(c.name, library)
	if !ok {
		return false
	}
	_, name, _ = strings.Cut(name, ".")
	for _, f := range userCallers {
		if strings.HasPrefix(strings.ToLower(name), f) {
			return true
		}
	}
	return false
}

// userCallers are the functions of the library that call users' functions, in lower case.
var userCallers = []string{"invoke[", "invokemethod[", "guarded("}

// panicStack returns the part of a stack of debug.Stack that belongs to the function
// that panicked. It leaves out the calls that led to debug.Stack, and those of this
// library that led to the function.
func panicStack(stack []byte) string {
	head, rest, _ := strings.Cut(string(stack), "\n")
	calls := parseStack(strings.Split(rest, "\n"))
	from, to := 0, len(calls)
	for i, c := range calls {
		if from == 0 && strings.HasPrefix(c.name, "panic(") {
			from = i + 1
		}
		if c.entersUser() {
			to = i
		}
	}
	if from >= to {
		return string(stack)
	}
	var b strings.Builder
	b.WriteString(head + "\n")
	for _, c := range calls[from:to] {
		b.WriteString(c.String())
	}
	return b.String()
}

// summaryCalls is how many calls of a crash an error shows; the whole report may have
// thousands of lines.
const summaryCalls = 12

// crashSummary returns the beginning of a report of the Go runtime, and the calls of
// the goroutine that ran, up to where the library called it.
func crashSummary(report string) string {
	var b strings.Builder
	for i, block := range strings.Split(report, "\n\n") {
		head, rest, _ := strings.Cut(block, "\n")
		if !strings.HasPrefix(head, "goroutine ") {
			if i == 0 && !strings.HasSuffix(head, "stack:") {
				b.WriteString(block + "\n\n")
			}
			continue
		}
		if id, state, ok := strings.Cut(head, " ["); ok { // leave out the addresses between id and state
			head = strings.Join(strings.Fields(id)[:2], " ") + " [" + state
		}
		b.WriteString(head + "\n")
		writeCalls(&b, parseStack(strings.Split(rest, "\n")))
		break
	}
	return strings.TrimSpace(b.String())
}

func writeCalls(b *strings.Builder, calls []call) {
	shown, repeated := 0, 0
	name := func(c call) string { return c.name[:max(0, strings.LastIndexByte(c.name, '('))] }
	for i, c := range calls {
		switch {
		case c.entersUser() || shown == summaryCalls:
			if repeated > 0 {
				fmt.Fprintf(b, "… %d times\n", repeated+1)
			}
			return
		case i > 0 && name(c) == name(calls[i-1]) && c.place == calls[i-1].place:
			repeated++
			continue
		case repeated > 0:
			fmt.Fprintf(b, "… %d times\n", repeated+1)
			repeated = 0
		}
		b.WriteString(c.String())
		shown++
	}
}
