// Package control is the channel between the kernel and a worker: frames of a
// length and a JSON message, over a socket that only the two hold. It is a
// leaf; both sides import it.
package control

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// MaxFrame bounds a message, in bytes. Pictures travel as base64 text.
const MaxFrame = 256 << 20

// Kinds of messages from the kernel to the worker.
const (
	Run       = "run"       // load an object and call its entry
	Setup     = "setup"     // change folder, environment, arguments
	Drop      = "drop"      // Symbols are no longer meant by any name
	Old       = "old"       // asks which variables that no name means are kept: Notices
	Reload    = "reload"    // packages changed: Packages, Importcfg, Renew
	Interrupt = "interrupt" // stop the running cell
	Ack       = "ack"       // a Display or Result was delivered
	Line      = "line"      // answers Input
	Comm      = "comm"      // a message of a comm; in both directions
)

// Kinds of messages from the worker to the kernel.
const (
	Ready   = "ready"
	Loaded  = "loaded" // the object is linked; the cell begins
	Done    = "done"   // the cell ended
	Display = "display"
	Result  = "result"
	Input   = "input"
	Notice  = "notice"  // a remark for the user
	Failure = "failure" // a panic outside of any cell's own goroutine
	Left    = "left"    // answers an Interrupt when no cell runs
	Print   = "print"   // what a goroutine of an earlier cell has printed
)

// Remembered is how many executions both sides tell apart: output of older ones
// shows in the running cell.
const Remembered = 1024

// Initial says how the variables that a cell declares begin in child
// processes. Names are link symbols.
type Initial struct {
	Func    string   // a func() that gives variables their first values, or ""
	Known   []string // variables that begin in a child as they did here
	Unknown []string // those that are zero there
	Altered []string // of all variables: those that the notebook's code changes
}

// A Message is any message, in either direction. Fields not used by a kind
// are left out.
type Message struct {
	Kind string `json:"kind"`
	// ID is the cell's execution. In Print, Display and Notice it is that of an
	// earlier cell, or 0 for the running one; in Failure it is that of the cell
	// whose goroutine panicked, or 0 if that is not known.
	ID  int `json:"id,omitempty"`
	Seq int `json:"seq,omitempty"` // pairs Display and Result with Ack, Input with Line

	Object    string   `json:"object,omitempty"`
	Importcfg string   `json:"importcfg,omitempty"` // compiled packages beyond the image's
	Fresh     []string `json:"fresh,omitempty"`
	Renewed   []string `json:"renewed,omitempty"`
	Entry     string   `json:"entry,omitempty"`
	Initial   *Initial `json:"initial,omitempty"`
	Forget    bool     `json:"forget,omitempty"` // the object is the first of a new program
	Cell      int      `json:"cell,omitempty"`   // the cell's number in the notebook
	// Outlets are named pipes that become standard output and error once the
	// object is loaded. Held and Shared, in Done, say that programs started by
	// cells, and processes of package mp, have the present ones.
	Outlets  []string `json:"outlets,omitempty"`
	Changed  bool     `json:"changed,omitempty"` // in Loaded: the outlets are in use
	Held     bool     `json:"held,omitempty"`
	Shared   bool     `json:"shared,omitempty"`
	Init     bool     `json:"init,omitempty"`
	Whole    bool     `json:"whole,omitempty"` // a panic in any goroutine ends the cell
	Live     []string `json:"live,omitempty"`  // packages under edit
	Retry    []string `json:"retry,omitempty"` // packages to initialize although that failed before
	Packages []string `json:"packages,omitempty"`
	Renew    bool     `json:"renew,omitempty"`   // their types are made anew; in Done too
	Reset    []string `json:"reset,omitempty"`   // variables that could not be kept
	Notices  []string `json:"notices,omitempty"` // in Loaded: what to say of it
	Symbols  []string `json:"symbols,omitempty"` // in Drop

	Dir   string   `json:"dir,omitempty"`
	Env   []string `json:"env,omitempty"`   // NAME=VALUE to set, NAME to unset
	Args  []string `json:"args,omitempty"`  // os.Args, with a fresh flag set
	Flags []string `json:"flags,omitempty"` // flags that the next cell defines anew
	// Memory is the new limit of the worker's data, in bytes; negative for none.
	Memory int64 `json:"memory,omitempty"`

	Count    int    `json:"count,omitempty"`  // in Left: goroutines that were to be stopped and still are blocked
	Stream   int    `json:"stream,omitempty"` // of Print: 1 or 2
	Bytes    []byte `json:"bytes,omitempty"`
	Text     string `json:"text,omitempty"`
	Password bool   `json:"password,omitempty"`
	Error    string `json:"error,omitempty"`  // why a load or an input failed
	At       *Frame `json:"at,omitempty"`     // with Error: what in the cell could not be linked
	Import   string `json:"import,omitempty"` // with Error: the package that brings along what is missing

	Outcome *Outcome        `json:"outcome,omitempty"`
	Output  json.RawMessage `json:"output,omitempty"` // a displayhost.Message, or in Comm a comm.Message
}

