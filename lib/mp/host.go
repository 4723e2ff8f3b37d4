package mp

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
)

// A Host tells this package what it cannot know about the process it lives
// in, where that is more than one binary: how functions are named and found,
// and how a child that has the same functions is started. An ordinary program
// needs none: Init installs the Host of a plain binary.
//
// The same Host serves both ends. In the parent FuncID, Captures, Reads,
// Notice, Context, Command and Update are called, in a child FuncPC and Apply, and
// Message in both; a process that serves objects calls FuncPC for those who ask.
// All methods may be called from several goroutines.
type Host interface {
	// FuncID names the code that starts at pc, so that FuncPC of a child that
	// has applied all updates finds it. Besides the functions that users send,
	// pc may be a method of a generic type of this package, instantiated by
	// the user's code: whatever executable code the host knows has an id.
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
	// is nil the child gets this process's. The package adds its own files
	// after ExtraFiles, one environment variable, and a process group, and
	// starts it. The child must reach RunChild.
	Command() (*exec.Cmd, error)
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

// A Peer is the other end of a parent's and child's connection.
type Peer struct{ conn *conn }

// Send delivers msg to the Message method of the peer's Host.
func (p *Peer) Send(msg []byte) error {
	return p.conn.send(frame{kind: frameMessage, body: msg})
}

// here is what this process is to the package. A process has one entry, one
// host and one parent, so these are variables of the process.
var here struct {
	mu     sync.Mutex
	host   Host // nil until the entry ran
	parent *Peer
	depth  atomic.Int32 // 0 in the first process, 1 in its children …
}

// SetHost makes h the Host of this process, which is no child. A program
// calls Init instead.
func SetHost(h Host) {
	recordVariables()
	here.mu.Lock()
	defer here.mu.Unlock()
	here.host = h
	setInterrupts(h)
	reach(nil, nil, nil, nil, nil)
}

// Parent returns the parent of this process, or nil if it is no child.
func Parent() *Peer {
	here.mu.Lock()
	defer here.mu.Unlock()
	return here.parent
}

func currentHost() (Host, error) {
	here.mu.Lock()
	defer here.mu.Unlock()
	if here.host == nil {
		return nil, ErrNoEntry
	}
	return here.host, nil
}

// announce tells the user which variables a function will not see as they are.
func announce(h Host, pc uintptr) {
	for _, text := range readsNotices(pc, h) {
		h.Notice(text)
	}
}

// ProgramHost is the Host that Init installs, for hosts that build on it.
func ProgramHost() Host { return program{} }

// program is the Host of an ordinary program: parent and child are one file.
type program struct{}

func (program) FuncID(pc uintptr) (string, error)          { return programID(pc) }
func (program) FuncPC(id string) (uintptr, error)          { return programPC(id) }
func (program) Loaded() (_, _ Range)                       { return Range{}, Range{} }
func (program) Captures(val, _ uintptr) bool               { return !inImage(val) }
func (program) Reads(uintptr) (_, _ []string)              { return nil, nil }
func (program) Notice(text string)                         { os.Stderr.WriteString(text + "\n") }
func (program) Update(have int) (_ []byte, _ int, _ error) { return nil, have, nil }
func (program) Apply([]byte) error                         { return nil }
func (program) Context() context.Context                   { return nil }
func (program) Message(*Peer, []byte)                      {}

func (program) Command() (*exec.Cmd, error) {
	path, err := executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path)
	cmd.Args = os.Args
	return cmd, nil
}
