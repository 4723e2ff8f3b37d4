package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
)

// A launch is a worker that is being started. Its cells wait for it; everything
// else that a front end asks for does not.
type launch struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when the start has succeeded, failed or been given up
	err    error         // valid once done is closed
}

// A waitInterrupted is the error of a wait for the worker that the user ended.
type waitInterrupted string

func (e waitInterrupted) Error() string { return string(e) }

// workerError is the error of a cell that has no worker to run in.
func workerError(err error) *output.Error {
	var stopped waitInterrupted
	if errors.As(err, &stopped) {
		return failure(interrupted, stopped.Error())
	}
	return failure("WorkerError", err.Error())
}

// ready returns the worker. If there is none it starts one and waits for it, or
// until ctx ends; the start goes on then. A worker that has died stays until its
// death was reported: a cell that was built for its variables must not run
// without them. The caller has the turn.
func (s *Session) ready(ctx context.Context) (*process, error) {
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
			return w, s.tellSetup(ctx, w)
		}
		select {
		case <-l.done:
			if l.err != nil {
				return nil, l.err
			}
		case <-ctx.Done():
			return nil, waitInterrupted("interrupted while the worker was starting; it goes on with that")
		}
	}
}

// cleanupTimeout bounds what restores the worker's setup.
const cleanupTimeout = 10 * time.Second

// cleanupContext is for what restores the worker's setup after a cell, also
// after one that was interrupted.
func (r *run) cleanupContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(r.ctx), cleanupTimeout)
}

// tellSetup tells a new worker what directives have set.
func (s *Session) tellSetup(ctx context.Context, w *process) error {
	if w.isSetUp {
		return nil
	}
	if s.setup.Dir != "" || s.setup.Env != nil || s.setup.Args != nil {
		err := w.setup(ctx, control.Setup{Dir: s.setup.Dir, Env: s.setup.Env, Args: s.setup.Args})
		if err != nil && !w.dead() { // of a death the cell tells
			return err
		}
	}
	w.isSetUp = true
	return nil
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
		if !current && err == nil { // nobody wants it any more
			w.kill()
		}
		l.err = err
	}()
}

// dropWorker forgets the worker, and the start of one, and returns the worker
// if there was one.
func (s *Session) dropWorker() *process {
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
func (s *Session) starter(command ...string) func(context.Context) (*process, error) {
	lim, cfg := s.limit, s.cfg
	return func(ctx context.Context) (*process, error) {
		w, err := startProcess(ctx, command, cfg.Dir, s.scratch, cfg.Env, lim, cfg.Log)
		if err != nil {
			return nil, fmt.Errorf("the worker does not start: %w", err)
		}
		w.mu.Lock()
		w.onLeft, w.program = s.offerRestart, s.program.Load
		w.mu.Unlock()
		w.page.serve(cfg.KernelID)
		return w, nil
	}
}
