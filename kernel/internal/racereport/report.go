// Package racereport reads the reports of Go's race detector.
package racereport

import (
	"regexp"
	"strconv"
	"strings"
)

// A Report is a data race: two accesses to the same memory without synchronization between them, at least one of which is a write.
type Report struct {
	Accesses [2]Stack // the two accesses, the later one first
	// Started has the calls that started the goroutines of the accesses. It has none for the main goroutine, and none
	// if the detector no longer knows how a goroutine was started.
	Started [2]Stack
}

// A Stack is an access or the start of a goroutine, with its calls.
type Stack struct {
	What      string // kind of access, such as "write"; "" for the start of a goroutine
	Goroutine string // number of the goroutine, or "main"
	Ended     bool   // the goroutine has ended
	Calls     []Call // innermost first; empty if the detector has forgotten them
}

// A Call is a function call at a line.
type Call struct {
	Func, File string
	Line       int
}

// ruler is the line before and after a report.
const ruler = "=================="

var (
	access  = regexp.MustCompile(`^(?:Previous )?([A-Za-z ]+) at 0x[0-9a-f]+ by (?:goroutine (\d+)|(main) goroutine):$`)
	started = regexp.MustCompile(`^Goroutine (\d+) \((running|finished)\) created at:$`)
	place   = regexp.MustCompile(`^      (.+):(\d+) \+0x[0-9a-f]+$`)
)

// Parse returns the reports in a text. end is the length of the text up to the end of the last complete report.
func Parse(text string) (reports []Report, end int) {
	for from := 0; ; {
		head, body, tail, found := cutReport(text[from:])
		if !found {
			return reports, end
		}
		from += head + len(body) + tail
		end = from
		if r, ok := parse(body); ok {
			reports = append(reports, r)
		}
	}
}

// cutReport finds the first complete report in a text. It returns the length of the text before the report's body, the
// body, and the length of the rest of the report after the body.
func cutReport(text string) (head int, body string, tail int, found bool) {
	const begin, stop = ruler + "\nWARNING: DATA RACE\n", "\n" + ruler + "\n"
	i := strings.Index(text, begin)
	if i < 0 {
		return 0, "", 0, false
	}
	head = i + len(begin)
	n := strings.Index(text[head:], stop)
	if n < 0 {
		return 0, "", 0, false
	}
	return head, text[head : head+n], len(stop), true
}

// parse reads the body of a report. ok is false if there are not two accesses.
func parse(body string) (r Report, ok bool) {
	accesses := 0
	var to *Stack
	for line := range strings.SplitSeq(body, "\n") {
		if m := access.FindStringSubmatch(line); m != nil {
			if accesses == 2 {
				return r, false
			}
			to = &r.Accesses[accesses]
			*to = Stack{What: strings.ToLower(m[1]), Goroutine: m[2] + m[3]}
			accesses++
		} else if m := started.FindStringSubmatch(line); m != nil {
			to = r.goroutine(m[1], m[2] == "finished")
		} else if m := place.FindStringSubmatch(line); m != nil && to != nil && len(to.Calls) > 0 {
			last := &to.Calls[len(to.Calls)-1]
			last.File = m[1]
			last.Line, _ = strconv.Atoi(m[2]) // the expression matches only digits
		} else if name, isCall := strings.CutPrefix(line, "  "); isCall && to != nil && !strings.HasPrefix(name, " ") {
			if name, isCall = strings.CutSuffix(name, "()"); isCall {
				to.Calls = append(to.Calls, Call{Func: name})
			}
		}
	}
	return r, accesses == 2
}

// goroutine returns the element of r.Started for a goroutine, or nil if the goroutine made neither access.
func (r *Report) goroutine(number string, ended bool) *Stack {
	for i := range r.Accesses {
		if r.Accesses[i].Goroutine == number {
			r.Accesses[i].Ended = ended
			r.Started[i] = Stack{Goroutine: number, Ended: ended}
			return &r.Started[i]
		}
	}
	return nil
}
