package session

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"
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
	stop := make(chan struct{})
	defer close(stop)
	go p.receive(messages, failed, stop)
	for _, s := range []*stream{p.out[0], p.out[1], p.gonb.in} {
		go s.watch(stop)
	}
	p.patience = time.NewTimer(time.Hour)
	defer p.patience.Stop()
	for {
		select {
		case <-p.unheard.C:
			if p.deaf() {
				p.finish(errors.New("it did not react to an interrupt and was ended"))
				return
			}
		case err := <-p.doom:
			p.drain()
			p.finish(err)
			return
		case <-p.patience.C:
			p.print(p.out[1], p.dump.release())
		case m := <-messages:
			p.drain()
			if err := p.handle(m); err != nil {
				p.finish(err)
				return
			}
		case err := <-failed:
			p.drain()
			p.finish(err)
			return
		case <-p.out[0].ready:
			p.readMore(p.out[0])
		case <-p.out[1].ready:
			p.readMore(p.out[1])
		case <-p.gonb.in.ready:
			p.drain() // what was printed before is shown before
			p.readMore(p.gonb.in)
		}
	}
}

// readMore reads one piece of a stream and lets its watcher go on, unless the
// worker and all its children have closed it.
func (p *process) readMore(s *stream) {
	if p.read(s) {
		s.again <- true
	}
}

// receive reads control messages.
func (p *process) receive(messages chan<- control.Message, failed chan<- error, stop <-chan struct{}) {
	for {
		m, err := p.conn.Receive()
		if err != nil {
			failed <- err
			return
		}
		select {
		case messages <- m:
		case <-stop:
			return
		}
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
		text := buf[:n]
		if s == p.gonb.in {
			p.gonbui(text)
			return true
		}
		if s.name == output.Stderr {
			var holding bool
			if text, holding = p.dump.split(text); holding {
				p.patience.Reset(p.dump.patience())
			}
		}
		p.print(s, text)
		return true
	}
	if err == nil {
		s.closed = true
		return false
	}
	return errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR)
}

func (p *process) print(s *stream, b []byte) {
	if len(b) == 0 {
		return
	}
	if t := s.text(b); t != "" {
		p.current().Stream(s.name, t)
	}
}

// deaf reports whether the worker leaves an interrupt unanswered. While its
// pipes hold something it is the kernel that is behind.
func (p *process) deaf() bool {
	p.mu.Lock()
	waiting := p.done != nil && p.told == p.id
	p.mu.Unlock()
	if !waiting {
		return false
	}
	for _, s := range p.out {
		if n, err := unix.IoctlGetInt(s.fd, unix.TIOCINQ); err == nil && n > 0 {
			p.unheard.Reset(time.Second)
			return false
		}
	}
	return true
}

// drain passes on what is in the pipes now. What a background goroutine writes
// meanwhile waits for its turn.
func (p *process) drain() {
	for _, s := range []*stream{p.out[0], p.out[1], p.gonb.in} {
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
		if p.started {
			return errors.New("the worker says twice that it is ready")
		}
		p.started = true
		p.ready <- nil
	case control.Loaded:
		p.mu.Lock()
		f := p.onLoaded
		p.onLoaded = nil
		p.mu.Unlock()
		if f != nil {
			f(m.Reset)
		}
	case control.Done:
		p.print(p.out[1], p.dump.release()) // the worker lives
		p.mu.Lock()
		done := p.done
		if m.ID != p.id {
			done = nil
		}
		p.done = nil
		p.mu.Unlock()
		p.unheard.Stop()
		if done != nil {
			done <- m
		}
	case control.Display, control.Result:
		p.show(m)
		return p.conn.Send(control.Message{Kind: control.Ack, Seq: m.Seq})
	case control.Comm:
		p.commFromWorker(m)
		return p.conn.Send(control.Message{Kind: control.Ack, Seq: m.Seq})
	case control.Input:
		p.mu.Lock()
		ctx := p.ctx
		p.mu.Unlock()
		if in := p.gonb.prompt; in != nil {
			m.Text, m.Password, p.gonb.prompt = in.Prompt, in.Password, nil
		}
		go p.ask(ctx, m) // the pump goes on: the answer may take long
	case control.Notice:
		p.current().Stream(output.Stderr, m.Text+"\n")
		return p.conn.Send(control.Message{Kind: control.Ack, Seq: m.Seq})
	case control.Failure:
		if m.Outcome != nil {
			e := panicError(m.Outcome, p.shown())
			for _, line := range e.Traceback {
				p.current().Stream(output.Stderr, line+"\n")
			}
		}
	default:
		return errors.New("the worker sent a message of unknown kind " + m.Kind)
	}
	return nil
}

// shown is how calls are shown.
func (p *process) shown() view {
	p.mu.Lock()
	f := p.view
	p.mu.Unlock()
	if f == nil {
		return view{}
	}
	return f()
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
	p.gonb.close()
	p.closeComms()
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
