// Package exectrace reads recordings of mp.Trace: execution traces of a process and its
// children. It merges them into one Trace, in which all times have the same origin. Package
// lib/exectrace/chart draws a Trace.
//
//	err := mp.Trace("trace", work)
//	t, err := exectrace.Read("trace")
//	fmt.Println(t)
package exectrace

import "time"

// A Trace describes what a process and its children did while a function ran. Times are
// durations since the call of the function.
type Trace struct {
	Folder    string        // folder of the recording
	Command   string        // file name of the program
	Go        string        // version of Go
	Cores     int           // number of cores of the machine
	Length    time.Duration // time from the call of the function to the end of the recording
	Events    int           // number of events that were read from all files
	Processes []*Process    // the first process, then its children in the order of their start
	Arrows    []Arrow       // causes and effects, in the order of the effects
	Problems  []string      // sentences that say which parts are missing, and why
}

// A Process is the part of a Trace that one process has recorded.
type Process struct {
	PID, Parent int           // process ids of the process and of its parent
	File        string        // file with the trace, for go tool trace
	First       bool          // whether this process began the recording
	Begin, End  time.Duration // when the first of its goroutines began, and when the last one ended
	Goroutines  []*Goroutine  // goroutines of the traced function and of tasks, in the order of their start
	Others      Others        // the goroutines of package mp, of a notebook's worker process and of the runtime
	GC          []Span        // garbage collections, and stops of all goroutines
	CPU         []Sample      // processor time used so far, in the order of time
	Problem     string        // why a part is missing, or ""
}

// Others sums up goroutines that are not listed.
type Others struct {
	Count   int           // number of goroutines
	Running time.Duration // total time in which they ran
}

// A Sample has the processor time that a process has used from the start of its recording
// until the time At.
type Sample struct{ At, Used time.Duration }

// A Goroutine describes a goroutine. Its States cover the time from start to end without gaps.
type Goroutine struct {
	Process *Process
	ID      int64
	Name    string // name of the function with which the goroutine began
	States  []State
	Spans   []Span // tasks, waits and locks of package mp, and regions of runtime/trace, by Begin
	Marks   []Mark // events that the goroutine has logged with runtime/trace, in the order of time
	Created Place  // the go statement; zero if the goroutine began before the recording
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
	Reason     string // reason of a Blocked or Runnable state, as the runtime names it: "chan receive"
	At         Line   // line of the user's code where a Blocked or Syscall state began; may be zero
	P, Thread  int64  // the P and thread of a Running or Syscall state; -1 if not known
}

// A Kind is a state of a goroutine.
type Kind uint8

// The states of a goroutine.
const (
	Running  Kind = iota
	Runnable      // the goroutine waits for a processor
	Blocked       // the goroutine waits for an event
	Syscall       // the goroutine runs, or waits, in the operating system
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
	Name       string // for a Task the name of its function
	Index      int    // index of a Task in its Map or Stream, from 0; -1 for other spans
	Begin, End time.Duration
	Open       bool // whether the end of the span was not recorded
}

// A SpanKind says what a Span is.
type SpanKind uint8

// Kinds of spans.
const (
	Region SpanKind = iota // a region of runtime/trace in the user's code
	Task                   // a task of a pool, or the function of a child
	Wait                   // a wait for a lock, queue or other object of package mp
	Held                   // the time in which a lock of package mp is held
	GC                     // a garbage collection
	Pause                  // the time in which all goroutines of the process are stopped
)

// A Place is a point in a timeline: a goroutine and a time.
type Place struct {
	Goroutine *Goroutine // nil for a goroutine that is not in Process.Goroutines
	Process   *Process
	At        time.Duration
	Line      Line
}

// An Arrow leads from a cause to its effect. The cause is never later than the effect.
type Arrow struct {
	Kind     ArrowKind
	What     string // reason of the wait, such as "chan receive", or the object that a value went through, such as "queue 3"
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

// Totals has the total time of a goroutine in each state, indexed by Kind.
type Totals [4]time.Duration

// Totals returns how long the goroutine was in each state.
func (g *Goroutine) Totals() (t Totals) {
	for _, s := range g.States {
		t[s.Kind] += s.End - s.Begin
	}
	return t
}

// UsedCores returns the average number of cores that the process used. available is the
// number of cores of the machine. ok is false if the average is not known: the clock of
// processor time is so coarse that a short process may seem to use more cores than the
// machine has.
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
