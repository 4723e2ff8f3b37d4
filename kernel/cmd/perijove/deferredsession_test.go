package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/kerneltest"
	"github.com/perijove/perijove/kernel/internal/output"
)

// noting is a sink that sends the text of stream output and displays to a channel.
type noting struct {
	output.Sink
	text chan string
}

func (n noting) Stream(_, text string) { n.text <- text }
func (n noting) Started(int)           {}
func (n noting) Display(d output.Display) {
	text, _ := d.Data["text/plain"].(string)
	n.text <- text
}

func newNoting() noting { return noting{text: make(chan string, 10)} }

// wantEmptied checks that the notice is removed from the notebook.
func wantEmptied(t *testing.T, k noting) {
	t.Helper()
	if text := <-k.text; text != "" {
		t.Errorf("the notice has become %q", text)
	}
}

func TestCellsWaitForTheSession(t *testing.T) {
	gate := make(chan struct{})
	o := openLater(t.Context(), func(_ context.Context, progress io.Writer) (output.Session, error) {
		io.WriteString(progress, "compile packages\n")
		<-gate
		return kerneltest.NewFake(), nil
	})
	eventually(t, "progress", func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.progress != ""
	})
	if c := o.IsComplete("x"); c.Status != "unknown" || len(o.History()) != 0 {
		t.Errorf("before the session: %+v", c)
	}
	k, done := newNoting(), make(chan output.Reply, 1)
	go func() { done <- o.Execute(t.Context(), output.Request{Code: "print hello"}, k) }()
	if notice := <-k.text; !strings.Contains(notice, "compile packages") {
		t.Errorf("the waiting cell is told %q", notice)
	}
	o.Interrupt()
	if r := <-done; r.Status != output.Failed || r.Error.Name != "Interrupted" {
		t.Errorf("interrupted: %+v", r)
	}
	wantEmptied(t, k)
	go func() { done <- o.Execute(t.Context(), output.Request{Code: "print hello"}, k) }()
	<-k.text
	close(gate)
	if r := <-done; r.Status != output.OK {
		t.Errorf("opened: %+v", r)
	}
	wantEmptied(t, k)
	if text := <-k.text; text != "hello\n" {
		t.Errorf("the cell printed %q", text)
	}
	if c := o.IsComplete("x"); c.Status != "complete" {
		t.Errorf("with the session: %+v", c)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
}

// TestWaitingCellFollowsTheSteps: a waiting cell prints each later step once.
func TestWaitingCellFollowsTheSteps(t *testing.T) {
	steps := make(chan string)
	o := openLater(t.Context(), func(_ context.Context, progress io.Writer) (output.Session, error) {
		for s := range steps {
			io.WriteString(progress, s)
		}
		return kerneltest.NewFake(), nil
	})
	o.noticeDelay, o.progressInterval = time.Millisecond, time.Millisecond
	k, done := newNoting(), make(chan output.Reply, 1)
	go func() { done <- o.Execute(t.Context(), output.Request{Code: "print hello"}, k) }()
	if text := <-k.text; text != prepareNotice {
		t.Errorf("at first the cell is told %q", text)
	}
	for _, step := range []string{"compile packages", "build worker"} {
		steps <- step
		if text := <-k.text; !strings.HasPrefix(text, prepareNotice+" ("+step+", after ") {
			t.Errorf("at %q the cell is told %q", step, text)
		}
	}
	close(steps)
	if r := <-done; r.Status != output.OK {
		t.Errorf("opened: %+v", r)
	}
	wantEmptied(t, k)
	if text := <-k.text; text != "hello\n" {
		t.Errorf("the cell printed %q", text)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
}

func TestSessionThatCannotBeOpened(t *testing.T) {
	o := openLater(t.Context(), func(context.Context, io.Writer) (output.Session, error) {
		return nil, errors.New("Go 1.21 is not supported")
	})
	for range 2 {
		r := o.Execute(t.Context(), output.Request{Code: "1"}, newNoting())
		if r.Status != output.Failed || !strings.Contains(r.Error.Value, "Go 1.21 is not supported") || !strings.Contains(r.Error.Value, "doctor") {
			t.Errorf("got %+v", r)
		}
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
}

func TestCloseEndsTheOpening(t *testing.T) {
	o := openLater(t.Context(), func(ctx context.Context, _ io.Writer) (output.Session, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	if err := o.Close(); err != nil {
		t.Error(err)
	}
}
