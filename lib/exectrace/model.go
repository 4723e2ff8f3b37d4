// Package exectrace reads recordings of mp.Trace: execution traces of a process and its
// children, merged into one model in which all times have the same origin. Package
// lib/exectrace/chart draws it.
//
//	err := mp.Trace("trace", work)
//	t, err := exectrace.Read("trace")
//	fmt.Println(t)
package exectrace

import "time"

// A Trace describes what a process and its children did while a function ran. Times are
// durations since the call of the function.
type Trace struct {
	Folder    string // of the recording
	Command   string
	Go        string // the version
	Cores     int    // of the machine
	Length    time.Duration
	Events    int        // that were read from all files
	Processes []*Process // the first process, then its children in the order of their start
	Arrows    []Arrow    // in the order of their effects
	Problems  []string   // what is missing, one sentence each
}

// A Process is the part of a Trace that one process has recorded.
type Process struct {
	PID, Parent int
	File        string // the trace, for go tool trace
	First       bool   // it began the recording
	Begin, End  time.Duration
	Goroutines  []*Goroutine // goroutines of the traced function and of tasks, in the order of their start
	Others      Others       // the goroutines of package mp, of a notebook's worker process and of the runtime
	GC          []Span       // garbage collections, and stops of all goroutines
	CPU         []Sample     // in the order of time
	Problem     string       // why a part is missing, or ""
}

// Others sums up goroutines that are not listed.
type Others struct {
	Count   int
	Running time.Duration
}

// A Sample is the processor time, Used, that a process used from the start of its recording
// until the time At.
type Sample struct{ At, Used time.Duration }

// A Goroutine has the states of a goroutine without gaps from its start to its end.
type Goroutine struct {
	Process *Process
	ID      int64
	Name    string // of its function
	States  []State
	Spans   []Span // tasks, waits and locks of package mp, and regions of runtime/trace, by Begin
	Marks   []Mark // events that it logged with runtime/trace, in the order of time
	Created Place  // the go statement; zero if it began before the recording
}

// A Mark is an event that the user's code has logged, with trace.Log of runtime/trace.
type Mark struct {
	At             time.Duration
	Category, Text string
}

// A State is a period in which a goroutine is in one state.
type State struct {
	Kind       Kind
	Begin, End time.Duration
	Reason     string // of a Blocked or Runnable state, as the runtime names it: "chan receive"
	At         Line   // of the user's code where a Blocked or Syscall state began; may be zero
	P, Thread  int64  // the P and thread of a Running or Syscall state; -1 if not known
}

// A Kind is a state of a goroutine.
type Kind uint8

// The states of a goroutine.
const (
	Running  Kind = iota
	Runnable      // it waits for a processor
	Blocked       // it waits for an event
	Syscall       // it runs, or waits, in the operating system
)

// String returns the name of the state, such as "blocked".
func (k Kind) String() string {
	return [...]string{"running", "runnable", "blocked", "in a system call"}[k]
}

// A Line is a line of source code. In a notebook, File is the name of a cell.
type Line struct {
	File string
	Line int
}

// A Span is a named period of a goroutine, or of a process.
type Span struct {
	Kind       SpanKind
	Name       string // of a task: its function
	Index      int    // of a task in its Map or Stream, from 0; -1 if the span is no task
	Begin, End time.Duration
	Open       bool // the end was not recorded
}

// A SpanKind says what a Span is.
type SpanKind uint8

// Kinds of spans.
const (
	Region SpanKind = iota // of runtime/trace, in the user's code
	Task                   // of a pool, or the function of a child
	Wait                   // for a lock, queue or other object of package mp
	Held                   // a lock of package mp is held
	GC                     // a garbage collection
	Pause                  // all goroutines of the process stand still
)

// A Place is a point in a timeline: a goroutine and a time.
type Place struct {
	Goroutine *Goroutine // nil if it is not one of Process.Goroutines
	Process   *Process
	At        time.Duration
	Line      Line
}

// An Arrow leads from a cause to its effect. The cause is never later.
type Arrow struct {
	Kind     ArrowKind
	What     string // "chan receive", "queue 3": what was waited for, or through which a value went
	From, To Place
}

// An ArrowKind says what an Arrow shows.
type ArrowKind uint8

// Kinds of arrows.
const (
	Wakes   ArrowKind = iota // a goroutine ends the wait of another
	Creates                  // a goroutine starts another
	Starts                   // a process starts another
	Tasks                    // a pool sends tasks to a process, or a goroutine gives tasks to a worker of its pool
	Results                  // a process sends results, or a goroutine hands over results for which another waits
	Passes                   // a value goes through a queue or pipe of package mp
	Unlocks                  // a lock of package mp goes to a waiter
)

// String returns what the arrow shows, in words.
func (k ArrowKind) String() string {
	return [...]string{"wakes", "creates", "starts", "sends tasks to", "sends results to", "passes a value to", "passes the lock to"}[k]
}

// Totals has the sums of a goroutine's states.
type Totals [4]time.Duration

// Totals returns how long the goroutine was in each state.
func (g *Goroutine) Totals() (t Totals) {
	for _, s := range g.States {
		t[s.Kind] += s.End - s.Begin
	}
	return t
}

// UsedCores returns the average number of cores that the process used; available is the
// number of cores of the machine. It returns false if the average is not known: the clock
// of processor time is so coarse that a short process seems to use more cores than there
// are.
func (p *Process) UsedCores(available int) (used float64, ok bool) {
	if p.End <= p.Begin {
		return 0, false
	}
	used = float64(p.Used()) / float64(p.End-p.Begin)
	return used, used > 0 && used <= 1.1*float64(available)
}

// Used returns the processor time that the process used during the trace.
func (p *Process) Used() time.Duration {
	if len(p.CPU) == 0 {
		return 0
	}
	return p.CPU[len(p.CPU)-1].Used - p.CPU[0].Used
}
