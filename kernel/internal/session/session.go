// Package session is one notebook's life: its live Go program, the order and
// count of its cells, its history, and the worker that holds its state.
package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/perijove/perijove/kernel/internal/build"
	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/modules"
	"github.com/perijove/perijove/kernel/internal/output"
)

// Config says what a session runs with.
type Config struct {
	Image *image.Image
	Dir   string // the notebook's folder, where cells run; "" for the current one
	// CacheDir is for what the go command tells of packages; by default where
	// the image is.
	CacheDir string
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
	program atomic.Pointer[build.Program] // replaced by whoever has the turn, read by anybody

	turn chan struct{} // holds one token: whoever has it may run a cell, and use what follows
	// programs counts them: the objects of each lie apart, since the worker's
	// children load them again.
	programs    int
	setup       setup // what directives have set for workers
	journal     journal
	limit       limit       // of memory
	badLimit    error       // what is wrong with the environment's; told once
	outputLimit outputLimit // of each cell
	badOutput   error       // as badLimit
	toldSolo    bool        // that cells run as programs
	getMissing  bool        // get missing packages unasked
	forget      bool        // the worker must forget the notebook at the next load
	// allFrames shows calls outside of cells, too.
	allFrames atomic.Bool

	mu      sync.Mutex         // guards what follows
	worker  *process           // nil before the first cell and after a death
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

// New returns a session and starts its worker.
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
	s.outputLimit, s.badOutput = firstOutputLimit()
	cache := cfg.CacheDir
	if cache == "" {
		cache = filepath.Dir(filepath.Dir(cfg.Image.Dir))
	}
	s.modules = modules.New(cfg.Image, cfg.Dir, scratch.dir, cache)
	for path, archive := range cfg.Packages {
		s.modules.Use(path, archive)
	}
	s.program.Store(s.newProgram())
	if s.solo() {
		return s, nil
	}
	if _, err := s.ready(); err != nil {
		s.Close()
		return nil, err
	}
	s.prepare()
	return s, nil
}

// A setup is what a new worker must be told before it runs a cell.
type setup struct {
	Dir  string
	Env  []string
	Args []string
}

