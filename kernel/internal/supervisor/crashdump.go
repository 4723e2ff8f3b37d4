package supervisor

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// A CrashDump is the text that Go's runtime prints when it ends the process: the cause, then the stacks of all
// goroutines. The cell shows only the cause and the calls in cells, so the text is held back until the worker process
// has ended. If the process does not end, the text is not a crash dump and is shown.
type CrashDump struct {
	held    []byte
	dropped int
}

const (
	maxDump = 256 << 10

	// crashTimeout is how long to wait for the worker process to end after the last piece of a crash dump. After a
	// stack overflow the runtime takes seconds to print the stacks.
	crashTimeout = 20 * time.Second
	// maybeCrashTimeout is the timeout for text that a program may have printed itself.
	maybeCrashTimeout = time.Second
)

// runtimeStarts begin the lines of crash dumps that are almost always the runtime's.
var runtimeStarts = []string{
	"fatal error: ", "unexpected fault address ",
	"runtime: goroutine stack exceeds ", "runtime: out of memory", "runtime: program exceeds ",
}

// startsDump reports whether a crash dump may begin with line. If isCertain is false, a program may have printed the line.
func startsDump(line []byte) (starts, isCertain bool) {
	switch {
	case len(line) == 0:
		return false, false
	case line[0] == 'p':
		return bytes.HasPrefix(line, []byte("panic: ")), false
	case line[0] == 'S':
		return signalStart.Match(line), false
	}
	for _, start := range runtimeStarts {
		if line[0] == start[0] && bytes.HasPrefix(line, []byte(start)) {
			return true, true
		}
	}
	return false, false
}

var signalStart = regexp.MustCompile(`^SIG[A-Z]+: `)

// findDump returns the index of the first line of text with which a crash dump may begin, or -1. All text of stderr passes
// through it.
func findDump(text []byte) (at int, isCertain bool) {
	for at < len(text) {
		if starts, isCertain := startsDump(text[at:]); starts {
			return at, isCertain
		}
		n := bytes.IndexByte(text[at:], '\n')
		if n < 0 {
			break
		}
		at += n + 1
	}
	return -1, false
}

// timeout returns how long to wait for the worker process to end after the last piece of text.
func (d *CrashDump) timeout() time.Duration {
	if _, isCertain := findDump(d.held); isCertain {
		return crashTimeout
	}
	return maybeCrashTimeout
}

// split keeps the part of text that may belong to a crash dump, and returns the rest. holding
// reports whether text is held back.
func (d *CrashDump) split(text []byte) (show []byte, holding bool) {
	if d.held != nil {
		d.keep(text)
		return nil, true
	}
	at, _ := findDump(text)
	if at < 0 {
		return text, false
	}
	d.held = []byte{}
	d.keep(text[at:])
	return text[:at], true
}

func (d *CrashDump) keep(text []byte) {
	n := min(len(text), maxDump-len(d.held))
	d.held = append(d.held, text[:n]...)
	d.dropped += len(text) - n
}

// release returns the held text when the worker process has not crashed. The dump of a child process, whose parent has
// the report in an error, is shortened to the cause and the calls in cells.
func (d *CrashDump) release() []byte {
	text := d.held
	cause, frames := d.Cause(), d.Frames(false)
	*d = CrashDump{}
	if cause == "" || len(frames) == 0 {
		return text
	}
	short := append([]string{cause + " (in a child process)"}, traceback.Style{}.Calls(frames)...)
	return append([]byte(strings.Join(short, "\n")+"\n"), withoutDump(text)...)
}

var dumpLine = regexp.MustCompile(`^(\t|goroutine \d+|runtime stack:|runtime: |created by |\[signal |\.\.\.\d+ frames elided|r[a-z0-9]{1,5} +0x|[cfg]s +0x|\s*$)`)

