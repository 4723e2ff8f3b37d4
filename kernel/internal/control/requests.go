package control

import (
	"github.com/perijove/perijove/lib/comm"
	"github.com/perijove/perijove/lib/mp/mpsource"
)

// Messages that the kernel sends. Requests with an ID are carried out in order, and
// each is answered by one Reply with the same ID.
type (
	// Run loads an object and calls its entry. The answer is LoadFailed, or Loaded and, when the cell has ended,
	// Done.
	Run struct {
		ID        int               `json:"id"`                  // ID of the execution
		Cell      int               `json:"cell,omitempty"`      // the number of the cell in the notebook, or 0
		Object    string            `json:"object,omitempty"`    // the file of the compiled cell; "" if there is nothing to load
		Importcfg string            `json:"importcfg,omitempty"` // compiled packages in addition to the image's
		Fresh     []string          `json:"fresh,omitempty"`     // symbols that the object defines, new or in place of older definitions
		Renewed   []string          `json:"renewed,omitempty"`   // the symbols of Fresh that existed before
		Literals  []string          `json:"literals,omitempty"`  // the symbols of Fresh that are function literals of generic code
		Entry     string            `json:"entry,omitempty"`     // the symbol of the function to call; "" for none
		Init      bool              `json:"init,omitempty"`      // the object has variables to initialize
		Initial   Initial           `json:"initial"`
		Forget    bool              `json:"forget,omitempty"` // the object is the first one after the notebook's declarations were removed
		Live      []string          `json:"live,omitempty"`   // packages that the user edits
		Retry     []string          `json:"retry,omitempty"`  // packages to initialize again after a failed initialization
		Source    *mpsource.Program `json:"source,omitempty"` // hashes of the notebook's declarations, if package cluster needs them
		// EndsOnAnyPanic makes a panic in any goroutine end the cell.
		EndsOnAnyPanic bool `json:"endsOnAnyPanic,omitempty"`
		// TextOnly reports that the front end is a console.
		TextOnly bool `json:"textOnly,omitempty"`
		// Trace is the folder into which the execution of the cell is recorded, or "".
		Trace string `json:"trace,omitempty"`
		// OutputPipes are named pipes that become standard output and error
		// once the object is loaded.
		OutputPipes []string `json:"outputPipes,omitempty"`
	}

	// Setup changes the folder, environment, arguments or memory limit of the worker process. Zero fields change
	// nothing. SetupReply answers it.
	Setup struct {
		ID    int      `json:"id"`
		Dir   string   `json:"dir,omitempty"`
		Env   []string `json:"env,omitempty"`   // NAME=VALUE to set, NAME to unset
		Args  []string `json:"args,omitempty"`  // new os.Args; command-line flags get their default values again
		Flags []string `json:"flags,omitempty"` // command-line flags to remove, since the next cell defines them again
		// Memory is the new limit of the process's data, in bytes; a negative value means no limit.
		Memory int64 `json:"memory,omitempty"`
	}

	// Reload replaces packages that have changed. ReloadReply answers it.
	Reload struct {
		ID        int      `json:"id"`
		Packages  []string `json:"packages,omitempty"`
		Importcfg string   `json:"importcfg,omitempty"`
		Renew     bool     `json:"renew,omitempty"` // the packages get new types, which are not identical to the old ones
	}

	// Drop lists the variables to which no name of the notebook refers any more. It has no answer.
	Drop struct {
		Symbols []string `json:"symbols,omitempty"`
	}

	// ListDropped asks which dropped variables are still in use. DroppedList answers it.
	ListDropped struct {
		ID int `json:"id"`
	}

	// ListGoroutines asks for the goroutines of cells. GoroutineList answers it.
	ListGoroutines struct {
		ID int `json:"id"`
	}

	// Interrupt stops the running cell. If no cell runs, PendingStops answers it.
	Interrupt struct{}

	// DropStandby ends the standby, since memory is short. A message Standby follows.
	DropStandby struct{}

	// Ack reports that the Display, Result, Comm or Notice with this Seq was delivered.
	Ack struct {
		Seq int `json:"seq"`
	}

	// InputReply answers an InputRequest.
	InputReply struct {
		Seq   int    `json:"seq"`
		Text  string `json:"text,omitempty"`
		Error string `json:"error,omitempty"` // why there is no text
	}

	// Comm is a message of a Jupyter comm, in either direction. A Comm of the worker process has a Seq, and an Ack
	// answers it.
	Comm struct {
		Seq     int          `json:"seq,omitempty"`
		Message comm.Message `json:"message"`
	}
)

// An Answer answers a message of the worker process and has the Seq of the message.
type Answer interface {
	Message
	Sequence() int
}

func (m Ack) Sequence() int        { return m.Seq }
func (m InputReply) Sequence() int { return m.Seq }

// Initial describes the values that the variables of a cell have at first in child
// processes. Names are link symbols.
type Initial struct {
	Func    string   `json:"func,omitempty"`    // a func() that assigns initial values to variables, or ""
	Known   []string `json:"known,omitempty"`   // variables that have the same initial value in a child as in the worker process
	Unknown []string `json:"unknown,omitempty"` // variables that are zero in a child
	Altered []string `json:"altered,omitempty"` // variables, also of other cells, that the notebook's code changes after they get their initial values
}

func (Run) kind() string            { return "run" }
func (Setup) kind() string          { return "setup" }
func (Reload) kind() string         { return "reload" }
func (Drop) kind() string           { return "drop" }
func (ListDropped) kind() string    { return "list_dropped" }
func (ListGoroutines) kind() string { return "list_goroutines" }
func (Interrupt) kind() string      { return "interrupt" }
func (DropStandby) kind() string    { return "drop_standby" }
func (Ack) kind() string            { return "ack" }
func (InputReply) kind() string     { return "input_reply" }
func (Comm) kind() string           { return "comm" }