func (s *Session) newProgram() *build.Program {
	s.programs++
	dir := filepath.Join(s.scratch, fmt.Sprintf("p%d", s.programs))
	if err := os.Mkdir(dir, 0o700); err != nil {
		dir = s.scratch
	}
	solo := ""
	if s.solo() {
		solo = soloPackage
	}
	return build.New(build.Config{
		Solo:     solo,
		Compile:  s.cfg.Image.Toolchain.Compile(),
		Lang:     s.cfg.Image.Toolchain.Lang(),
		GOROOT:   s.cfg.Image.Toolchain.Root,
		Dir:      dir,
		Importer: s.modules,
		Next:     s.another,
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
	s.program.Swap(s.newProgram()).Close()
	s.forget = true
}

// prepare has the next cell's compiler started, while nobody waits.
func (s *Session) prepare() {
	p := s.program.Load()
	p.Prepare()
	go func() {
		if err := p.Prepared(); err != nil {
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

// ready returns the worker and starts one if there is none. One that has died
// stays until its obituary was written: a cell that was built for its variables
// must not run without them.
func (s *Session) ready() (*process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("the session is closed")
	}
	if s.worker != nil {
		return s.worker, nil
	}
	return s.start(s.cfg.Image.Worker(), s.cfg.Image.Dir)
}

// start starts a worker. The caller holds mu.
func (s *Session) start(command ...string) (*process, error) {
	w, err := startProcess(command, s.cfg.Dir, s.scratch, s.cfg.Env, s.limit, s.cfg.Log)
	if err != nil {
		return nil, fmt.Errorf("the worker does not start: %w", err)
	}
	w.mu.Lock()
	w.onLeft = s.offerRestart
	w.mu.Unlock()
	s.worker = w
	if s.setup.Dir != "" || s.setup.Env != nil || s.setup.Args != nil {
		return w, w.setup(control.Message{Dir: s.setup.Dir, Env: s.setup.Env, Args: s.setup.Args})
	}
	return w, nil
}

// applySetup tells the living worker what a directive has set.
func (s *Session) applySetup(m control.Message) error {
	if s.solo() {
		return nil // each program is told
	}
	w, err := s.ready()
	if err != nil {
		return err
	}
	return w.setup(m)
}

// setCancel notes the shell command that runs, for Interrupt.
func (s *Session) setCancel(cmd *exec.Cmd) {
	s.mu.Lock()
	s.command = cmd
	s.mu.Unlock()
}

// Execute runs one cell.
func (s *Session) Execute(ctx context.Context, req output.Request, sink output.Sink) output.Reply {
	select {
	case <-s.turn:
		defer func() { s.prepare(); s.turn <- struct{}{} }()
	case <-ctx.Done():
		return output.Reply{Status: output.Aborted, UserExpressions: map[string]output.ExpressionResult{}}
	}
	s.mu.Lock()
	if req.StoreHistory && !req.Silent {
		s.count++
	}
	n := s.count
	s.mu.Unlock()
	if req.Silent {
		sink = quiet{sink}
	}
	ctx, end := s.begin(ctx, req)
	defer end()
	sink.Started(n)
	text := &capped{Sink: sink, limit: int64(s.outputLimit)}
	rec := &recorder{Sink: text}
	number := n
	if req.Silent || !req.StoreHistory {
		number = 0 // not a cell that anything refers to
	}
	if s.badOutput != nil {
		sink.Stream(output.Stderr, fmt.Sprintf("%v; the output of a cell is shown %v\n", s.badOutput, s.outputLimit))
		s.badOutput = nil
	}
	var page output.Bundle
	var err *output.Error
	if name, source, ok := askedFor(req.Code); ok {
		page, err = s.explain(ctx, name, source)
	} else {
		err = s.runCell(ctx, number, req.Code, rec)
	}
	text.end()
	if req.StoreHistory && !req.Silent {
		s.mu.Lock()
		s.history = append(s.history, output.HistoryEntry{Line: n, Input: req.Code, Output: rec.text})
		s.mu.Unlock()
	}
	reply := output.Reply{Status: output.OK, ExecutionCount: n, Page: page, UserExpressions: map[string]output.ExpressionResult{}}
	if err != nil {
		sink.Error(err)
		reply.Status, reply.Error = output.Failed, err
		return reply
	}
	for name, expr := range req.UserExpressions {
		reply.UserExpressions[name] = s.evaluate(ctx, expr)
	}
	return reply
}

// begin notes what Interrupt cancels: the compiler, the wait for the worker, an
// input, and through the worker the cell itself; and whether another follows.
func (s *Session) begin(ctx context.Context, req output.Request) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	s.running, s.cancel, s.next = ctx, cancel, req.Next
	s.mu.Unlock()
	return ctx, func() {
		s.mu.Lock()
		s.running, s.cancel, s.next = nil, nil, nil
		s.mu.Unlock()
		cancel()
	}
}

// runCell takes a cell through build, load and run.
func (s *Session) runCell(ctx context.Context, n int, code string, sink output.Sink) *output.Error {
	if strings.TrimSpace(code) == "" {
		return nil
	}
	r := &run{Session: s, ctx: ctx, n: n, sink: sink, flags: definedFlags(code)}
	c, errs := cell.Parse(n, code)
	if errs != nil {
		return buildError(ctx, errs)
	}
	s.noticeDeath(sink)
	if s.badLimit != nil {
		sink.Stream(output.Stderr, fmt.Sprintf("%v; the limit is %v\n", s.badLimit, s.limit))
		s.badLimit = nil
	}
	for _, d := range c.Directives {
		if err := r.directive(d); err != nil {
			return err
		}
	}
	if len(r.flags) > 0 && s.setup.Args == nil {
		if err := s.applySetup(control.Message{Flags: r.flags}); err != nil {
			return failure("WorkerError", err.Error())
		}
	}
	if err := r.bring(c); err != nil {
		return err
	}
	if err := r.takeC(c); err != nil {
		return err
	}
	r.refresh()
	err := r.execute(code, func(u *build.Unit, failed *output.Error) { r.note(code, u, failed) })
	if err != nil || r.tests == nil {
		return err
	}
	return r.runTests()
}

// execute compiles, loads and runs the Go of a cell. note is called for a cell
// that was loaded, with what it does and how it ended.
func (r *run) execute(code string, note func(*build.Unit, *output.Error)) *output.Error {
	return r.load(parseFlags(code), false, note)
}

// load does the work of execute. If whole, an unrecovered panic in any
// goroutine ends the cell, as it ends a program.
func (r *run) load(code string, whole bool, note func(*build.Unit, *output.Error)) *output.Error {
	program := r.program.Load()
	unit, err := program.Build(r.ctx, r.n, code)
	if err != nil {
		if gone := r.imageGone(err); gone != nil {
			return failure("ImageError", gone.Error())
		}
		return buildError(r.ctx, err)
	}
	for _, text := range unit.Notices {
		r.sink.Stream(output.Stderr, text+"\n")
	}
	if r.solo() {
		return r.runSolo(unit)
	}
	w, err := r.ready()
	if err != nil {
		return failure("WorkerError", err.Error())
	}
	if unit.Object == "" {
		program.Commit(unit)
		note(unit, nil)
		return nil
	}
	extra, err := r.modules.Extra()
	if err != nil {
		return failure("WorkerError", err.Error())
	}
	loaded := false
	w.number(r.n, r.view)
	out, err := w.run(r.ctx, control.Message{
		Importcfg: extra, Forget: r.forget, Whole: whole, Cell: r.n, Live: r.modules.Live(),
		Object: unit.Object, Fresh: unit.Fresh, Renewed: unit.Renewed, Entry: unit.Entry, Init: unit.Init,
	}, r.sink, func(reset []string) {
		program.Commit(unit)
		r.forget, loaded = false, true
		unit.Effects.Writes = append(unit.Effects.Writes, reset...)
		if len(reset) > 0 {
			r.sink.Stream(output.Stderr, "reset, since the type changed: "+strings.Join(reset, ", ")+"\n")
		}
	})
	var failed *output.Error
	if err != nil {
		failed = r.workerFailed(w, err)
	} else {
		failed = r.outcomeError(out)
	}
	if loaded {
		note(unit, failed)
	}
	return failed
}

// imageGone reports that a failed build is the image's fault. A mistake of the
// user's costs one look at the folder; the files are many.
func (s *Session) imageGone(err error) error {
	var mistakes cell.Errors
	if errors.As(err, &mistakes) && !strings.Contains(err.Error(), s.cfg.Image.Dir) {
		if _, err := os.Stat(s.cfg.Image.Dir); err == nil {
			return nil
		}
	}
	return s.cfg.Image.Check()
}

// evaluate runs a user expression and returns its value.
func (s *Session) evaluate(ctx context.Context, expr string) output.ExpressionResult {
	c := &capture{}
	if err := s.runCell(ctx, 0, expr, c); err != nil {
		return output.ExpressionResult{Error: err}
	}
	if c.data == nil {
		c.data = output.Bundle{}
	}
	return output.ExpressionResult{Data: c.data, Metadata: c.metadata}
}

// IsComplete tells consoles whether code can be run as it is.
func (s *Session) IsComplete(code string) output.Completeness {
	if _, _, ok := askedFor(code); ok {
		return output.Completeness{Status: string(cell.Complete)}
	}
	status, indent := cell.IsComplete(code)
	return output.Completeness{Status: string(status), Indent: indent}
}

// Complete lists what can stand at the cursor.
func (s *Session) Complete(_ context.Context, code string, cursor int) (output.Completion, error) {
	if line := code[strings.LastIndexByte(code[:cursor], '\n')+1 : cursor]; strings.HasPrefix(line, "%") && !cell.Measures(line) {
		return completeDirective(line, cursor), nil
	}
	list, start, end := s.program.Load().Complete(code, cursor)
	out := output.Completion{Start: start, End: end}
	for _, c := range list {
		out.Matches = append(out.Matches, output.Match{Text: c.Name, Type: c.Kind, Signature: c.Signature})
	}
	return out, nil
}

// completeDirective lists the directives that begin with line.
func completeDirective(line string, cursor int) output.Completion {
	out := output.Completion{Start: cursor - len(line), End: cursor}
	for _, d := range directives() {
		for _, name := range d.names {
			if strings.HasPrefix(name, line) {
				out.Matches = append(out.Matches, output.Match{Text: name, Type: "keyword", Signature: d.args})
			}
		}
	}
	return out
}

// Inspect describes the name at the cursor. From detail 1 on it shows the source
// of what the notebook declares.
func (s *Session) Inspect(_ context.Context, code string, cursor, detail int) (output.Inspection, error) {
	d, ok := s.program.Load().Describe(code, cursor)
	if !ok {
		return output.Inspection{}, nil
	}
	text, md := d.Text, goBlock(d.Text)
	if d.Doc != "" {
		text += "\n\n" + d.Doc
		md += "\n\n" + d.Doc
	}
	if detail > 0 && d.Source != "" {
		text += fmt.Sprintf("\n\nFrom cell %d:\n\n%s", d.Cell, d.Source)
		md += fmt.Sprintf("\n\nFrom cell %d:\n\n%s", d.Cell, goBlock(d.Source))
	}
	return output.Inspection{Found: true, Data: output.Bundle{"text/plain": text, "text/markdown": md}}, nil
}

// History returns the executed cells, oldest first.
func (s *Session) History() []output.HistoryEntry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]output.HistoryEntry(nil), s.history...)
}

// Close ends the worker and everything it started.
func (s *Session) Close() error {
	s.mu.Lock()
	w := s.worker
	s.closed = true
	s.mu.Unlock()
	if w != nil {
		w.kill()
	}
	s.program.Load().Close()
	return s.held.remove()
}
