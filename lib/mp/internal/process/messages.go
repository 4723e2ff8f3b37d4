package process

import (
	"encoding/binary"
	"errors"
	"runtime/trace"
	"slices"
	"time"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/profiling"
	"github.com/perijove/perijove/lib/mp/internal/program"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A Definition names a function for a child.
type Definition struct {
	RunnerID, FnID string
	Shape          call.Shape
	Target         bool
}

// ID returns the Definition as text, without its Shape.
func (d Definition) ID() string {
	return string(codec.AppendStrings([]byte{byte(codec.Bit(d.Target))}, d.RunnerID, d.FnID))
}

// ParseID is the inverse of ID.
func ParseID(id string) (d Definition, err error) {
	if len(id) == 0 || id[0] > 1 {
		return d, failure.ErrMalformed
	}
	parts, err := codec.SplitStrings([]byte(id[1:]))
	if err != nil || len(parts) != 2 {
		return d, failure.ErrMalformed
	}
	return Definition{RunnerID: parts[0], FnID: parts[1], Target: id[0] == 1}, nil
}

// Define returns the Definition of a function, or an error if the function cannot be sent. It
// makes the host show notices about variables that have other values in the child.
func Define(h mphost.Host, c *call.Function) (Definition, error) {
	define := DefineFor
	if c.Named {
		define = defineCode
	}
	return define(h, c.Fn, call.RunnerPC(c.Runner), c.Shape, c.Target)
}

func DefineFor(h mphost.Host, fv *call.Funcval, runner uintptr, s call.Shape, target bool) (Definition, error) {
	if h.Captures(call.AddressOf(fv), fv.PC) {
		return Definition{}, program.CaptureError(fv.PC)
	}
	return defineCode(h, fv, runner, s, target)
}

// defineCode returns the Definition of a function that captures nothing.
func defineCode(h mphost.Host, fv *call.Funcval, runner uintptr, s call.Shape, target bool) (Definition, error) {
	fnID, err := h.FuncID(fv.PC)
	if err != nil {
		return Definition{}, err
	}
	runnerID, err := h.FuncID(runner)
	if err != nil {
		return Definition{}, err
	}
	mphost.Announce(h, fv.PC)
	return Definition{RunnerID: runnerID, FnID: fnID, Shape: s, Target: target}, nil
}

// Only runs one function in the child, and waits until the child has ended. It passes the
// encoded result to take. If the function has succeeded and no writer of the user gets the
// child's output, Only calls succeeded at once, before the process has ended.
func (c *Child) Only(def Definition, arg []byte, take func([]byte) error, succeeded func()) (code int, err error) {
	sent := make(chan error, 1)
	go func() { sent <- c.order(def, arg) }()
	go c.Reap()
	var outcome error
	answered := false
	broken := c.Listen(func(f protocol.Frame) error {
		r, err := protocol.ParseReply(f.Body)
		switch {
		case err != nil:
			return err
		case answered:
			return failure.ErrMalformed
		case len(r.Errs) > 0:
			outcome = codec.DecodeError(r.Errs[0].Text)
		case r.Done == 1:
			outcome = failure.Isolate(func() error { return take(r.Values.B) })
		default:
			return failure.ErrMalformed
		}
		answered = true
		if outcome == nil && len(c.outlets) == 0 {
			succeeded()
		}
		return nil
	})
	c.AwaitEnd(broken)
	sendErr := <-sent
	exit := c.Close()
	c.Flushed()
	switch {
	case c.refused != nil:
		return exitCode(exit), c.refused
	case answered:
		return codec.Bit(outcome != nil), outcome
	case exit.Cause == nil && exit.Code == 0 && def.Shape&call.GivesResult == 0:
		return 0, nil // os.Exit(0)
	case exit.Cause == nil && exit.Code == 0 && sendErr != nil:
		return 1, sendErr
	}
	return exitCode(exit), exit
}

// AwaitEnd waits until the process has ended. Call it after Listen, with the error that
// Listen returned. It kills the process if there is such an error, or if the process does not
// end within ClosedPipeDelay.
func (c *Child) AwaitEnd(broken error) {
	if broken != nil {
		c.KillFor(broken)
	}
	select {
	case <-c.Gone:
	case <-time.After(ClosedPipeDelay):
		c.KillFor(errPipeClosed)
		<-c.Gone
	}
}

// order sends the function and its argument to the child.
func (c *Child) order(def Definition, arg []byte) (err error) {
	defer close(c.ordered)
	defer func() {
		if err != nil {
			c.KillLater(ClosedPipeDelay, err) // usually it has ended already
		}
	}()
	if err := c.Update(false); err != nil {
		c.refused = err
		_ = c.Kill()
		return err
	}
	c.Observe()
	if err := c.Define(def, 0); err != nil {
		return err
	}
	if c.Crash != nil {
		one := binary.LittleEndian.AppendUint64(nil, 1<<32)
		if _, err := c.Crash.WriteAt(one, 8); err != nil {
			return err
		}
	}
	c.SentTasks(1, -1) // no index: there is one task
	return c.Conn.Send(protocol.Frame{Kind: protocol.FrameTask, Id: 1, Body: append(protocol.AppendTaskHead(nil, 0, protocol.TaskLast, 1), arg...)})
}

// Update sends the child the changes of the host's code since the last call. If answer
// is true, the child replies when it has applied the changes. Update returns no error for a
// broken connection, since Listen notices it.
func (c *Child) Update(answer bool) error {
	msg, now, err := c.host.Update(c.version)
	if err != nil {
		return err
	}
	if now == c.version && c.updated {
		return nil
	}
	c.version, c.updated = now, true
	_ = c.Conn.Send(protocol.Frame{Kind: protocol.FrameUpdate, Id: uint64(codec.Bit(answer)), Body: msg})
	return nil
}

// Observe makes the child record a trace if this process records a trace, and profile itself
// if this process profiles itself. The end of the trace or profile needs no message.
func (c *Child) Observe() {
	c.trace()
	folder := profiling.Folder()
	if folder == c.profile {
		return
	}
	if c.profile = folder; folder != nil {
		profiling.Expect(c.PID, c.Gone)
		_ = c.Conn.Send(protocol.Frame{Kind: protocol.FrameProfile, Body: []byte(*folder)}) // Listen notices a broken connection
	}
}

func (c *Child) trace() {
	folder := tracing.Folder()
	if folder == c.traced {
		return
	}
	if c.traced = folder; folder != "" {
		tracing.Expect(c.PID, c.Gone)
		tracing.Send(tracing.KindStart, uint64(c.PID), 0)
		_ = c.Conn.Send(protocol.Frame{Kind: protocol.FrameTrace, Body: []byte(folder)}) // Listen notices a broken connection
	}
}

// SentTasks notes in the trace that tasks, from index first of their job on, are about to
// be sent as a batch.
func (c *Child) SentTasks(batch uint64, first int) {
	if trace.IsEnabled() {
		tracing.SendBatch(c.PID, batch, first)
	}
}

func (c *Child) Define(def Definition, slot uint64) error {
	return c.Conn.Send(protocol.Frame{Kind: protocol.FrameDefine, Id: slot, Body: []byte(def.ID())})
}

// Listen handles the child's messages until the child closes its end of the connection. If a
// message is invalid or cannot be handled, Listen returns an error at once.
func (c *Child) Listen(result func(protocol.Frame) error) error {
	return failure.Isolate(func() error {
		var results []byte // reused: nothing keeps a part of a result
		room := func(kind byte, n int) []byte {
			if kind != protocol.FrameResult {
				return nil
			}
			results = slices.Grow(protocol.Kept(results)[:0], n)[:n]
			return results
		}
		for {
			f, err := protocol.ReadFrame(c.frames, room)
			switch {
			case err == nil:
				err = c.receive(f, result)
			case errors.Is(err, failure.ErrMalformed):
				err = protocol.ErrForeignBytes
			default:
				return nil // the end, perhaps within a frame
			}
			if err != nil {
				return err
			}
		}
	})
}

func (c *Child) receive(f protocol.Frame, result func(protocol.Frame) error) error {
	switch f.Kind {
	case protocol.FrameMessage:
		c.host.Message(mphost.NewPeer(c.Conn.SendMessage), f.Body)
	case protocol.FrameResult, protocol.FrameReady:
		if f.Kind == protocol.FrameResult && trace.IsEnabled() {
			tracing.Receive(tracing.KindResult, tracing.BatchKey(c.PID, f.Id), 0)
		}
		return result(f)
	case protocol.FrameBroken:
		return codec.DecodeError(f.Body)
	}
	return nil
}
