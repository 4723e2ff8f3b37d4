package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
)

// A deferredSession is a session that is opened in the background: the first start
// after a change of toolchain builds the worker image, which takes longer than
// front ends wait for a kernel's first reply. Cells wait for the session and show the
// progress. If it cannot be opened, each cell fails with the reason.
type deferredSession struct {
	cancel  context.CancelFunc
	ready   chan struct{} // closed when session or err is set
	session output.Session
	err     error

	noticeDelay, progressInterval time.Duration // see the constants

	mu        sync.Mutex // guards what follows
	progress  string     // the last line of progress
	interrupt chan struct{}
}

var _ output.Session = (*deferredSession)(nil)

// openLater calls open in the background. Waiting cells show the lines that open writes to
// progress.
func openLater(ctx context.Context, open func(ctx context.Context, progress io.Writer) (output.Session, error)) *deferredSession {
	ctx, cancel := context.WithCancel(ctx)
	o := &deferredSession{noticeDelay: noticeDelay, progressInterval: progressInterval, cancel: cancel, ready: make(chan struct{}), interrupt: make(chan struct{})}
	go func() {
		defer close(o.ready)
		o.session, o.err = open(ctx, o)
	}()
	return o
}

// Write sets the text that cells show while the session is not open. It never fails.
func (o *deferredSession) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.progress = strings.TrimSpace(string(p))
	return len(p), nil
}

// opened returns the session, or nil while it is not open.
func (o *deferredSession) opened() output.Session {
	select {
	case <-o.ready:
		return o.session
	default:
		return nil
	}
}

const (
	// noticeDelay is how long a cell waits before it shows a notice. A start
	// without a build takes less.
	noticeDelay = time.Second
	// progressInterval is how often a waiting cell checks for progress.
	progressInterval = 5 * time.Second
)

// wait waits until the session is open.
func (o *deferredSession) wait(ctx context.Context, sink output.Sink) *output.Error {
	o.mu.Lock()
	interrupt := o.interrupt
	o.mu.Unlock()
	begun, shown := time.Now(), ""
	id := fmt.Sprintf("perijove-wait-%d", waits.Add(1))
	defer func() {
		if shown != "" { // remove the notice from the notebook
			sink.Display(output.Display{Data: output.Bundle{"text/plain": ""}, DisplayID: id, Update: true})
		}
	}()
	notice := time.NewTimer(o.noticeDelay)
	defer notice.Stop()
	for {
		select {
		case <-o.ready:
			return o.failure()
		case <-notice.C:
			if step := o.lastProgress(); shown == "" || step != "" && step != shown {
				text := waitNotice(step, shown == "", time.Since(begun))
				sink.Display(output.Display{Data: output.Bundle{"text/plain": text}, DisplayID: id, Update: shown != ""})
				shown = cmp.Or(step, "start")
			}
			notice.Reset(o.progressInterval)
		case <-ctx.Done():
			return newError("Interrupted", "interrupted while the kernel was starting")
		case <-interrupt:
			return newError("Interrupted", "interrupted while the kernel was starting; the start continues")
		}
	}
}

func (o *deferredSession) failure() *output.Error {
	if o.err == nil {
		return nil
	}
	return newError("StartError", fmt.Sprintf(
		"the kernel could not start the process that runs the cells: %v\nCorrect the cause and restart the kernel; \"perijove doctor\" checks this machine", o.err))
}

// lastProgress returns the last line of progress.
func (o *deferredSession) lastProgress() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.progress
}

// waits counts waiting cells, for the identifiers of their notices.
var waits atomic.Int64

// waitNotice returns the notice of a waiting cell, with the time unless it is the first notice.
func waitNotice(step string, first bool, waited time.Duration) string {
	switch {
	case !first:
		return fmt.Sprintf("%s (%s, after %.0f s)", prepareNotice, step, waited.Seconds())
	case step == "":
		return prepareNotice
	}
	return prepareNotice + " (" + step + ")"
}

const prepareNotice = "perijove: preparing for this Go toolchain; later kernels start without this step"

func newError(name, value string) *output.Error {
	return &output.Error{Name: name, Value: value, Traceback: strings.Split(name+": "+value, "\n")}
}

func (o *deferredSession) Execute(ctx context.Context, req output.Request, sink output.Sink) output.Reply {
	if err := o.wait(ctx, sink); err != nil {
		return output.Reply{Status: output.Failed, Error: err, UserExpressions: map[string]output.ExpressionResult{}}
	}
	return o.session.Execute(ctx, req, sink)
}

func (o *deferredSession) IsComplete(code string) output.Completeness {
	if s := o.opened(); s != nil {
		return s.IsComplete(code)
	}
	return output.Completeness{Status: "unknown"}
}

func (o *deferredSession) Complete(ctx context.Context, code string, cursor int) (output.Completion, error) {
	if s := o.opened(); s != nil {
		return s.Complete(ctx, code, cursor)
	}
	return output.Completion{Start: cursor, End: cursor}, nil
}

func (o *deferredSession) Inspect(ctx context.Context, code string, cursor, detail int) (output.Inspection, error) {
	if s := o.opened(); s != nil {
		return s.Inspect(ctx, code, cursor, detail)
	}
	return output.Inspection{}, nil
}

func (o *deferredSession) Comm(m output.Comm) error {
	if s := o.opened(); s != nil {
		return s.Comm(m)
	}
	return errors.New("cannot handle a message of a widget or comm: the kernel is still starting")
}

func (o *deferredSession) History() []output.HistoryEntry {
	if s := o.opened(); s != nil {
		return s.History()
	}
	return nil
}

func (o *deferredSession) Interrupt() {
	if s := o.opened(); s != nil {
		s.Interrupt()
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.interrupt)
	o.interrupt = make(chan struct{})
}

func (o *deferredSession) Close() error {
	o.cancel()
	<-o.ready
	if o.session == nil {
		return nil // cells show the error of opening
	}
	return o.session.Close()
}
