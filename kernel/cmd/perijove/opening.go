package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
)

// An opening is a session that is still being opened: the first start after a
// change of toolchain builds the worker image, which takes longer than front
// ends like to wait for a kernel's first answer. Cells wait for the session and
// say so; if it cannot be opened each of them says why.
type opening struct {
	cancel context.CancelFunc
	ready  chan struct{} // closed when live or err is set
	live   output.Session
	err    error

	patience, again time.Duration // before a cell says that it waits; between looks at the progress

	mu        sync.Mutex // guards what follows
	progress  string     // the last line of progress
	interrupt chan struct{}
}

var _ output.Session = (*opening)(nil)

// openLater starts open in the background. What open writes to progress is
// shown to cells that wait.
func openLater(ctx context.Context, open func(ctx context.Context, progress io.Writer) (output.Session, error)) *opening {
	ctx, cancel := context.WithCancel(ctx)
	o := &opening{patience: patience, again: progressInterval, cancel: cancel, ready: make(chan struct{}), interrupt: make(chan struct{})}
	go func() {
		defer close(o.ready)
		o.live, o.err = open(ctx, o)
	}()
	return o
}

// Write takes progress.
func (o *opening) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.progress = strings.TrimSpace(string(p))
	return len(p), nil
}

// session returns the live session, or nil while there is none.
func (o *opening) session() output.Session {
	select {
	case <-o.ready:
		return o.live
	default:
		return nil
	}
}

const (
	// patience is how long a cell waits before it says so: a start without a build
	// takes less.
	patience = time.Second
	// progressInterval is how often a cell that waits looks for another step.
	progressInterval = 5 * time.Second
)

// wait waits for the live session.
func (o *opening) wait(ctx context.Context, sink output.Sink) *output.Error {
	o.mu.Lock()
	interrupt := o.interrupt
	o.mu.Unlock()
	begun, shown := time.Now(), ""
	notice := time.NewTimer(o.patience)
	defer notice.Stop()
	for {
		select {
		case <-o.ready:
			return o.failure()
		case <-notice.C:
			if step := o.step(); shown == "" || step != "" && step != shown {
				sink.Stream(output.Stderr, preparing(step, shown == "", time.Since(begun)))
				shown = cmp.Or(step, "start")
			}
			notice.Reset(o.again)
		case <-ctx.Done():
			return newError("Interrupted", "the kernel was still starting")
		case <-interrupt:
			return newError("Interrupted", "the kernel was still starting; it goes on with that")
		}
	}
}

func (o *opening) failure() *output.Error {
	if o.err == nil {
		return nil
	}
	return newError("StartError", fmt.Sprintf(
		"the kernel could not start its worker: %v\nCorrect that and restart the kernel; \"perijove doctor\" checks this machine", o.err))
}

// step is the last line of progress.
func (o *opening) step() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.progress
}

// preparing says what a cell waits for, at first with the reason.
func preparing(step string, first bool, waited time.Duration) string {
	switch {
	case !first:
		return fmt.Sprintf("perijove: %s, after %.0f s\n", step, waited.Seconds())
	case step == "":
		return preparingOnce + "\n"
	}
	return preparingOnce + " (" + step + ")\n"
}

const preparingOnce = "perijove: preparing for this Go toolchain, which happens once"

func newError(name, value string) *output.Error {
	return &output.Error{Name: name, Value: value, Traceback: strings.Split(name+": "+value, "\n")}
}

func (o *opening) Execute(ctx context.Context, req output.Request, sink output.Sink) output.Reply {
	if err := o.wait(ctx, sink); err != nil {
		return output.Reply{Status: output.Failed, Error: err, UserExpressions: map[string]output.ExpressionResult{}}
	}
	return o.live.Execute(ctx, req, sink)
}

func (o *opening) IsComplete(code string) output.Completeness {
	if s := o.session(); s != nil {
		return s.IsComplete(code)
	}
	return output.Completeness{Status: "unknown"}
}

func (o *opening) Complete(ctx context.Context, code string, cursor int) (output.Completion, error) {
	if s := o.session(); s != nil {
		return s.Complete(ctx, code, cursor)
	}
	return output.Completion{Start: cursor, End: cursor}, nil
}

func (o *opening) Inspect(ctx context.Context, code string, cursor, detail int) (output.Inspection, error) {
	if s := o.session(); s != nil {
		return s.Inspect(ctx, code, cursor, detail)
	}
	return output.Inspection{}, nil
}

func (o *opening) Comm(m output.Comm) error {
	if s := o.session(); s != nil {
		return s.Comm(m)
	}
	return errors.New("the kernel is starting")
}

func (o *opening) History() []output.HistoryEntry {
	if s := o.session(); s != nil {
		return s.History()
	}
	return nil
}

func (o *opening) Interrupt() {
	if s := o.session(); s != nil {
		s.Interrupt()
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.interrupt)
	o.interrupt = make(chan struct{})
}

func (o *opening) Close() error {
	o.cancel()
	<-o.ready
	if o.live == nil {
		return nil // why it could not be opened was told to the cells
	}
	return o.live.Close()
}
