package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/gonb"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/supervisor"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// workerError returns the error of a cell that did not run since there is no worker process.
func workerError(err error) *output.Error {
	var stopped supervisor.InterruptedError
	if errors.As(err, &stopped) {
		return traceback.New(traceback.Interrupted, stopped.Error())
	}
	return traceback.New("WorkerError", err.Error())
}

// isClosed reports whether Close was called.
func (s *Session) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// ensureWorker returns the worker process. If there is none, ensureWorker starts one and waits for it. If ctx ends
// first, it returns an error, and the start continues. It also returns a process that has died, until the death was
// reported: a cell that was built for its variables must not run without them. The caller holds Session.turn.
func (s *Session) ensureWorker(ctx context.Context) (*worker, error) {
	for {
		s.mu.Lock()
		w, closed := s.worker, s.closed
		if w == nil && s.launch == nil && !closed {
			s.startLaunch()
		}
		l := s.launch
		s.mu.Unlock()
		switch {
		case closed:
			return nil, errSessionClosed
		case w != nil:
			return w, s.sendSetup(ctx, w)
		}
		select {
		case <-l.done:
			if l.err != nil {
				return nil, l.err
			}
		case <-ctx.Done():
			return nil, supervisor.InterruptedError("interrupted while the process that runs the cells was starting; the start continues")
		}
	}
}

// sendSetup sends a new worker process the folder, environment and arguments that directives have set.
func (s *Session) sendSetup(ctx context.Context, w *worker) error {
	if w.isSetUp {
		return nil
	}
	if s.setup.Dir != "" || s.setup.Env != nil || s.setup.Args != nil {
		err := w.Setup(ctx, control.Setup{Dir: s.setup.Dir, Env: s.setup.Env, Args: s.setup.Args})
		if err != nil && !w.IsDead() { // if the process died, the cell itself reports that
			return err
		}
	}
	w.isSetUp = true
	return nil
}

// applySetup sends the worker process the setting of a directive.
func (s *Session) applySetup(ctx context.Context, m control.Setup) error {
	if s.isStandalone() {
		return nil // each cell's program gets it when it starts
	}
	w, err := s.ensureWorker(ctx)
	if err != nil {
		return err
	}
	return w.Setup(ctx, m)
}

// startLaunch begins to start a worker process. The caller holds Session.mu and Session.turn.
func (s *Session) startLaunch() {
	ctx, cancel := context.WithCancel(context.Background())
	l := &launch{cancel: cancel, done: make(chan struct{})}
	s.launch = l
	start := s.starter(s.cfg.Image.Worker(), s.cfg.Image.Dir)
	go func() {
		defer close(l.done)
		defer cancel()
		w, err := start(ctx)
		s.mu.Lock()
		current := s.launch == l && !s.closed
		if s.launch == l {
			s.launch = nil
		}
		if current && err == nil {
			s.worker = w
		}
		s.mu.Unlock()
		if !current && err == nil { // dropWorker has canceled the launch
			w.Kill()
		}
		l.err = err
	}()
}

// dropWorker removes the worker process from the session and cancels a launch. It returns the process, or nil if there
// was none.
func (s *Session) dropWorker() *worker {
	s.mu.Lock()
	w, l := s.worker, s.launch
	s.worker, s.launch = nil, nil
	s.mu.Unlock()
	s.initFailures = nil
	if l != nil {
		l.cancel()
	}
	return w
}

// starter returns a function that starts a worker process with the session's present settings.
func (s *Session) starter(command ...string) func(context.Context) (*worker, error) {
	lim, cfg := s.memoryLimit, s.cfg
	return func(ctx context.Context) (*worker, error) {
		var bridge *gonb.Bridge
		env := gonb.WorkerEnv(supervisor.ExtensionWriteFD, supervisor.ExtensionReadFD)
		w, err := supervisor.Start(ctx, supervisor.Options{
			Command: command, Dir: cfg.Dir, PipeDir: s.scratch.Path, Env: slices.Concat(env, s.races.Environ(), cfg.Env), Limit: lim, Log: cfg.Log,
			Extension: func(w *supervisor.Worker, reply io.Writer) supervisor.Extension {
				bridge = gonb.NewBridge(w, reply, cfg.KernelID, cfg.Log)
				return bridge
			},
			Style:          s.style,
			Compiler:       func() supervisor.Compiler { return s.program.Load().Compiler },
			OnPendingStops: s.offerRestart,
		})
		if err != nil {
			return nil, fmt.Errorf("the process that runs the cells did not start: %w", err)
		}
		return &worker{Worker: w, gonb: bridge}, nil
	}
}

func (r *run) resetDirective(d cell.DirectiveLine) error {
	if d.Args == "out" {
		return r.dropResults()
	}
	if d.Args != "" && d.Args != "-f" {
		return errors.New("the only argument of %reset is out: %reset forgets everything, %reset out the results of cells, %rm NAME one name, and %restart the variables")
	}
	if w := r.session.dropWorker(); w != nil {
		w.Kill()
	}
	r.session.saved = saved{}
	r.session.program.Swap(r.session.newProgram()).Compiler.Close()
	if !r.session.isStandalone() {
		if _, err := r.session.ensureWorker(r.ctx); err != nil {
			return err
		}
	}
	r.print("everything that the notebook has declared and imported is forgotten\n")
	return nil
}

// restartDirective ends the worker process and starts another.
func (r *run) restartDirective(cell.DirectiveLine) error {
	if r.session.modules.SwitchModule() {
		r.session.program.Load().Reimport()
	}
	r.session.mu.Lock()
	w := r.session.worker
	r.session.mu.Unlock()
	if w == nil {
		return nil
	}
	w.Kill()
	lines := r.session.discardWorker(w)
	if _, err := r.session.ensureWorker(r.ctx); err != nil {
		return err
	}
	r.print("started a new process for the cells\n%s\n", strings.Join(lines, "\n"))
	return nil
}