// How a cell ended.
const (
	Returned    = "returned"
	Panicked    = "panicked"
	Exited      = "exited" // os.Exit
	Goexit      = "goexit" // runtime.Goexit
	Interrupted = "interrupted"
	Deadlocked  = "deadlocked" // it can never go on
)

// An Outcome tells how a cell, or a goroutine that it started, ended.
type Outcome struct {
	How    string  `json:"how"`
	Value  string  `json:"value,omitempty"` // what was panicked with, as the runtime prints it
	Code   int     `json:"code,omitempty"`  // exit code
	Frames []Frame `json:"frames,omitempty"`

	// Init is the package that was being initialized when the cell ended, which
	// failed thereby; nil if none was.
	Init *Init `json:"init,omitempty"`
	// Uninitialized lists all packages that cannot be used, each with the one
	// whose initialization failed: itself or one that it needs.
	Uninitialized map[string]string `json:"uninitialized,omitempty"`

	// Of a panic in another goroutine than the cell's own: what that was, a
	// "goroutine", "timer", "finalizer" or "cleanup", and the call or statement
	// that started it, if that is known.
	Goroutine string `json:"goroutine,omitempty"`
	Started   *Frame `json:"started,omitempty"`

	// Assigned are the variables of another type than before that have got
	// their values.
	Assigned []string `json:"assigned,omitempty"`

	// Of a cell that was interrupted, or that another goroutine's panic ended:
	// where its own goroutine is, if it was left behind.
	Stuck *Goroutine `json:"stuck,omitempty"`
	// Of a cell that was interrupted: goroutines that it started and that go
	// on. Of a deadlock: what is blocked, its own goroutine first. Count is of
	// the others, of which some may not be listed.
	Goroutines []Goroutine `json:"goroutines,omitempty"`
	Count      int         `json:"count,omitempty"`
}

// An Init is the initialization of a package, and the place in it where it ended; nil if that is not known.
type Init struct {
	Package string `json:"package"`
	At      *Frame `json:"at,omitempty"`
}

// A Goroutine is where one is and what it is at, as the runtime says it.
type Goroutine struct {
	State   string  `json:"state"`
	Frames  []Frame `json:"frames,omitempty"` // innermost first
	Created *Frame  `json:"created,omitempty"`
}

// A Frame is one call of a stack, innermost first.
type Frame struct {
	Func string `json:"func"`
	File string `json:"file"`
	Line int    `json:"line"`

	PC uintptr `json:"-"`
}

// A Conn sends and receives messages. Send may be called from several
// goroutines, Receive from one.
type Conn struct {
	r  *bufio.Reader
	mu sync.Mutex // guards w: a frame is written whole
	w  io.Writer
}

// New makes a Conn of a connected socket.
func New(rw io.ReadWriter) *Conn { return &Conn{r: bufio.NewReader(rw), w: rw} }

// Send writes one message.
func (c *Conn) Send(m Message) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(b) > MaxFrame {
		return fmt.Errorf("a %s message of %d MB exceeds the limit of %d MB", m.Kind, len(b)>>20, MaxFrame>>20)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err = c.w.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...))
	return err
}

// Receive reads one message. It returns io.EOF when the other side is gone.
func (c *Conn) Receive() (Message, error) {
	var head [4]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		if err == io.ErrUnexpectedEOF {
			err = io.EOF
		}
		return Message{}, err
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n > MaxFrame {
		return Message{}, fmt.Errorf("malformed control message: length %d", n)
	}
	// The length is not trusted with memory: the buffer grows as bytes arrive.
	b, err := io.ReadAll(io.LimitReader(c.r, int64(n)))
	if err != nil {
		return Message{}, err
	}
	if len(b) < int(n) {
		return Message{}, io.EOF
	}
	var m Message
	if err := json.Unmarshal(b, &m); err != nil {
		return Message{}, fmt.Errorf("malformed control message: %w", err)
	}
	return m, nil
}
