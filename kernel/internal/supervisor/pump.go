package supervisor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/perijove/perijove/kernel/internal/control"
	"golang.org/x/sys/unix"
)

// pump handles everything that the worker process sends, until the process has ended. Before it handles a control
// message, it reads all text from the pipes, so that output from before the message is shown first. Since the worker
// process waits for the answer to each display, output and displays keep their order.
func (w *Worker) pump() {
	messages := make(chan control.Message)
	failed := make(chan error, 1)
	defer close(w.stopped)
	go w.receive(messages, failed, w.stopped)
	w.addPipes(w.pipes[:]...)
	if w.extPipe != nil {
		w.addPipes(w.extPipe)
	}
	w.crashTimer = time.NewTimer(time.Hour)
	defer w.crashTimer.Stop()
	for {
		select {
		case <-w.interruptTimer.C:
			if w.ignoresInterrupt() {
				w.finish(errors.New("the process did not react to an interrupt, so the kernel ended it"))
				return
			}
		case <-w.secondInterrupt:
			if w.ignoresInterrupt() {
				w.finish(errors.New("the process did not react to an interrupt, so the second interrupt ended it"))
				return
			}
		case err := <-w.killReason:
			w.drain()
			w.finish(err)
			return
		case <-w.crashTimer.C:
			w.print(w.pipes[1], w.crash.release())
		case m := <-messages:
			w.drain()
			if err := w.handle(m); err != nil {
				w.finish(err)
				return
			}
		case err := <-failed:
			w.drain()
			w.finish(err)
			return
		case p := <-w.readable:
			w.readPiece(p)
		}
	}
}

// receive reads control messages until an error, or until stopped is closed.
func (w *Worker) receive(messages chan<- control.Message, failed chan<- error, stopped <-chan struct{}) {
	for {
		m, err := w.conn.Receive()
		if err != nil {
			failed <- err
			return
		}
		select {
		case messages <- m:
		case <-stopped:
			return
		}
	}
}

// ignoresInterrupt reports whether the worker process has not answered an interrupt. While the pipes hold unread
// output, the answer may be unread, too, so the result is false.
func (w *Worker) ignoresInterrupt() bool {
	w.mu.Lock()
	waiting := w.done != nil && w.interrupted == w.id
	w.mu.Unlock()
	if !waiting {
		return false
	}
	for _, p := range w.pipes {
		if p.buffered() > 0 {
			w.interruptTimer.Reset(time.Second)
			return false
		}
	}
	return true
}

// finish ends the worker process and closes the kernel's sockets and pipes to it. err is the reason, or the error of
// the connection.
func (w *Worker) finish(err error) {
	if err != nil && !isHangup(err) {
		w.fatalErr = err
		w.log.Error("the worker process was stopped", "err", err)
	} else if program := w.replacedBy(); program != "" {
		w.fatalErr = fmt.Errorf("the program %s replaced the process, as syscall.Exec does, and the kernel ended the program", program)
	}
	w.killGroup()
	w.reapMu.Lock()
	_ = w.cmd.Wait()
	w.isReaped = true
	w.reapMu.Unlock()
	w.drain()
	w.socket.Close()
	for _, p := range w.allPipes {
		p.f.Close()
	}
	w.dropPending()
	if w.extension != nil {
		w.extension.Close()
		w.extReply.Close()
	}
	w.closeComms()
	close(w.ended)
}

// isHangup reports whether an error of the control socket means that the other side has
// closed it. A process that ends with unread data resets the connection.
func isHangup(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// replacedBy returns the name of the program that a cell has executed in place of the worker process's program, or "".
func (w *Worker) replacedBy() string {
	link := fmt.Sprintf("/proc/%d/exe", w.cmd.Process.Pid)
	now, err := os.Stat(link)
	if err != nil {
		return ""
	}
	before, err := os.Stat(w.cmd.Path)
	if err != nil || os.SameFile(before, now) {
		return ""
	}
	program, _ := os.Readlink(link)
	return program
}

// killGroup kills the process group of the worker process, unless the process was reaped: after that, another process
// may have its ID.
func (w *Worker) killGroup() {
	w.reapMu.Lock()
	defer w.reapMu.Unlock()
	if !w.isReaped {
		_ = unix.Kill(-w.cmd.Process.Pid, unix.SIGKILL)
	}
}
