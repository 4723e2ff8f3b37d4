// Package mphost connects package mp with a program that is more than one binary:
// one that loads code while it runs, as the worker of a notebook does. Such a
// program says how its functions are named and found, and how a child that has
// the same functions is started. An ordinary program calls mp.Init and needs
// nothing of this package.
package mphost

import (
	"context"
	"os/exec"
	"sync"

	"github.com/perijove/perijove/lib/mp/internal/child"
	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/program"
)

// A Host tells package mp how functions are named and found in this process and
// its children, and how a child is started.
//
// The same Host serves both ends. In the parent FuncID, Captures, Reads,
// Notice, Context, Command, Start and Update are called, in a child FuncPC and Apply, and
// Message in both; a process that serves objects calls FuncPC for the processes
// that ask. All methods may be called concurrently.
type Host interface {
	// FuncID names the code that starts at pc, so that FuncPC of a child that
	// has applied all updates finds it. Besides the functions that users send,
	// pc may be a method of a generic type of package mp, instantiated by
	// the user's code: all executable code that the host knows has an id.
	FuncID(pc uintptr) (string, error)
	// FuncPC is the inverse of FuncID, in the child.
	FuncPC(id string) (uintptr, error)
	// Loaded returns where constants, types among them, and variables of code
	// lie that is not in the binary. They have the same addresses in a child
	// that has applied all updates. See RecordVariables.
	Loaded() (constants, variables Range)
	// Captures reports whether the func value at the address val, whose first
	// word is pc, holds captured variables: whether it lies outside of the
	// read-only data of everything that is loaded.
	Captures(val, pc uintptr) bool
	// Reads names the variables that the function at pc uses, directly or by
	// what it calls, and that are not in a child as they are here: zero there,
	// or as they were initialized.
	Reads(pc uintptr) (zero, initial []string)
	// Notice shows a remark to the user, one line without a line feed. It may be
	// called again with the same text.
	Notice(text string)
	// Context is nil or ends when what the calling goroutine does is to be
	// cancelled: what it waits for, and what it started.
	Context() context.Context

	// Command makes the command that starts a child: path, arguments,
	// environment, further files and standard streams. Where Stdout or Stderr
	// is nil the child gets this process's. Package mp adds its files
	// after ExtraFiles, environment variables, and a process group, and starts
	// it, or has Start do so. The child must reach RunChild.
	Command() (*exec.Cmd, error)
	// Start starts the command of a child that runs one function, completed by
	// package mp, or makes a process that was started ahead that child: with the
	// command's environment, folder and files, and with Process set. have is the
	// version of Update that the child is at already, 0 for a new one.
	Start(cmd *exec.Cmd) (have int, err error)
	// Update returns what a child must apply to have everything that this
	// process can name by now. have is the version that the child is at, 0 for
	// a new one; if nothing is new, Update returns have and no message. It is
	// called before each batch of tasks, so what an id names may change.
	Update(have int) (msg []byte, now int, err error)
	// Apply applies a message of Update in the child. No function runs before
	// the first one has been applied; later ones may arrive while one runs.
	Apply(msg []byte) error

	// Message receives what the other side sent with Peer.Send: in the parent
	// from a child, in a child from its parent. Messages of one peer arrive in
	// order, and before the result of the function that sent them.
	Message(from *Peer, msg []byte)
}

// A Range is a range of addresses. It does not include End.
type Range struct{ Start, End uintptr }

// A Peer is the other end of the connection between a parent and a child.
type Peer struct{ send func(msg []byte) error }

// NewPeer returns a Peer whose Send calls send.
func NewPeer(send func(msg []byte) error) *Peer { return &Peer{send} }

// Send delivers msg to the Message method of the peer's Host. It returns an
// error if the peer is gone. It may be called concurrently.
func (p *Peer) Send(msg []byte) error { return p.send(msg) }

// process is what this process is to package mp. A process has one entry, one
// host and one parent, so these are variables of the process.
var process struct {
	mu     sync.Mutex
	host   Host // nil until the entry ran
	parent *Peer
}

// Set makes h the Host of this process, which is not a child. An ordinary program
// calls mp.Init instead. Set may be called again.
func Set(h Host) { set(h, nil) }

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

// Current returns the Host of this process. Its error is mp.ErrNoEntry if there
// is none.
func Current() (Host, error) {
	process.mu.Lock()
	defer process.mu.Unlock()
	if process.host == nil {
		return nil, failure.ErrNoEntry
	}
	return process.host, nil
}

// RunChild turns this process, for which IsChild is true, over to its parent,
// and exits when there is no more to do or the parent is gone. It must be
// called on the main goroutine. An ordinary program calls mp.Init instead.
func RunChild(h Host) {
	e := child.Open()
	parent := NewPeer(e.SendMessage)
	set(h, parent)
	e.Run(childHost{h, parent})
}

// A childHost is a Host as a child needs it.
type childHost struct {
	Host
	parent *Peer
}

func (h childHost) Message(msg []byte) { h.Host.Message(h.parent, msg) }

// RecordVariables notes the errors that the variables within r hold, in place of
// what was noted of them before: an error among them is the same in all
// processes. A Host calls it, in parent and child, when variables outside of the
// binary have been initialized.
func RecordVariables(r Range) { codec.RecordRange(program.Range(r)) }
