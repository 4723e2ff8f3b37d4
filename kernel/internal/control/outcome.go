package control

import (
	"fmt"
	"time"
)

// The ways in which a cell ends.
const (
	Returned    = "returned"
	Panicked    = "panicked"
	Exited      = "exited" // os.Exit
	Goexit      = "goexit" // runtime.Goexit
	Interrupted = "interrupted"
	Deadlocked  = "deadlocked" // no goroutine can wake it
)

// An Outcome describes how a cell, or a goroutine that it started, ended.
type Outcome struct {
	How    string  `json:"how"`
	Value  string  `json:"value,omitempty"` // the panic value, as the runtime prints it
	Code   int     `json:"code,omitempty"`  // exit code
	Frames []Frame `json:"frames,omitempty"`
	Child  []Frame `json:"child,omitempty"` // the stack of a panic in a child process, if Value is an error that reports one

	// Init is the package initialization in which the cell ended; nil if none
	// was running.
	Init *Init `json:"init,omitempty"`
	// Uninitialized has all packages that cannot be used, each with the package whose
	// initialization failed: the package itself or one that it imports.
	Uninitialized map[string]string `json:"uninitialized,omitempty"`

	// Goroutine and Started are about a panic in a goroutine other than the cell's own:
	// its kind, "goroutine", "timer", "finalizer" or "cleanup", and the call or statement
	// that started it, if known.
	Goroutine string `json:"goroutine,omitempty"`
	Started   *Frame `json:"started,omitempty"`
	// Runs is the position at which the goroutine's outermost function from a cell begins. It is nil if the goroutine was started in a cell.
	Runs *Frame `json:"runs,omitempty"`

	// Assigned lists the variables with a changed type to which the cell has assigned their
	// values.
	Assigned []string `json:"assigned,omitempty"`

	// Stuck is the cell's own goroutine, if the cell was interrupted, or ended by another
	// goroutine's panic, and that goroutine could not be stopped.
	Stuck *Goroutine `json:"stuck,omitempty"`
	// Goroutines lists, for an interrupted cell, goroutines that it started and that still
	// run; for a deadlock, the blocked goroutines, the cell's own first. Count is the
	// number of goroutines without the cell's own, of which some may not be listed.
	Goroutines []Goroutine `json:"goroutines,omitempty"`
	Count      int         `json:"count,omitempty"`
}

// An Init is the initialization of a package, and the place in it where it
// ended; nil if that is not known.
type Init struct {
	Package string `json:"package"`
	At      *Frame `json:"at,omitempty"`
}

// A Goroutine is the state and the stack of a goroutine, as the runtime describes them.
type Goroutine struct {
	State   string  `json:"state"`
	Frames  []Frame `json:"frames,omitempty"` // innermost first
	Created *Frame  `json:"created,omitempty"`
	ID      uint64  `json:"id,omitempty"`
	Cell    int     `json:"cell,omitempty"` // the number of its cell, if known
	// AtLeast and AtMost limit how long it has been waiting; 0 if there is no limit. The runtime
	// notices that a goroutine waits only when it collects garbage.
	AtLeast time.Duration `json:"atLeast,omitempty"`
	AtMost  time.Duration `json:"atMost,omitempty"`
}

// A Frame is one call of a stack.
type Frame struct {
	Func string `json:"func"`
	File string `json:"file"`
	Line int    `json:"line"`

	PC uintptr `json:"-"`
}

// String returns a call in a cell as errors name it.
func (f Frame) String() string { return fmt.Sprintf("%s line %d, in %s", f.File, f.Line, f.Func) }
