// Package supervisor starts a worker process and exchanges messages with it. It relays what
// the worker prints, shows and asks to the output of the cell that it belongs
// to, watches its memory, and says why it ended.
package supervisor

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/sinks"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// Options say how a worker is started and what the supervisor needs to know.
type Options struct {
	Command []string
	Dir     string   // where the worker starts
	PipeDir string   // folder for named pipes
	Env     []string // beyond this process's
	Limit   MemoryLimit
	Log     *slog.Logger

	// Extension returns the kernel's side of an extension, which answers by
	// writing to reply. It may be nil.
	Extension func(w *Worker, reply io.Writer) Extension
	// Style returns how calls are shown. It may be nil.
	Style func() traceback.Style
	// Compiler returns the compiler whose memory counts as the worker's. It may
	// be nil.
	Compiler func() Compiler
	// OnOrphans is called when an interrupt finds no cell, with the number of
	// goroutines that earlier interrupts could not stop. It may be nil.
	OnOrphans func(count int, s output.Sink)
}

// An Extension is the kernel's side of a protocol that a package which cells
// import uses over two more pipes. In the worker they are the file
// descriptors ExtensionWriteFD and ExtensionReadFD.
type Extension interface {
	// Receive takes bytes that cells have written.
	Receive(b []byte)
	// TakePrompt returns how to ask for the next line of standard input, if the
	// extension has asked for that.
	TakePrompt() (prompt string, password, ok bool)
	Close()
}

// File descriptors of an extension's pipes in the worker.
const (
	ExtensionWriteFD = control.FD + 1
	ExtensionReadFD  = control.FD + 2
)

// A Compiler is a process beside the worker.
type Compiler interface {
	PID() int // 0 if none runs
	Stop(reason error)
}

// ErrGone reports that the worker has ended.
var ErrGone = errors.New("the worker is gone")

// An InterruptedError is the error of a wait for the worker that the user ended.
type InterruptedError string

func (e InterruptedError) Error() string { return string(e) }

// A Worker is a worker process as its kernel sees it. One goroutine, the pump,
// reads everything that the worker sends and passes it on in order.
type Worker struct {
	cmd    *exec.Cmd
	conn   *control.Conn
	socket *os.File
	log    *slog.Logger

	ready chan error    // gets nil when the worker takes requests
	ended chan struct{} // closed when the process is gone and all was read
	// secondInterrupt asks the pump to end a worker that does not answer an
	// interrupt.
	secondInterrupt chan struct{}
	killReason      chan error // to the pump: end the worker, for this reason
	memoryLimit     atomic.Pointer[MemoryLimit]
	standby         atomic.Int64 // the process that waits to become a child; 0 if none does
	oomKills        int          // how often Linux had killed for memory before the start

	style     func() traceback.Style
	compiler  func() Compiler
	onOrphans func(count int, s output.Sink)

	// These fields belong to the pump once that runs.
	pipes      [2]*pipe // standard output and error
	extension  Extension
	extPipe    *pipe    // what cells write to the extension; nil if there is none
	extReply   *os.File // what they read
	allPipes   []*pipe  // pipes, and those that children of earlier cells hold
	readable   chan *pipe
	stopped    chan struct{} // closed when the pump ends
	pipeDir    string
	isReady    bool
	crash      CrashDump // what may be the beginning of a crash
	crashTimer *time.Timer
	fatalErr   error // why the kernel gave the worker up; valid once ended is closed

	// interruptTimer fires when the worker has not ended a cell long after an
	// interrupt.
	interruptTimer *time.Timer

	reapMu   sync.Mutex
	isReaped bool // guarded by reapMu

	mu     sync.Mutex      // guards what follows
	id     int             // of the last request
	cell   int             // the notebook's number of the running cell, 0 if it has none
	ctx    context.Context // of the running cell: ends when it is interrupted or over
	cancel context.CancelFunc
	done   chan control.Reply // of the running request; nil if none runs
	// interrupted is the request that was interrupted last.
	interrupted int
	sink        output.Sink // of the running cell, or of the last
	lastSink    output.Sink // of the cell before that
	executions  executions
	pending     *pendingCell // the cell that was sent and is not yet loaded
	// programsHoldPipes and childrenHoldPipes say that programs started by
	// cells, and processes of package mp, have the present pipes.
	programsHoldPipes, childrenHoldPipes bool
	comms                                map[string]bool // open ones, by ID
}

// PID returns the worker's process number.
func (w *Worker) PID() int { return w.cmd.Process.Pid }

// IsDead reports whether the process is gone and all of its output was passed on.
func (w *Worker) IsDead() bool {
	select {
	case <-w.ended:
		return true
	default:
		return false
	}
}

// Execution returns the ID of the last request and whether it still runs.
func (w *Worker) Execution() (id int, running bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.id, w.done != nil
}

// Sink returns the output of the running cell, or of the last.
func (w *Worker) Sink() output.Sink { return w.sinkOf(0) }

// sinkOf returns the output of an execution, 0 for the running one.
func (w *Worker) sinkOf(id int) output.Sink {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e := w.executions.byID[id]; e != nil {
		return e.sink
	}
	if w.sink == nil {
		return sinks.Discard{}
	}
	return w.sink
}

// currentStyle returns how calls are shown.
func (w *Worker) currentStyle() traceback.Style {
	if w.style == nil {
		return traceback.Style{}
	}
	return w.style()
}
