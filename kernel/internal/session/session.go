// Package session implements output.Session for one notebook. It runs the cells one after the other, handles the
// directives, keeps the history, and reports the variables that are lost with a worker process.
package session

import (
	"context"
	"log/slog"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perijove/perijove/kernel/internal/benchmark"
	"github.com/perijove/perijove/kernel/internal/gonb"
	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/modules"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program"
	"github.com/perijove/perijove/kernel/internal/racedetector"
	"github.com/perijove/perijove/kernel/internal/replay"
	"github.com/perijove/perijove/kernel/internal/scratch"
	"github.com/perijove/perijove/kernel/internal/sinks"
	"github.com/perijove/perijove/kernel/internal/supervisor"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// Config configures a session.
type Config struct {
	Image *image.Image
	Dir   string // the notebook's folder, in which cells run; "" for the current folder
	// CacheDir is the folder in which package lists of the go command are cached. "" means the cache folder that
	// contains the image.
	CacheDir string
	// KernelID is Jupyter's identifier of this kernel, which web pages use to connect to it;
	// "" if there are no pages.
	KernelID string
	// CompileFlags are arguments for the compile tool.
	CompileFlags []string
	// Packages are further compiled packages that cells can import: archive files by
	// import path.
	Packages map[string]string
	Env      []string // environment of the worker process and the compiler, in addition to that of this process
	Log      *slog.Logger
	// Export writes cells to the folder target as a Go module, for %save. Cells run in dir. Export may be nil.
	Export func(ctx context.Context, cells []output.HistoryEntry, dir, target string) error
	// ProgressDelay is how long a cell waits for the go command before a progress line
	// appears; 0 is one second.
	ProgressDelay time.Duration
}

// A Session implements output.Session.
type Session struct {
	cfg     Config
	scratch *scratch.Folder // generated sources and objects
	objects *scratch.Folder // small objects, in memory; may be nil
	modules *modules.Modules
	program atomic.Pointer[program.Program] // replaced only by the holder of turn, read at any time

	// turn holds one token. Only the goroutine that has taken the token, the holder of turn, may run a cell and use the
	// fields down to initFailures.
	turn chan struct{}
	// programs counts the programs since New. Each has its folder of objects, since child processes load the objects
	// later.
	programs       int
	setup          setup // settings for new worker processes
	saved          saved // cells for %save
	journal        replay.Journal
	benchRuns      []*benchmark.Run // the last two runs of %%bench, oldest first
	races          *racedetector.Detector
	memoryLimit    supervisor.MemoryLimit
	memoryLimitErr error           // why the memory limit in the environment is invalid; shown once
	outputLimit    sinks.Limit     // limit of the output of each cell
	outputLimitErr error           // why the output limit in the environment is invalid; shown once
	autoget        *bool           // whether to download missing packages without %get; nil stands for isGoNB
	isGoNB         bool            // the notebook is written for GoNB
	gonbFolders    []string        // the variables that setGoNBFolders has set last
	existedFirst   map[string]bool // results of existedWhenFirstAsked, by file
	strict         bool            // a cell whose value is a non-nil error fails
	forget         bool            // the next load tells the worker process to forget the notebook
	textOnly       bool            // the front end is a console: its requests allow input and, unlike a notebook's, have no cell ID
	// hasExplainedStandalone records that the notice about cells as programs was shown.
	hasExplainedStandalone bool
	// initFailures has the failed initializations by import path.
	initFailures map[string]*initFailure

	compilerLimit atomic.Int64           // memoryLimit in bytes, for the compiler
	cellDir       atomic.Pointer[string] // setup.Dir, for completion; nil at first
	allFrames     atomic.Bool            // tracebacks include calls outside cells

	mu             sync.Mutex         // guards the fields below; held only briefly
	worker         *worker            // nil while no worker process runs
	launch         *launch            // the worker process that is being started, if any
	command        *exec.Cmd          // the shell command that runs, if any
	running        context.Context    // the context of the cell that runs, if any
	cancel         context.CancelFunc // cancels running
	next           func() bool        // Request.HasNext of the cell that runs
	firstInterrupt firstInterrupt
	count          int
	history        []output.HistoryEntry
	closed         bool
}

var _ output.Session = (*Session)(nil)

// A worker is a worker process with the session's state about it.
type worker struct {
	*supervisor.Worker
	gonb    *gonb.Bridge
	isSetUp bool     // the process has received the settings of directives; used only by the holder of turn
	dropped []string // the argument of the last call of Drop; used only by the holder of turn
}

// A setup has the settings of directives that a new worker process gets before it runs a cell.
type setup struct {
	Dir  string
	Env  []string
	Args []string
}

// standalonePackage is the package that replaces the worker process in a cell's program. It is used when cells cannot
// be linked into a running process.
const standalonePackage = "github.com/perijove/perijove/kernel/internal/standalone"

// isStandalone reports whether each cell runs as its own program.
func (s *Session) isStandalone() bool { return s.cfg.Image.Unfit != "" }

// dir returns the folder in which cells run.
func (s *Session) dir() string {
	if s.setup.Dir != "" {
		return s.setup.Dir
	}
	return s.startDir()
}

// startDir returns the folder in which a new worker process starts.
func (s *Session) startDir() string {
	dir, err := filepath.Abs(s.cfg.Dir)
	if err != nil {
		return s.cfg.Dir
	}
	return dir
}

// hasNext reports whether another cell waits for the end of the running one.
func (s *Session) hasNext() bool {
	s.mu.Lock()
	next := s.next
	s.mu.Unlock()
	return next != nil && next()
}

// setCommand sets the running shell command, which Interrupt cancels; nil for none.
func (s *Session) setCommand(cmd *exec.Cmd) {
	s.mu.Lock()
	s.command = cmd
	s.mu.Unlock()
}

// History returns the executed cells, oldest first. It may be called at any time.
func (s *Session) History() []output.HistoryEntry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]output.HistoryEntry(nil), s.history...)
}

// style returns how calls are shown.
func (s *Session) style() traceback.Style {
	return traceback.Style{Source: s.program.Load().Source, AllFrames: s.allFrames.Load()}
}

// A launch is the start of a worker process. Cells wait for its end; other requests of a front end do not.
type launch struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when the start has succeeded, failed or been canceled
	err    error         // valid once done is closed
}

// A firstInterrupt records the first interrupt of a cell, which its context identifies.
type firstInterrupt struct {
	cell context.Context
	at   time.Time
}
