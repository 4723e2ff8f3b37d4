package control

// The ways in which a cell ends.
const (
	Returned    = "returned"
	Panicked    = "panicked"
	Exited      = "exited" // os.Exit
	Goexit      = "goexit" // runtime.Goexit
	Interrupted = "interrupted"
	Deadlocked  = "deadlocked" // no goroutine can wake it
)

// An Outcome tells how a cell, or a goroutine that it started, ended.
type Outcome struct {
	How    string  `json:"how"`
	Value  string  `json:"value,omitempty"` // what was panicked with, as the runtime prints it
	Code   int     `json:"code,omitempty"`  // exit code
	Frames []Frame `json:"frames,omitempty"`
	Child  []Frame `json:"child,omitempty"` // where a panic in another process was, if Value is an error that tells of one

	// Init is the package initialization in which the cell ended; nil if none
	// was running.
	Init *Init `json:"init,omitempty"`
	// Uninitialized lists all packages that cannot be used, each with the one
	// whose initialization failed: itself or one that it needs.
	Uninitialized map[string]string `json:"uninitialized,omitempty"`

	// Of a panic in another goroutine than the cell's own: what that was, a
	// "goroutine", "timer", "finalizer" or "cleanup", and the call or statement
	// that started it, if that is known.
	Goroutine string `json:"goroutine,omitempty"`
	Started   *Frame `json:"started,omitempty"`
	// Runs is where the outermost function of a cell that the goroutine has called begins, if it was not started in a cell.
	Runs *Frame `json:"runs,omitempty"`

	// Assigned lists the variables with a changed type that have got their
	// values.
	Assigned []string `json:"assigned,omitempty"`

	// Of a cell that was interrupted, or that another goroutine's panic ended:
	// where its own goroutine is, if that could not be stopped.
	Stuck *Goroutine `json:"stuck,omitempty"`
	// Of a cell that was interrupted: goroutines that it started and that still
	// run. Of a deadlock: what is blocked, its own goroutine first. Count is of
	// the others, of which some may not be listed.
	Goroutines []Goroutine `json:"goroutines,omitempty"`
	Count      int         `json:"count,omitempty"`
}

// An Init is the initialization of a package, and the place in it where it
// ended; nil if that is not known.
type Init struct {
	Package string `json:"package"`
	At      *Frame `json:"at,omitempty"`
}

// A Goroutine is the state and the stack of one, as the runtime describes them.
type Goroutine struct {
	State   string  `json:"state"`
	Frames  []Frame `json:"frames,omitempty"` // innermost first
	Created *Frame  `json:"created,omitempty"`
}

// A Frame is one call of a stack.
type Frame struct {
	Func string `json:"func"`
	File string `json:"file"`
	Line int    `json:"line"`

	PC uintptr `json:"-"`
}
