// Package mphost connects package mp with a program whose code is not all in its
// binary, such as the worker process of a notebook, which loads code while it runs. Such a
// program implements a Host, which names and finds its functions, and starts a child with
// the same functions. An ordinary program calls mp.Init and does not need this package.
package mphost

import (
	"context"
	"os/exec"
	"sync"

	"github.com/perijove/perijove/lib/mp/internal/child"
	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/program"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
)

// A Host names and finds the functions of this process and its children for package mp,
// and starts children.
//
// The same type serves both ends. In the parent, package mp calls FuncID, Captures,
// Reads, Notice, Context, Command, Start and Update; in a child, FuncPC and Apply; in
// both, Loaded and Message. A process that serves objects also calls FuncPC, for the
// processes that call Ask. All methods may be called concurrently.
type Host interface {
	// FuncID returns a name for the code that starts at pc. FuncPC finds the code by
	// that name in a child that has applied all updates. pc is a function of the user,
	// or a method of a generic type of package mp that the user's code instantiated.
	FuncID(pc uintptr) (string, error)
	// FuncPC is the inverse of FuncID, in the child.
	FuncPC(id string) (uintptr, error)
	// Loaded returns the address ranges of the constants (which include types) and
	// variables of code that is not in the binary. They have the same addresses in a
	// child that has applied all updates. See RecordVariables.
	Loaded() (constants, variables Range)
	// Captures reports whether the func value at the address val, whose first word is
	// pc, holds captured variables. It does if val is outside the read-only data of the
	// binary and of all loaded code.
	Captures(val, pc uintptr) bool
	// Reads returns the names of the variables that the function at pc uses, itself or
	// in functions that it calls, and that may have other values in a child. zero has the
	// variables that are zero there, and initial has those with their initial values there.
	Reads(pc uintptr) (zero, initial []string)
	// Notice shows text to the user: one line without a line feed. It may be called
	// again with the same text.
	Notice(text string)
	// Context returns a context that ends when the Host cancels the work of the calling
	// goroutine, or nil if it never does.
	Context() context.Context

	// Command returns a new command that starts a child: path, arguments, environment,
	// extra files and standard streams. If Stdout or Stderr is nil, the child gets the stream
	// of this process. Package mp adds its files after ExtraFiles, its environment
	// variables, and a process group. Then it starts the command, or calls Start. The
	// child must call RunChild.
	Command() (*exec.Cmd, error)
	// Start starts a child that runs one function. cmd is the command that Command
	// returned and package mp completed. Start may instead use a process that was
	// started earlier: it gives that process the command's environment, folder and
	// files, and sets cmd.Process. have is the version of the code that the child has (see
	// Update), 0 for a new process.
	Start(cmd *exec.Cmd) (have int, err error)
	// Update returns a message that brings a child to the current version of the loaded
	// code, and that version. have is the version that the child has, 0 for a new child. If
	// nothing is new, Update returns have and no message. It is called before each batch of
	// tasks, so an id may name new code after an update.
	Update(have int) (msg []byte, now int, err error)
	// Apply applies a message of Update in the child. No function runs before the first
	// message has been applied; later messages may arrive while a function runs.
	Apply(msg []byte) error

	// Message receives a message that the other side sent with Peer.Send: in the parent
	// from a child, in a child from its parent. Messages of one peer arrive in order,
	// and before the result of the function that sent them.
	Message(from *Peer, msg []byte)
}

// A Range is the range of addresses from Start up to, but not including, End.
type Range struct{ Start, End uintptr }

// A Peer is the other end of the connection between a parent and a child.
type Peer struct{ send func(msg []byte) error }

// NewPeer returns a Peer whose Send calls send.
func NewPeer(send func(msg []byte) error) *Peer { return &Peer{send} }

// Send delivers msg to the Message method of the peer's Host. It returns an
// error if the peer is gone. It may be called concurrently.
func (p *Peer) Send(msg []byte) error { return p.send(msg) }

// process holds the Host and the parent of this process.
var process struct {
	mu     sync.Mutex
	host   Host // nil until Set or RunChild is called
	parent *Peer
}

// Set makes h the Host of this process, which must not be a child. An ordinary program
// calls mp.Init instead. Set may be called more than once.
func Set(h Host) {
	if _, ordinary := h.(programHost); !ordinary {
		tracing.SetNotebook()
	}
	set(h, nil)
}

func set(h Host, parent *Peer) {
	setCanceller(h)
	program.SetLoaded(func() (constants, variables program.Range) {
		c, v := h.Loaded()
		return program.Range(c), program.Range(v)
	})
	process.mu.Lock()
	process.host, process.parent = h, parent
	process.mu.Unlock()
	codec.RecordAll()
}

// Parent returns the parent of this process, or nil if it is not a child.
func Parent() *Peer {
	process.mu.Lock()
	defer process.mu.Unlock()
	return process.parent
}

// Current returns the Host of this process, or the error mp.ErrNoEntry if there is
// none.
func Current() (Host, error) {
	process.mu.Lock()
	defer process.mu.Unlock()
	if process.host == nil {
		return nil, failure.ErrNoEntry
	}
	return process.host, nil
}

// RunChild runs the functions that the parent sends. It exits the process when the parent
// sends no more, or when the parent is gone. Call it on the main goroutine of a process
// for which IsChild returns true. An ordinary program calls mp.Init instead.
func RunChild(h Host) {
	e := child.Open()
	parent := NewPeer(e.SendMessage)
	set(h, parent)
	e.Run(childHost{h, parent})
}

// A childHost adapts a Host to child.Host, for messages from the parent.
type childHost struct {
	Host
	parent *Peer
}

func (h childHost) Message(msg []byte) { h.Host.Message(h.parent, msg) }

// RecordVariables records the errors that the variables within r hold, and forgets
// the errors recorded for r before. A recorded error is the same error in all processes. A
// Host calls RecordVariables in parent and child when variables outside the binary have
// been initialized.
func RecordVariables(r Range) { codec.RecordRange(program.Range(r)) }
