package session

import (
	"context"
	"log/slog"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perijove/perijove/kernel/internal/gonb"
	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/modules"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program"
	"github.com/perijove/perijove/kernel/internal/replay"
	"github.com/perijove/perijove/kernel/internal/sinks"
	"github.com/perijove/perijove/kernel/internal/supervisor"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// Config says what a session runs with.
type Config struct {
	Image *image.Image
	Dir   string // the notebook's folder, where cells run; "" for the current one
	// CacheDir is for what the go command tells of packages; by default where
	// the image is.
	CacheDir string
	// KernelID is what Jupyter calls this kernel, by which pages reach it; "" if
	// there are no pages.
	KernelID string
	// CompileFlags go to the compile tool as they are.
	CompileFlags []string
	// Packages are compiled packages to import beyond the image's and the
	// module's: archives by import path.
	Packages map[string]string
	Env      []string // of the worker and the compiler, beyond the process's own
	Log      *slog.Logger
	// ProgressDelay is how long a cell waits for the go command before a line
	// tells what for; 0 is one second.
	ProgressDelay time.Duration
}

// A Session implements output.Session.
type Session struct {
	cfg     Config
	scratch *scratch // generated sources and objects
	modules *modules.Modules
	program atomic.Pointer[program.Program] // replaced only in turn, read at any time

	// turn holds one token. To run a cell and to use the fields down to
	// initFailures takes having it.
	turn chan struct{}
	// programs counts the programs since New. Each has a folder of objects, since
	// the worker's children load them again.
	programs       int
	setup          setup // for new workers
	journal        replay.Journal
	memoryLimit    supervisor.MemoryLimit
	memoryLimitErr error           // what is wrong with the environment's; shown once
	outputLimit    sinks.Limit     // of each cell
	outputLimitErr error           // as memoryLimitErr
	autoget        *bool           // get missing packages without asking; nil: if isGoNB
	isGoNB         bool            // the notebook is written for GoNB
	gonbFolders    []string        // what setGoNBFolders has set
	existedFirst   map[string]bool // answers of existedAtFirst
	strict         bool            // a cell whose value is an error fails
	forget         bool            // the worker must forget the notebook at the next load
	textOnly       bool            // the front end is a console: it lets cells ask for input and gives them no identifiers, as notebooks do
	// hasExplainedStandalone notes that the user knows that cells run as programs.
	hasExplainedStandalone bool
	// initFailures describes the packages that the worker could not initialize.
	initFailures map[string]*initFailure

	compilerLimit atomic.Int64           // memoryLimit in bytes, for the compiler
	cellDir       atomic.Pointer[string] // setup.Dir, for completion; nil at first
	allFrames     atomic.Bool            // tracebacks show calls outside of cells too

	mu             sync.Mutex         // guards what follows; held only briefly
	worker         *worker            // nil while none runs
	launch         *launch            // the worker that is being started, if any
	command        *exec.Cmd          // the shell command that runs, if any
	running        context.Context    // of the cell that runs, if any
	cancel         context.CancelFunc // of running
	next           func() bool        // Request.HasNext of running
	firstInterrupt firstInterrupt
	count          int
	history        []output.HistoryEntry
	closed         bool
}

var _ output.Session = (*Session)(nil)

// A worker is a worker process and what the session knows of it.
type worker struct {
	*supervisor.Worker
	gonb    *gonb.Bridge
	isSetUp bool     // it has what directives have set; used in turn
	dropped []string // the dropped variables that it has last been sent; used in turn
}

// A setup is what directives have set and a new worker gets before it runs a cell.
type setup struct {
	Dir  string
	Env  []string
	Args []string
}

// standalonePackage takes the worker's place in a cell's program, where cells
// cannot be linked into a worker.
const standalonePackage = "github.com/perijove/perijove/kernel/internal/standalone"

// isStandalone reports whether each cell runs as a program.
func (s *Session) isStandalone() bool { return s.cfg.Image.Unfit != "" }

// dir returns the folder in which cells run.
func (s *Session) dir() string {
	if s.setup.Dir != "" {
		return s.setup.Dir
	}
	return s.startDir()
}

// startDir returns the folder in which a new worker starts.
func (s *Session) startDir() string {
	dir, err := filepath.Abs(s.cfg.Dir)
	if err != nil {
		return s.cfg.Dir
	}
	return dir
}

// hasNext reports whether a cell waits for the end of the one that runs.
func (s *Session) hasNext() bool {
	s.mu.Lock()
	next := s.next
	s.mu.Unlock()
	return next != nil && next()
}

// setCommand notes the shell command that runs, for Interrupt.
func (s *Session) setCommand(cmd *exec.Cmd) {
	s.mu.Lock()
	s.command = cmd
	s.mu.Unlock()
}

// History returns the executed cells, oldest first.
func (s *Session) History() []output.HistoryEntry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]output.HistoryEntry(nil), s.history...)
}

// style returns how calls are shown.
func (s *Session) style() traceback.Style {
	return traceback.Style{Source: s.program.Load().Source, AllFrames: s.allFrames.Load()}
}
