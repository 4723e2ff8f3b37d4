package session

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"unicode/utf8"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/lib/display"
	"golang.org/x/sys/unix"
)

// pump passes on what the worker says until it is gone. A control message
// comes after everything that was written to the pipes before it was sent:
// they are emptied first. Since the worker waits for the answer to what it
// displays, output and displays keep their order.
func (p *process) pump() {
	messages := make(chan control.Message)
	failed := make(chan error, 1)
	wake, wakeWriter, err := os.Pipe()
	if err != nil {
		p.ready <- err
		p.finish(err)
		return
	}
	defer wake.Close()
	go p.receive(messages, failed, wakeWriter)
	fds := []unix.PollFd{
		{Fd: int32(p.out[0].fd), Events: unix.POLLIN},
		{Fd: int32(p.out[1].fd), Events: unix.POLLIN},
		{Fd: int32(wake.Fd()), Events: unix.POLLIN},
	}
	for {
		if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
			p.finish(err)
			return
		}
		if fds[2].Revents != 0 {
			select {
			case m := <-messages:
				_, _ = wake.Read(make([]byte, 1))
				p.drain()
				if err := p.handle(m); err != nil {
					p.finish(err)
					return
				}
				continue
			case err := <-failed:
				p.drain()
				p.finish(err)
				return
			}
		}
		for i, s := range p.out {
			if fds[i].Revents != 0 && !p.read(s) {
				fds[i].Fd = -1 // closed by the worker and all its children
			}
		}
	}
}

// receive reads control messages; each is announced by a byte in the pipe that
// the pump polls.
func (p *process) receive(messages chan<- control.Message, failed chan<- error, wake *os.File) {
	defer wake.Close()
	for {
		m, err := p.conn.Receive()
		if err != nil {
			failed <- err
			return
		}
		if _, err := wake.Write([]byte{0}); err != nil {
			return
		}
		messages <- m
	}
}

const readSize = 64 << 10

// read passes on what is in the pipe, one piece, and reports whether more may come.
func (p *process) read(s *stream) bool {
	if s.closed {
		return false
	}
	buf := make([]byte, readSize)
	n, err := unix.Read(s.fd, buf)
	if n > 0 {
		if t := s.text(buf[:n]); t != "" {
			p.current().Stream(s.name, t)
		}
		return true
	}
	if err == nil {
		s.closed = true
		return false
	}
	return errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR)
}

// drain passes on what is in the pipes now. What a background goroutine writes
// meanwhile waits for its turn.
func (p *process) drain() {
	for _, s := range p.out {
		n, err := unix.IoctlGetInt(s.fd, unix.TIOCINQ)
		for err == nil && n > 0 && p.read(s) {
			n -= readSize
		}
	}
}

// current is where output goes: to the running cell, or to the last.
func (p *process) current() output.Sink {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sink == nil {
		return quiet{}
	}
	return p.sink
}

func (p *process) handle(m control.Message) error {
	switch m.Kind {
	case control.Ready:
		p.ready <- nil
	case control.Loaded:
		p.mu.Lock()
		f := p.onLoaded
		p.mu.Unlock()
		if f != nil {
			f(m.Reset)
		}
	case control.Done:
		p.mu.Lock()
		done := p.done
		if m.ID != p.id {
			done = nil
		}
		p.done = nil
		p.mu.Unlock()
		if done != nil {
			done <- m
		}
	case control.Display, control.Result:
		p.show(m)
		return p.conn.Send(control.Message{Kind: control.Ack, Seq: m.Seq})
	case control.Input:
		p.mu.Lock()
		ctx := p.ctx
		p.mu.Unlock()
		go p.ask(ctx, m) // the pump goes on: the answer may take long
	case control.Notice:
		p.current().Stream(output.Stderr, m.Text+"\n")
		return p.conn.Send(control.Message{Kind: control.Ack, Seq: m.Seq})
	case control.Failure:
		if m.Outcome != nil {
			e := panicError(m.Outcome, nil)
			for _, line := range e.Traceback {
				p.current().Stream(output.Stderr, line+"\n")
			}
		}
	default:
		return errors.New("the worker sent a message of unknown kind " + m.Kind)
	}
	return nil
}

// ask gets a line from the front end.
func (p *process) ask(ctx context.Context, m control.Message) {
	answer := control.Message{Kind: control.Line, Seq: m.Seq}
	text, err := p.current().Input(ctx, m.Text, m.Password)
	if err != nil {
		answer.Error = err.Error()
	}
	answer.Text = text
	_ = p.conn.Send(answer) // a dead worker is noticed by the pump
}

func (p *process) show(m control.Message) {
	var d display.Message
	if err := json.Unmarshal(m.Output, &d); err != nil {
		p.log.Warn("malformed display", "err", err)
		return
	}
	sink := p.current()
	data := output.Bundle(d.Data)
	switch {
	case d.Kind == display.KindClear:
		sink.Clear(d.Wait)
	case m.Kind == control.Result:
		sink.Result(data, d.Metadata)
	default:
		sink.Display(output.Display{Data: data, Metadata: d.Metadata, DisplayID: d.ID, Update: d.Kind == display.KindUpdate})
	}
}

// finish ends the process for good.
func (p *process) finish(err error) {
	if err != nil && !errors.Is(err, io.EOF) {
		p.garbage = err
		p.log.Error("worker given up", "err", err)
	}
	p.killGroup()
	p.reap.Lock()
	_ = p.cmd.Wait()
	p.reaped = true
	p.reap.Unlock()
	p.drain()
	p.sock.Close()
	for _, s := range p.out {
		s.f.Close()
	}
	close(p.ended)
}

// splitPartialRune splits off an incomplete UTF-8 sequence at the end.
func splitPartialRune(b []byte) (whole, rest []byte) {
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		c := b[len(b)-i]
		if utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(b[len(b)-i:]) {
				return b[:len(b)-i], b[len(b)-i:]
			}
			break
		}
	}
	return b, nil
}
