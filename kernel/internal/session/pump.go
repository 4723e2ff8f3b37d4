package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/lib/display/displayhost"
	"golang.org/x/sys/unix"
)

// pump passes on what the worker says until it is gone. A control message
// comes after everything that was written to the pipes before it was sent:
// they are emptied first. Since the worker waits for the answer to what it
// displays, output and displays keep their order.
func (p *process) pump() {
	messages := make(chan control.Message)
	failed := make(chan error, 1)
	defer close(p.stop)
	go p.receive(messages, failed, p.stop)
	p.add(p.out[0], p.out[1], p.gonb.in)
	p.patience = time.NewTimer(time.Hour)
	defer p.patience.Stop()
	for {
		select {
		case <-p.unheard.C:
			if p.deaf() {
				p.finish(errors.New("it did not react to an interrupt and was ended"))
				return
			}
		case <-p.insist:
			if p.deaf() {
				p.finish(errors.New("it did not react to an interrupt; the second one ended it"))
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
		case s := <-p.readable:
			p.readMore(s)
		}
	}
}

// add has pipes read.
func (p *process) add(out ...*stream) {
	for _, s := range out {
		p.streams = append(p.streams, s)
		go s.watch(p.readable, p.stop)
	}
}

// readMore reads one piece of a stream and lets its watcher go on, unless all
// who could write have closed it.
func (p *process) readMore(s *stream) {
	if s == p.gonb.in {
		p.drain() // what was printed before is shown before
	} else {
		p.readOlder(s)
	}
	if p.read(s) {
		s.again <- true
		return
	}
	s.again <- false
	if p.old(s) {
		p.remove(s)
	}
}

// readOlder passes on what is in pipes from before s that are the running
// cell's too: what a process of package mp printed comes before what the cell
// prints when it has the result.
func (p *process) readOlder(s *stream) {
	for _, older := range p.streams {
		if older == s {
			return
		}
		if older.cell == nil && p.old(older) {
			p.drainOne(older)
		}
	}
}

// old reports whether a pipe is one that the worker itself has no more.
func (p *process) old(s *stream) bool { return s != p.out[0] && s != p.out[1] && s != p.gonb.in }

func (p *process) remove(s *stream) {
	p.streams = slices.DeleteFunc(p.streams, func(other *stream) bool { return other == s })
	s.f.Close()
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
		if s == p.out[1] {
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
	if t := s.decode(b); t != "" {
		p.owner(s).Stream(s.name, t)
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
	for _, s := range p.streams {
		if s != p.gonb.in {
			p.drainOne(s)
		}
	}
	p.drainOne(p.gonb.in)
}

func (p *process) drainOne(s *stream) {
	n, err := unix.IoctlGetInt(s.fd, unix.TIOCINQ)
	for err == nil && n > 0 && p.read(s) {
		n -= readSize
	}
}

func (p *process) handle(m control.Message) error {
	switch m := m.(type) {
	case control.Ready:
		if p.started {
			return errors.New("the worker says twice that it is ready")
		}
		p.started = true
		p.ready <- nil
	case control.Loaded:
		p.loaded(m)
	case control.Reply:
		p.print(p.out[1], p.dump.release()) // the worker lives
		for _, s := range p.out {
			if t := s.rest(); t != "" {
				p.owner(s).Stream(s.name, t)
			}
		}
		p.over(m)
	case control.Print:
		p.late(m)
	case control.Display:
		p.display(m)
		return p.conn.Send(control.Ack{Seq: m.Seq})
	case control.Result:
		p.sinkOf(m.ID).Result(output.Bundle(m.Message.Data), m.Message.Metadata)
		return p.conn.Send(control.Ack{Seq: m.Seq})
	case control.Comm:
		p.commFromWorker(m.Message)
		return p.conn.Send(control.Ack{Seq: m.Seq})
	case control.InputRequest:
		p.mu.Lock()
		ctx := p.ctx
		p.mu.Unlock()
		if in := p.gonb.prompt; in != nil {
			m.Prompt, m.Password, p.gonb.prompt = in.Prompt, in.Password, nil
		}
		go p.input(ctx, m) // the pump goes on: the answer may take long
	case control.Notice:
		p.sinkOf(m.ID).Stream(output.Stderr, m.Text+"\n")
		return p.conn.Send(control.Ack{Seq: m.Seq})
	case control.Standby:
		p.standby.Store(int64(m.PID))
	case control.Orphans:
		p.mu.Lock()
		tell := p.onLeft
		p.mu.Unlock()
		if tell != nil && m.Count > 0 {
			tell(m.Count, p.current())
		}
	case control.GoroutinePanic:
		e := panicError(&m.Outcome, p.shown())
		for _, line := range e.Traceback {
			p.sinkOf(m.ID).Stream(output.Stderr, line+"\n")
		}
	default:
		return fmt.Errorf("the worker sent a %T", m)
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

// input gets a line from the front end.
func (p *process) input(ctx context.Context, m control.InputRequest) {
	answer := control.InputReply{Seq: m.Seq}
	text, err := p.current().Input(ctx, m.Prompt, m.Password)
	if err != nil {
		answer.Error = err.Error()
	}
	answer.Text = text
	_ = p.conn.Send(answer) // a dead worker is noticed by the pump
}

// display passes on what a cell displays.
func (p *process) display(m control.Display) {
	sink, d := p.sinkOf(m.ID), m.Message
	if d.Kind == displayhost.KindClear {
		sink.Clear(d.Wait)
		return
	}
	sink.Display(output.Display{Data: output.Bundle(d.Data), Metadata: d.Metadata, DisplayID: d.ID, Update: d.Kind == displayhost.KindUpdate})
}

// hungUp reports whether an error of the control socket says no more than that
// the other side is gone. One that dies before it has read all that it was sent
// resets the connection.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// replacedBy returns the program that runs where the worker did, "" if none.
func (p *process) replacedBy() string {
	link := fmt.Sprintf("/proc/%d/exe", p.cmd.Process.Pid)
	now, err := os.Stat(link)
	if err != nil {
		return ""
	}
	before, err := os.Stat(p.cmd.Path)
	if err != nil || os.SameFile(before, now) {
		return ""
	}
	program, _ := os.Readlink(link)
	return program
}

// finish ends the process for good.
func (p *process) finish(err error) {
	if err != nil && !hungUp(err) {
		p.garbage = err
		p.log.Error("worker given up", "err", err)
	} else if program := p.replacedBy(); program != "" {
		p.garbage = fmt.Errorf("the program %s took its place, as syscall.Exec does, and was ended", program)
	}
	p.killGroup()
	p.reap.Lock()
	_ = p.cmd.Wait()
	p.reaped = true
	p.reap.Unlock()
	p.drain()
	p.sock.Close()
	for _, s := range p.streams {
		s.f.Close()
	}
	p.dropNext()
	p.gonb.close()
	p.page.close()
	p.closeComms()
	close(p.ended)
}
