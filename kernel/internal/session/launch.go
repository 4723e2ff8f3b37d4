package session

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/gonb"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/supervisor"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// A launch is a worker that is being started. Cells wait for it; other requests
// of a front end do not.
type launch struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when the start has succeeded, failed or been given up
	err    error         // valid once done is closed
}

// workerError returns the error of a cell that has no worker to run in.
func workerError(err error) *output.Error {
	var stopped supervisor.InterruptedError
	if errors.As(err, &stopped) {
		return traceback.New(traceback.Interrupted, stopped.Error())
	}
	return traceback.New("WorkerError", err.Error())
}

// ensureWorker returns the worker. If there is none it starts one and waits for it, or
// until ctx ends, which does not end the start. A worker that has died stays until
// its death was reported: a cell that was built for its variables must not run
// without them. The caller has the turn.
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
			return nil, errors.New("the session is closed")
		case w != nil:
			return w, s.sendSetup(ctx, w)
		}
		select {
		case <-l.done:
			if l.err != nil {
				return nil, l.err
			}
		case <-ctx.Done():
			return nil, supervisor.InterruptedError("interrupted while the worker was starting; the start continues")
		}
	}
}

// sendSetup gives a new worker what directives have set.
func (s *Session) sendSetup(ctx context.Context, w *worker) error {
	if w.isSetUp {
		return nil
	}
	if s.setup.Dir != "" || s.setup.Env != nil || s.setup.Args != nil {
		err := w.Setup(ctx, control.Setup{Dir: s.setup.Dir, Env: s.setup.Env, Args: s.setup.Args})
		if err != nil && !w.IsDead() { // the cell reports a death
			return err
		}
	}
	w.isSetUp = true
	return nil
}

// applySetup gives the worker what a directive has set.
func (s *Session) applySetup(ctx context.Context, m control.Setup) error {
	if s.isStandalone() {
		return nil // each program gets it at its start
	}
	w, err := s.ensureWorker(ctx)
	if err != nil {
		return err
	}
	return w.Setup(ctx, m)
}

// startLaunch begins to start a worker. The caller holds mu, and has the turn.
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
		if !current && err == nil { // the launch was given up
			w.Kill()
		}
		l.err = err
	}()
}

// dropWorker forgets the worker, and the start of one, and returns the worker
// if there was one.
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

// starter returns a function that starts a worker as the session is now.
func (s *Session) starter(command ...string) func(context.Context) (*worker, error) {
	lim, cfg := s.memoryLimit, s.cfg
	return func(ctx context.Context) (*worker, error) {
		var bridge *gonb.Bridge
		env := gonb.WorkerEnv(supervisor.ExtensionWriteFD, supervisor.ExtensionReadFD)
		w, err := supervisor.Start(ctx, supervisor.Options{
			Command: command, Dir: cfg.Dir, PipeDir: s.scratch.path, Env: append(env, cfg.Env...), Limit: lim, Log: cfg.Log,
			Extension: func(w *supervisor.Worker, reply io.Writer) supervisor.Extension {
				bridge = gonb.NewBridge(w, reply, cfg.KernelID, cfg.Log)
				return bridge
			},
			Style:     s.style,
			Compiler:  func() supervisor.Compiler { return s.program.Load().Compiler },
			OnOrphans: s.offerRestart,
		})
		if err != nil {
			return nil, fmt.Errorf("the worker does not start: %w", err)
		}
		return &worker{Worker: w, gonb: bridge}, nil
	}
}
