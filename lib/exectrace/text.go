package exectrace

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Limits of what String lists.
const (
	maxGoroutines = 12 // of a process
	maxReasons    = 3  // of a goroutine
	maxMarks      = 8  // of a goroutine
	maxProblems   = 5
)

// String returns a text that says, for each process and each goroutine, how long it ran
// and what it waited for.
func (t *Trace) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v on %d cores, %s, %s\n", Round(t.Length), t.Cores, count(len(t.Processes), "process", "processes"), count(t.Events, "event", "events"))
	for _, p := range t.Processes {
		p.text(&b, t)
	}
	for i, problem := range t.Problems {
		if i == maxProblems {
			fmt.Fprintf(&b, "and %d more problems\n", len(t.Problems)-i)
			break
		}
		fmt.Fprintf(&b, "incomplete: %s\n", problem)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (p *Process) text(b *strings.Builder, t *Trace) {
	fmt.Fprintf(b, "%s, %s", p.Name(), count(len(p.Goroutines), "goroutine", "goroutines"))
	if used := p.Used(); used > 0 {
		fmt.Fprintf(b, ", %v of processor time", Round(used))
	}
	if used, ok := p.UsedCores(t.Cores); ok {
		fmt.Fprintf(b, ", %.2f cores", used)
	}
	if n := len(p.GC); n > 0 {
		var sum time.Duration
		for _, s := range p.GC {
			if s.Kind == GC {
				sum += s.End - s.Begin
			}
		}
		if sum > 0 {
			fmt.Fprintf(b, ", %v of garbage collection", Round(sum))
		}
	}
	b.WriteString("\n")
	list := slices.Clone(p.Goroutines)
	slices.SortStableFunc(list, func(a, b *Goroutine) int { return cmp.Compare(b.active(), a.active()) })
	for i, g := range list {
		if i == maxGoroutines {
			fmt.Fprintf(b, "  and %s\n", rest(list[i:]))
			break
		}
		fmt.Fprintf(b, "  %s: %s\n", g.Title(), g.account())
	}
	if p.Others.Running > time.Millisecond {
		fmt.Fprintf(b, "  %s of the library and the runtime: running %v\n", count(p.Others.Count, "goroutine", "goroutines"), Round(p.Others.Running))
	}
}

// active returns the time by which goroutines are sorted: how long g ran, or could have
// run.
func (g *Goroutine) active() time.Duration {
	t := g.Totals()
	return t[Running] + t[Syscall] + t[Runnable]
}

func rest(list []*Goroutine) string {
	var sum time.Duration
	for _, g := range list {
		sum += g.Totals()[Running]
	}
	return fmt.Sprintf("%s: running %v", count(len(list), "more goroutine", "more goroutines"), Round(sum))
}

// Name returns a name such as "process 12", or "child 13" for a child; the number is the PID.
func (p *Process) Name() string {
	if p.First {
		return fmt.Sprintf("process %d", p.PID)
	}
	return fmt.Sprintf("child %d", p.PID)
}

// Title returns a short name of the goroutine: its function without the package's path.
func (g *Goroutine) Title() string {
	name := ShortName(g.Name)
	if name == "" {
		name = "goroutine"
	}
	return fmt.Sprintf("%s (%d)", name, g.ID)
}

// ShortName returns the name of a function without the path of its package: "main.f" becomes
// "f", and "example.com/a/b.F" becomes "b.F".
func ShortName(function string) string {
	path := packageOf(function)
	name := function[strings.LastIndexByte(path, '/')+1:]
	return strings.TrimPrefix(name, "main.")
}

// account returns a text with the time that the goroutine was in each state.
func (g *Goroutine) account() string {
	total := g.Totals()
	var life time.Duration
	for _, d := range total {
		life += d
	}
	var parts []string
	if n := g.tasks(); n > 0 {
		parts = append(parts, count(n, "task", "tasks"))
	}
	for _, kind := range []Kind{Running, Runnable, Syscall} {
		if total[kind] > 0 && (kind == Running || total[kind]*1000 > life) {
			parts = append(parts, fmt.Sprintf("%v %v (%s)", kind, Round(total[kind]), share(total[kind], life)))
		}
	}
	reasons := g.Reasons()
	for i, r := range reasons {
		if r.Time*1000 < life {
			break // the longest come first
		}
		if i == maxReasons {
			parts = append(parts, fmt.Sprintf("%d other waits", len(reasons)-i))
			break
		}
		parts = append(parts, fmt.Sprintf("%s %v (%s)", r.What, Round(r.Time), share(r.Time, life)))
	}
	return strings.Join(append(parts, g.marks()...), ", ")
}

// marks lists the events that the goroutine has logged.
func (g *Goroutine) marks() (parts []string) {
	for i, m := range g.Marks {
		if i == maxMarks {
			return append(parts, fmt.Sprintf("and %d more events", len(g.Marks)-i))
		}
		parts = append(parts, fmt.Sprintf("%q at %v", m.Text, Round(m.At)))
	}
	return parts
}

func (g *Goroutine) tasks() (n int) {
	for _, s := range g.Spans {
		if s.Kind == Task {
			n++
		}
	}
	return n
}

// A Reason is what a goroutine waited for, with the number of waits and their total time.
type Reason struct {
	What  string // text of WaitsFor, such as "waiting: chan receive at Cell [3] line 12"
	Count int
	Time  time.Duration
}

// Reasons returns what the goroutine waited for, the longest total time first.
func (g *Goroutine) Reasons() []Reason {
	by := map[string]*Reason{}
	var list []*Reason
	for _, s := range g.States {
		if s.Kind != Blocked {
			continue
		}
		what := s.WaitsFor()
		r := by[what]
		if r == nil {
			r = &Reason{What: what}
			by[what] = r
			list = append(list, r)
		}
		r.Count++
		r.Time += s.End - s.Begin
	}
	slices.SortStableFunc(list, func(a, b *Reason) int { return cmp.Compare(b.Time, a.Time) })
	out := make([]Reason, len(list))
	for i, r := range list {
		out[i] = *r
	}
	return out
}

// WaitsFor says what a goroutine waits for in a Blocked state, and where.
func (s State) WaitsFor() string {
	what := "waiting: " + cmp.Or(s.Reason, "reason not recorded")
	if s.At.Line > 0 {
		what += " at " + s.At.String()
	}
	return what
}

// String returns a text such as "Cell [3] line 12" or "main.go:12", or "" for the zero Line.
func (l Line) String() string {
	if l.Line == 0 {
		return ""
	}
	if strings.HasSuffix(l.File, ".go") {
		return fmt.Sprintf("%s:%d", filepath.Base(l.File), l.Line)
	}
	return fmt.Sprintf("%s line %d", l.File, l.Line)
}

// Round returns d with three significant digits.
func Round(d time.Duration) time.Duration {
	digit := time.Nanosecond
	for d/1000 >= digit {
		digit *= 10
	}
	return d.Round(digit)
}

func share(part, whole time.Duration) string {
	if whole <= 0 {
		return "0 %"
	}
	return fmt.Sprintf("%.0f %%", 100*float64(part)/float64(whole))
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
