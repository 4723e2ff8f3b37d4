package mp

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
)

// A definition is what a child must know of a function before it can run it.
type definition struct {
	runnerID, fnID string
	shape          shape
	target         bool
}

// define names fn and its runner, refuses what cannot be sent, and tells the
// user what the function will not see.
func define(h Host, c *callee) (definition, error) {
	return defineFor(h, c.fn, runnerPC(c.runner), c.shape, c.target)
}

func defineFor(h Host, fv *funcval, runner uintptr, s shape, target bool) (definition, error) {
	if h.Captures(addressOf(fv), fv.pc) {
		return definition{}, captureError(fv.pc)
	}
	fnID, err := h.FuncID(fv.pc)
	if err != nil {
		return definition{}, err
	}
	runnerID, err := h.FuncID(runner)
	if err != nil {
		return definition{}, err
	}
	announce(h, fnID, fv.pc)
	return definition{runnerID: runnerID, fnID: fnID, shape: s, target: target}, nil
}

// only runs one function in the child, which ends with it, and reaps it.
func (c *child) only(def definition, arg []byte, take func([]byte) error) (code int, err error) {
	sent := make(chan error, 1)
	go func() { sent <- c.order(def, arg) }()
	go c.reap()
	var outcome error
	answered := false
	broken := c.listen(func(f frame) error {
		r, err := parseReply(f.body)
		switch {
		case err != nil:
			return err
		case len(r.errs) > 0:
			outcome = decodeError(r.errs[0].text)
		case r.done == 1:
			outcome = take(r.values.b)
		default:
			return errMalformed
		}
		answered = true
		return nil
	})
	<-c.gone
	sendErr := <-sent
	exit := c.close()
	switch {
	case c.refused != nil:
		return exitCode(exit), c.refused
	case answered:
		return btoi(outcome != nil), outcome
	case broken != nil:
		return exitCode(exit), broken
	case exit.Code == 0 && def.shape&givesResult == 0:
		return 0, nil // os.Exit(0)
	case sendErr != nil && exit.Code == 0:
		return 1, sendErr
	}
	return exitCode(exit), exit
}

// order sends the child all that it needs to run the function once.
func (c *child) order(def definition, arg []byte) error {
	defer close(c.ordered)
	if err := c.update(); err != nil {
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
	return c.conn.send(frame{kind: frameTask, id: 1, body: append(appendTaskHead(nil, 0, taskLast, 1), arg...)})
}

// update brings the child to what the host has by now. An error that is not
// the connection's is the host's.
func (c *child) update() error {
	msg, now, err := c.host.Update(c.version)
	if err != nil {
		return err
	}
	if now == c.version && c.updated {
		return nil
	}
	c.version, c.updated = now, true
	_ = c.conn.send(frame{kind: frameUpdate, body: msg}) // a broken connection shows when it is read
	return nil
}

func (c *child) define(def definition, slot uint64) error {
	body := appendStrings([]byte{byte(btoi(def.target))}, def.runnerID, def.fnID)
	return c.conn.send(frame{kind: frameDefine, id: slot, body: body})
}

// listen handles what the child sends until it closes its end, or sends what
// it cannot have meant.
func (c *child) listen(result func(frame) error) error {
	var results []byte // nothing of a result is kept
	room := func(kind byte, n int) []byte {
		if kind != frameResult {
			return nil
		}
		results = slices.Grow(kept(results)[:0], n)[:n]
		return results
	}
	for {
		f, err := readFrame(c.frames, room)
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrDeadlineExceeded) {
				return nil
			}
			return err
		}
		switch f.kind {
		case frameMessage:
			c.host.Message(&Peer{c.conn}, f.body)
		case frameResult:
			if err := result(f); err != nil {
				_ = c.kill()
				return err
			}
		case frameBroken:
			return decodeError(f.body)
		}
	}
}
