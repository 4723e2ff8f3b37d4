package racedetector

import (
	"fmt"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/racereport"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// A race is one or several reports about the same two places.
type race struct {
	sides [2]side
	times int
}

// A side is one access of a race.
type side struct {
	what    string   // such as "write"
	at      string   // the place, such as "Cell [3] line 2"
	calls   []string // lines
	started []string // lines about the start of the goroutine
}

// group merges reports about the same places, in the order of their first reports.
func group(reports []racereport.Report, style traceback.Style) []race {
	var list []race
	for _, r := range reports {
		found := race{times: 1}
		for i := range found.sides {
			found.sides[i] = newSide(r.Accesses[i], r.Started[i], style)
		}
		same := slices.IndexFunc(list, func(other race) bool {
			a, b := found.sides, other.sides
			return a[0].key() == b[0].key() && a[1].key() == b[1].key() || a[0].key() == b[1].key() && a[1].key() == b[0].key()
		})
		if same < 0 {
			list = append(list, found)
			continue
		}
		list[same].times++
	}
	return list
}

// key returns the place of an access. It leaves out whether the access reads or writes: reports that differ only in that are about the same mistake.
func (s *side) key() string { return s.at }

const forgotten = "(the race detector no longer has these calls)"

func newSide(access, start racereport.Stack, style traceback.Style) side {
	s := side{what: access.What, calls: []string{forgotten}, at: forgotten}
	if name := atomicCall(access.Calls); name != "" {
		s.calls, s.at = append([]string{name + " " + noCaller}, style.InGoroutine().Calls(frames(access.Calls))...), name
	} else if lines := calls(access.Calls, style.InGoroutine()); len(lines) > 0 {
		s.calls, s.at = lines, place(lines[0])
	}
	s.started = style.Calls(frames(start.Calls))
	return s
}

// noCaller follows the name of a function of sync/atomic. These functions are written in assembly and called through a wrapper. Go's
// race detector records the call in the wrapper, and that of the function whose code calls the wrapper, but not the call between them.
const noCaller = "(the race detector does not record the line that calls it)"

// atomicCall returns the function of sync/atomic that the innermost of these calls is, or "".
func atomicCall(list []racereport.Call) string {
	if len(list) == 0 || !strings.HasPrefix(list[0].Func, "sync/atomic.") || !strings.HasSuffix(list[0].File, ".s") {
		return ""
	}
	return strings.TrimPrefix(list[0].Func, "sync/")
}

// maxCalls is the maximum number of calls that are shown if none is in a cell.
const maxCalls = 4

// calls returns lines about calls in cells, or about the innermost calls if none is in a cell.
func calls(list []racereport.Call, style traceback.Style) []string {
	lines := style.Calls(frames(list))
	if len(lines) == 0 {
		style.AllFrames = true
		lines = style.Calls(frames(list))
		lines = lines[:min(len(lines), maxCalls)]
	}
	return lines
}

func frames(list []racereport.Call) []control.Frame {
	var out []control.Frame
	for _, c := range list {
		out = append(out, control.Frame{Func: c.Func, File: c.File, Line: c.Line})
	}
	return out
}

// place returns the place in a line about a call, such as "Cell [3] line 2".
func place(line string) string {
	at, _, _ := strings.Cut(line, ", in ")
	return at
}

// summary is the text of the error.
func summary(races []race) string {
	count := "1 data race"
	if len(races) > 1 {
		count = fmt.Sprintf("%d data races", len(races))
	}
	var places []string
	for _, r := range races {
		a, b := r.sides[0].at, r.sides[1].at
		at := "at " + a
		if a != b {
			at = "between " + min(a, b) + " and " + max(a, b)
		}
		places = append(places, at)
	}
	return count + ": " + strings.Join(places, "; ")
}
