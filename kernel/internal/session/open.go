package session

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/perijove/perijove/kernel/internal/modules"
	"github.com/perijove/perijove/kernel/internal/program"
	"github.com/perijove/perijove/kernel/internal/racedetector"
	"github.com/perijove/perijove/kernel/internal/scratch"
	"github.com/perijove/perijove/kernel/internal/sinks"
	"github.com/perijove/perijove/kernel/internal/supervisor"
)

// New returns a session. Its worker process starts in the background, and the first cell waits for it.
func New(cfg Config) (*Session, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	dir, err := scratch.New(os.TempDir())
	if err != nil {
		return nil, fmt.Errorf("cannot make a folder for compiled cells: set TMPDIR to a writable folder: %w", err)
	}
	s := &Session{cfg: cfg, scratch: dir, objects: scratch.NewInMemory(), turn: make(chan struct{}, 1), races: racedetector.New(dir.Path, cfg.Image.Race)}
	s.turn <- struct{}{}
	s.memoryLimit, s.memoryLimitErr = supervisor.InitialMemoryLimit()
	s.compilerLimit.Store(s.memoryLimit.Bytes)
	s.outputLimit, s.outputLimitErr = sinks.InitialLimit()
	cache := cfg.CacheDir
	if cache == "" {
		cache = filepath.Dir(filepath.Dir(cfg.Image.Dir))
	}
	s.modules = modules.New(cfg.Image, cfg.Dir, dir.Path, cache)
	for path, archive := range cfg.Packages {
		s.modules.Register(path, archive)
	}
	s.program.Store(s.newProgram())
	if s.isStandalone() {
		return s, nil
	}
	s.mu.Lock()
	s.startLaunch()
	s.mu.Unlock()
	s.prepareCompiler()
	return s, nil
}

func (s *Session) newProgram() *program.Program {
	s.programs++
	dir := fmt.Sprintf("p%d", s.programs)
	standalone := ""
	if s.isStandalone() {
		standalone = standalonePackage
	}
	return program.New(program.Config{
		Standalone: standalone,
		Compile:    s.cfg.Image.Toolchain.Compile(),
		Lang:       s.cfg.Image.Toolchain.Lang(),
		Release:    s.cfg.Image.Toolchain.Version,
		GOROOT:     s.cfg.Image.Toolchain.Root,
		Library:    s.cfg.Image.Sources(),
		Dir:        s.scratch.Sub(dir),
		MemoryDir:  s.objects.Sub(dir),
		Importer:   s.modules,
		Next:       s.hasNext,
		Memory:     s.compilerLimit.Load,
		Flags:      s.cfg.CompileFlags,
		Race:       s.races.On,
		// The variable is for tests, and for finding out whether inlining causes a difference.
		AlwaysInline: os.Getenv("PERIJOVE_INLINE") == "always",
		Env:          append(append(os.Environ(), "GOGC=off"), s.cfg.Env...),
	})
}

// Forget removes all declarations of the notebook. The worker process and its goroutines keep running, and the values
// to which the goroutines refer stay.
func (s *Session) Forget() {
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	s.program.Swap(s.newProgram()).Compiler.Close()
	s.forget = true
}

// prepareDelay is the time in which the last messages of a cell reach the front end. Starting compilers in that time
// would delay the messages.
const prepareDelay = 2 * time.Millisecond

// prepareForNext starts the next cell's compilers after prepareDelay. A cell that arrives before starts a compiler
// itself. If the next cell is in the queue already, its compilers were started while the last cell ran.
func (s *Session) prepareForNext() { time.AfterFunc(prepareDelay, s.prepareCompiler) }

// prepareCompiler starts the next cell's compilers, between cells.
func (s *Session) prepareCompiler() {
	p := s.program.Load()
	p.Compiler.Prepare()
	go func() {
		if err := p.Compiler.Prepared(); err != nil {
			s.cfg.Log.Debug("no compiler on standby", "error", err)
		}
	}()
}

// errSessionClosed is the error of a cell that had not ended when Close was called.
var errSessionClosed = errors.New("the session is closed")

// Close ends the worker process and all processes that it started, cancels the start of a worker process, and ends the
// compiler of the running cell.
func (s *Session) Close() error {
	s.mu.Lock()
	w, l, cancel := s.worker, s.launch, s.cancel
	s.closed = true
	s.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	if w != nil {
		w.Kill()
	}
	if l != nil {
		l.cancel()
		<-l.done
	}
	tool := s.program.Load().Compiler
	tool.Close()
	s.cfg.Log.Info("compiled units", "counts", tool.Counts())
	return errors.Join(s.objects.Remove(), s.scratch.Remove())
}