// withoutDump returns the lines of text that do not belong to a crash dump.
func withoutDump(text []byte) []byte {
	var rest []byte
	lines := bytes.SplitAfter(text, []byte("\n"))
	for i, line := range lines {
		called := i+1 < len(lines) && bytes.HasPrefix(lines[i+1], []byte("\t"))
		if starts, _ := startsDump(line); !called && !starts && !dumpLine.Match(line) {
			rest = append(rest, line...)
		}
	}
	return rest
}

// Cause returns the runtime's error text with an explanation, or "" if there is none.
func (d *CrashDump) Cause() string {
	for _, prefix := range []string{"fatal error: ", "panic: ", "SIG"} {
		for line := range strings.Lines(string(d.held)) {
			if strings.HasPrefix(line, prefix) {
				return explain(strings.TrimSpace(line))
			}
		}
	}
	return ""
}

var dumpFrame = regexp.MustCompile(`^\t(.+):(\d+)(?: \+0x|$)`)

// Frames returns the calls of the first goroutine that has calls in cells, innermost first, and the statement that
// started the goroutine. If all is false, it returns only calls in cells. It lists a repeated call once.
func (d *CrashDump) Frames(all bool) []control.Frame {
	calls, started := d.Stack(all)
	if started == nil || !all && !inCells([]control.Frame{*started}) {
		return calls
	}
	if last := len(calls) - 1; last >= 0 && isSamePlace(calls[last], *started) {
		return calls
	}
	return append(calls, *started)
}

func isSamePlace(a, b control.Frame) bool { return a.File == b.File && a.Line == b.Line }

// Stack returns the calls of the first goroutine that has calls in cells or was started in a cell. started is the
// statement that started the goroutine, or nil if the statement is not known. If all is false, calls has only calls in
// cells.
func (d *CrashDump) Stack(all bool) (calls []control.Frame, started *control.Frame) {
	most := 12
	if all {
		most = 60
	}
	for _, block := range bytes.Split(d.held, []byte("\n\n")) {
		var list []control.Frame
		started = nil
		lines := strings.Split(string(block), "\n")
		for i := 1; i < len(lines); i++ {
			f, ok := dumpedFrame(lines[i-1], lines[i])
			if !ok {
				continue
			}
			if strings.HasPrefix(lines[i-1], createdBy) {
				started = &f
				continue
			}
			if len(list) == most || !all && !inCells([]control.Frame{f}) {
				continue
			}
			if last := len(list) - 1; last < 0 || !isSamePlace(list[last], f) {
				list = append(list, f)
			}
		}
		if inCells(list) || started != nil && inCells([]control.Frame{*started}) {
			return list, started
		}
	}
	return nil, nil
}

const createdBy = "created by "

// dumpedFrame parses the two lines of a call in a dump.
func dumpedFrame(call, place string) (control.Frame, bool) {
	m := dumpFrame.FindStringSubmatch(place)
	if m == nil {
		return control.Frame{}, false
	}
	n, err := strconv.Atoi(m[2])
	if err != nil {
		return control.Frame{}, false
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(call, createdBy), " in goroutine ")
	if end := strings.LastIndexByte(name, '('); end > 0 && strings.HasSuffix(name, ")") {
		name = name[:end]
	}
	return control.Frame{Func: name, File: m[1], Line: n}, true
}

func inCells(list []control.Frame) bool {
	return slices.ContainsFunc(list, func(f control.Frame) bool {
		_, in := traceback.CellOf(f.File)
		return in
	})
}

var dumpCell = regexp.MustCompile(`main\.cell(?:\.|ʹ)(\d+)\b`)

// Cells returns the numbers of the cells in the stack of the first goroutine with calls in cells, and the number of
// the cell that started the goroutine.
func (d *CrashDump) Cells() []int {
	var list []int
	for _, block := range bytes.Split(d.held, []byte("\n\n")) {
		for _, m := range dumpCell.FindAllSubmatch(block, -1) {
			if n, err := strconv.Atoi(string(m[1])); err == nil {
				list = append(list, n)
			}
		}
		if len(list) > 0 {
			break
		}
	}
	return list
}
