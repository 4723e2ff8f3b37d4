package mp

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/codec"
	"github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/program"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A definition is what a child must know of a function before it can run it.
type definition struct {
	runnerID, fnID string
	shape          call.Shape
	target         bool
}

// define names fn and its runner, refuses what cannot be sent, and tells the
// user what the function will not see.
func define(h mphost.Host, c *call.Function) (definition, error) {
	return defineFor(h, c.Fn, call.RunnerPC(c.Runner), c.Shape, c.Target)
}

func defineFor(h mphost.Host, fv *call.Funcval, runner uintptr, s call.Shape, target bool) (definition, error) {
	if h.Captures(call.AddressOf(fv), fv.PC) {
		return definition{}, program.CaptureError(fv.PC)
	}
	fnID, err := h.FuncID(fv.PC)
	if err != nil {
		return definition{}, err
	}
	runnerID, err := h.FuncID(runner)
	if err != nil {
		return definition{}, err
	}
	mphost.Announce(h, fv.PC)
	return definition{runnerID: runnerID, fnID: fnID, shape: s, target: target}, nil
}

// only runs one function in the child, which ends with it, and reaps it.
func (c *child) only(def definition, arg []byte, take func([]byte) error) (code int, err error) {
	sent := make(chan error, 1)
	go func() { sent <- c.order(def, arg) }()
	go c.reap()
	var outcome error
	answered := false
	broken := c.listen(func(f protocol.Frame) error {
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
		return nil
	})
	c.awaitEnd(broken)
	sendErr := <-sent
	exit := c.close()
	c.flushed()
	switch {
	case c.refused != nil:
		return exitCode(exit), c.refused
	case answered:
		return btoi(outcome != nil), outcome
	case exit.Cause == nil && exit.Code == 0 && def.shape&call.GivesResult == 0:
		return 0, nil // os.Exit(0)
	case exit.Cause == nil && exit.Code == 0 && sendErr != nil:
		return 1, sendErr
	}
	return exitCode(exit), exit
}

// awaitEnd waits until the process is gone after listen has returned with the
// error broken, and kills it if it goes on.
func (c *child) awaitEnd(broken error) {
	if broken != nil {
		c.killFor(broken)
	}
	select {
	case <-c.gone:
	case <-time.After(closedPipeDelay):
		c.killFor(errPipeClosed)
		<-c.gone
	}
}

// order sends the child all that it needs to run the function once.
func (c *child) order(def definition, arg []byte) (err error) {
	defer close(c.ordered)
	defer func() {
		if err != nil {
			c.killLater(closedPipeDelay, err) // as a rule it has ended
		}
	}()
	if err := c.update(false); err != nil {
		c.refused = err
		_ = c.kill()
		return err
	}
	if err := c.define(def, 0); err != nil {
		return err
	}
	if c.crash != nil {
		one := binary.LittleEndian.AppendUint64(nil, 1<<32)
		if _, err := c.crash.WriteAt(one, 8); err != nil {
			return err
		}
	}
	return c.conn.Send(protocol.Frame{Kind: protocol.FrameTask, Id: 1, Body: append(protocol.AppendTaskHead(nil, 0, protocol.TaskLast, 1), arg...)})
}

// update brings the child to what the host has by now, and has it report that
// it is ready if answer says so. A broken connection shows when it is read.
func (c *child) update(answer bool) error {
	msg, now, err := c.host.Update(c.version)
	if err != nil {
		return err
	}
	if now == c.version && c.updated {
		return nil
	}
	c.version, c.updated = now, true
	_ = c.conn.Send(protocol.Frame{Kind: protocol.FrameUpdate, Id: uint64(btoi(answer)), Body: msg})
	return nil
}

func (c *child) define(def definition, slot uint64) error {
	body := codec.AppendStrings([]byte{byte(btoi(def.target))}, def.runnerID, def.fnID)
	return c.conn.Send(protocol.Frame{Kind: protocol.FrameDefine, Id: slot, Body: body})
}

// listen handles what the child sends until it closes its end, or sends what
// it cannot have meant: that is the error.
func (c *child) listen(result func(protocol.Frame) error) error {
	return failure.Isolate(func() error {
		var results []byte // nothing of a result is kept
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
				err = errForeignBytes
			default:
				return nil // the end, perhaps within a frame
			}
			if err != nil {
				return err
			}
		}
	})
}

// errForeignBytes is the cause of the end of a child whose messages are not its own.
var errForeignBytes = errors.New("mp: something other than this package wrote to or read from the file descriptors " +
	"of its connection to its parent, which are close-on-exec and not for others")

func (c *child) receive(f protocol.Frame, result func(protocol.Frame) error) error {
	switch f.Kind {
	case protocol.FrameMessage:
		c.host.Message(mphost.NewPeer(c.conn.SendMessage), f.Body)
	case protocol.FrameResult, protocol.FrameReady:
		return result(f)
	case protocol.FrameBroken:
		return codec.DecodeError(f.Body)
	}
	return nil
}
