package control

import (
	"fmt"
	"time"
)

// The ways in which a cell ends.
const (
	Returned    = "returned"
	Panicked    = "panicked"
	Exited      = "exited" // the cell called os.Exit
	Goexit      = "goexit" // the cell called runtime.Goexit
	Interrupted = "interrupted"
	Deadlocked  = "deadlocked" // the cell is blocked, and no goroutine can wake it
)

// An Outcome describes how a cell, or a goroutine that it started, ended.
type Outcome struct {
	How    string  `json:"how"`
	Value  string  `json:"value,omitempty"` // the panic value, as the runtime prints it
	Code   int     `json:"code,omitempty"`  // exit code
	Frames []Frame `json:"frames,omitempty"`
	Child  []Frame `json:"child,omitempty"` // the stack of a panic in a child process, if Value is an error that reports one

	// Init is the package initialization in which the cell ended, or nil if no package was being initialized.
	Init *Init `json:"init,omitempty"`
	// Uninitialized maps each package that cannot be used to the package whose initialization failed: itself, or a
	// package that it imports.
	Uninitialized map[string]string `json:"uninitialized,omitempty"`

	// Goroutine and Started describe a goroutine that has panicked and is not the cell's own. Goroutine is its kind:
	// "goroutine", "timer", "finalizer" or "cleanup". Started is the call or statement that started it, if known.
	Goroutine string `json:"goroutine,omitempty"`
	Started   *Frame `json:"started,omitempty"`
	// Runs is the position at which the goroutine's outermost function from a cell begins. It is nil if the goroutine was started in a cell.
	Runs *Frame `json:"runs,omitempty"`

	// Assigned lists variables whose type the cell has changed and to which it has then assigned a value.
	Assigned []string `json:"assigned,omitempty"`

	// Stuck is the cell's own goroutine if it could not be stopped, after an interrupt or after a panic of another
	// goroutine.
	Stuck *Goroutine `json:"stuck,omitempty"`
	// Goroutines lists, for an interrupted cell, the goroutines that it started and that still run. For a deadlock,
	// it lists the blocked goroutines, the cell's own first. Count is the number of goroutines without the cell's
	// own. Goroutines may have fewer.
	Goroutines []Goroutine `json:"goroutines,omitempty"`
	Count      int         `json:"count,omitempty"`
}

// An Init is the initialization of a package. At is the place at which it ended, or nil if the place is not known.
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
	Cell    int     `json:"cell,omitempty"` // number of the cell to which the goroutine belongs, if known
	// AtLeast and AtMost are bounds of the time for which the goroutine has been waiting; 0 means no bound. The
	// runtime notices that a goroutine waits only when it collects garbage.
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
