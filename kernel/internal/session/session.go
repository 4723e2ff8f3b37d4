// Package session is one notebook's life: its live Go program, the order and
// count of its cells, its history, and the worker that holds its state.
package session

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/modules"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program"
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
}

// A Session implements output.Session.
type Session struct {
	cfg     Config
	held    *scratch
	scratch string // generated sources and objects, for as long as the session lives
	modules *modules.Modules
	program atomic.Pointer[program.Program] // replaced by whoever has the turn, read by anybody

	turn chan struct{} // holds one token: whoever has it may run a cell, and use what follows
	// programs counts them: the objects of each lie apart, since the worker's
	// children load them again.
	programs    int
	setup       setup // what directives have set for workers
	journal     journal
	limit       limit           // of memory; compilerLimit is its size for whoever does not have the turn
	badLimit    error           // what is wrong with the environment's; told once
	outputLimit outputLimit     // of each cell
	badOutput   error           // as badLimit
	toldSolo    bool            // that cells run as programs
	getMissing  *bool           // get missing packages unasked; nil: if the notebook is GoNB's
	gonbStyle   bool            // the notebook is written for GoNB
	toldFolders []string        // what tellFolders has told
	filesFound  map[string]bool // what wasThere has answered
	forget      bool            // the worker must forget the notebook at the next load
	// initFailures tells of the packages that the worker could not initialize.
	initFailures  map[string]*initFailure
	compilerLimit atomic.Int64
	// allFrames shows calls outside of cells, too.
	allFrames atomic.Bool

	mu      sync.Mutex         // guards what follows; held for moments only
	worker  *process           // nil while none runs
	launch  *launch            // the worker that is being started, if any
	command *exec.Cmd          // the shell command that runs, if any
	running context.Context    // of the cell that runs, if any
	cancel  context.CancelFunc // of running
	next    func() bool        // Request.Next of running
	pressed press
	count   int
	history []output.HistoryEntry
	closed  bool
}

var _ output.Session = (*Session)(nil)

// New returns a session, whose worker starts meanwhile: the first cell waits for
// it.
func New(cfg Config) (*Session, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	scratch, err := newScratch(os.TempDir())
	if err != nil {
		return nil, fmt.Errorf("no place for compiled cells: set TMPDIR to a writable folder: %w", err)
	}
	s := &Session{cfg: cfg, scratch: scratch.dir, held: scratch, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	s.limit, s.badLimit = firstLimit()
	s.compilerLimit.Store(s.limit.bytes)
	s.outputLimit, s.badOutput = firstOutputLimit()
	cache := cfg.CacheDir
	if cache == "" {
		cache = filepath.Dir(filepath.Dir(cfg.Image.Dir))
	}
	s.modules = modules.New(cfg.Image, cfg.Dir, scratch.dir, cache)
	for path, archive := range cfg.Packages {
		s.modules.Register(path, archive)
	}
	s.program.Store(s.newProgram())
	if s.solo() {
		return s, nil
	}
	s.mu.Lock()
	s.startLaunch()
	s.mu.Unlock()
	s.prepare()
	return s, nil
}

// A setup is what a new worker must be told before it runs a cell.
type setup struct {
	Dir  string
	Env  []string
	Args []string
}

func (s *Session) newProgram() *program.Program {
	s.programs++
	dir := filepath.Join(s.scratch, fmt.Sprintf("p%d", s.programs))
	if err := os.Mkdir(dir, 0o700); err != nil {
		dir = s.scratch
	}
	solo := ""
	if s.solo() {
		solo = soloPackage
	}
	return program.New(program.Config{
		Solo:     solo,
		Compile:  s.cfg.Image.Toolchain.Compile(),
		Lang:     s.cfg.Image.Toolchain.Lang(),
		GOROOT:   s.cfg.Image.Toolchain.Root,
		Dir:      dir,
		Importer: s.modules,
		Next:     s.another,
		Memory:   s.compilerLimit.Load,
		Flags:    s.cfg.CompileFlags,
		Env:      append(append(os.Environ(), "GOGC=off"), s.cfg.Env...),
	})
}

// Forget drops all declarations of the notebook. The worker goes on, with all
// goroutines in it; what they refer to stays as it is, and nothing that is
// declared from now on has to do with it.
func (s *Session) Forget() {
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	s.program.Swap(s.newProgram()).Compiler.Close()
	s.forget = true
}

// prepare has the next cell's compiler started, while nobody waits.
func (s *Session) prepare() {
	p := s.program.Load()
	p.Compiler.Prepare()
	go func() {
		if err := p.Compiler.Prepared(); err != nil {
			s.cfg.Log.Debug("no compiler on standby", "error", err)
		}
	}()
}

// another reports whether a cell waits for the end of the one that runs.
func (s *Session) another() bool {
	s.mu.Lock()
	next := s.next
	s.mu.Unlock()
	return next != nil && next()
}

// applySetup tells the living worker what a directive has set.
func (s *Session) applySetup(ctx context.Context, m control.Setup) error {
	if s.solo() {
		return nil // each program is told
	}
	w, err := s.ready(ctx)
	if err != nil {
		return err
	}
	return w.setup(ctx, m)
}

// setCancel notes the shell command that runs, for Interrupt.
func (s *Session) setCancel(cmd *exec.Cmd) {
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

// Close ends the worker and everything it started, the start of one, and the
// compiler of the running cell.
func (s *Session) Close() error {
	s.mu.Lock()
	w, l, cancel := s.worker, s.launch, s.cancel
	s.closed = true
	s.mu.Unlock()
	if w != nil {
		w.kill()
	}
	if cancel != nil {
		cancel()
	}
	if l != nil {
		l.cancel()
		<-l.done
	}
	s.program.Load().Compiler.Close()
	return s.held.remove()
}
