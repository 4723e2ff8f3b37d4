// Package supervisor starts a worker process and exchanges messages with it. It passes the process's output, displays
// and input requests to the sink of the right cell, limits its memory, and reports why it ended.
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

// Options configure the start and the supervision of a worker process.
type Options struct {
	Command []string
	Dir     string   // folder in which the process starts
	PipeDir string   // folder for named pipes
	Env     []string // environment variables in addition to the environment of this process
	Limit   MemoryLimit
	Log     *slog.Logger

	// Extension returns the kernel's side of an extension. The extension sends its answers to reply. Extension may be
	// nil.
	Extension func(w *Worker, reply io.Writer) Extension
	// Style returns the style in which calls are shown. Style may be nil.
	Style func() traceback.Style
	// Compiler returns the compiler. The limit of the worker process includes the compiler's memory. Compiler may be
	// nil.
	Compiler func() Compiler
	// OnPendingStops is called when an interrupt finds no running cell. count is the number of goroutines that earlier
	// interrupts could not stop. OnPendingStops may be nil.
	OnPendingStops func(count int, s output.Sink)
}

// An Extension is the kernel's side of a protocol of a package that cells import. It uses
// two more pipes, which are the file descriptors ExtensionWriteFD and ExtensionReadFD in the worker process.
type Extension interface {
	// Receive handles bytes that cells have written. It does not keep b.
	Receive(b []byte)
	// TakePrompt returns the prompt for the next line of standard input, if the
	// extension has set one, and removes it.
	TakePrompt() (prompt string, password, ok bool)
	Close()
}

// File descriptors of an extension's pipes in the worker process.
const (
	ExtensionWriteFD = control.FD + 1
	ExtensionReadFD  = control.FD + 2
)

// A Compiler is the compiler process, which runs at the same time as the worker process.
type Compiler interface {
	PID() int // process ID; 0 if no compiler runs
	Stop(reason error)
}

// ErrGone reports that the worker process has ended.
var ErrGone = errors.New("the process that runs the cells has ended")

// An InterruptedError reports that the user has interrupted a wait for the worker process.
type InterruptedError string

func (e InterruptedError) Error() string { return string(e) }

// A Worker is the kernel's side of a worker process. One goroutine, the pump, handles everything that the process
// sends, in order.
type Worker struct {
	cmd    *exec.Cmd
	conn   *control.Conn
	socket *os.File
	log    *slog.Logger

	ready chan error    // receives nil when the process takes requests
	ended chan struct{} // closed when the process has ended and all of its output was read
	// secondInterrupt asks the pump to end a process that does not answer an interrupt.
	secondInterrupt chan struct{}
	killReason      chan error // asks the pump to end the process, for this reason
	memoryLimit     atomic.Pointer[MemoryLimit]
	standby         atomic.Int64 // process ID of the standby, which waits to become a child; 0 if there is none
	oomKills        int          // number of processes that Linux had killed for lack of memory before the start

	style          func() traceback.Style
	compiler       func() Compiler
	onPendingStops func(count int, s output.Sink)

	// The pump alone uses these fields once it runs.
	pipes      [2]*pipe // standard output and error
	extension  Extension
	extPipe    *pipe    // pipe from cells to the extension; nil without an extension
	extReply   *os.File // pipe from the extension to cells; nil without an extension
	allPipes   []*pipe  // the present pipes, and pipes that children of earlier cells still have
	readable   chan *pipe
	buffer     []byte        // for the bytes that are read from a pipe
	lastRead   int           // how many bytes were read last
	stopped    chan struct{} // closed when the pump ends
	pipeDir    string
	isReady    bool
	crash      CrashDump // text that may be a crash dump
	crashTimer *time.Timer
	fatalErr   error // why the kernel ended the process; valid once ended is closed

	// interruptTimer fires interruptTimeout after an interrupt, if the cell still runs.
	interruptTimer *time.Timer

	reapMu   sync.Mutex
	isReaped bool // guarded by reapMu

	mu     sync.Mutex      // guards the fields below
	id     int             // ID of the last request
	cell   int             // the number of the running cell in the notebook, 0 if it has none
	ctx    context.Context // context of the running cell; it ends when the cell is interrupted or has ended
	cancel context.CancelFunc
	done   chan control.Reply // receives the reply to the running request; nil if none runs
	// interrupted is the request that was interrupted last.
	interrupted int
	sink        output.Sink // sink of the running cell, or of the last cell if none runs
	lastSink    output.Sink // sink of the cell before that
	executions  executions
	pending     *pendingCell // the cell that was sent and is not yet loaded
	// programsHoldPipes and childrenHoldPipes are set if programs that cells started, or
	// processes of package mp, have the present pipes of the worker process as standard streams.
	programsHoldPipes, childrenHoldPipes bool
	comms                                map[string]bool // the open comms, by ID
}

// PID returns the process ID of the worker process.
func (w *Worker) PID() int { return w.cmd.Process.Pid }

// IsDead reports whether the process has ended and all its output has been handled.
func (w *Worker) IsDead() bool {
	select {
	case <-w.ended:
		return true
	default:
		return false
	}
}

// Execution returns the ID of the last execution, and whether it is still running.
func (w *Worker) Execution() (id int, running bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.id, w.done != nil
}

// Sink returns the output of the running cell, or of the last cell if none runs.
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
