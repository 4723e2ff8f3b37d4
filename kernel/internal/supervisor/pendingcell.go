package supervisor

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"golang.org/x/sys/unix"
)

// A pendingCell is a cell that was sent to the worker process and is not yet loaded.
type pendingCell struct {
	onLoaded func(reset, notices []string)
	pipes    [2]*pipe // new standard output and error for the worker process; may be nil
	names    []string // the paths of pipes
}

// makePipes makes new pipes for the worker process and returns their names. It returns nil if it cannot make them. The
// process then keeps the old pipes.
func (c *pendingCell) makePipes(dir string, id int) []string {
	for i, stream := range streamNames {
		path := filepath.Join(dir, fmt.Sprintf("out%d-%d", id, i+1))
		if unix.Mkfifo(path, 0o600) != nil {
			c.closePipes()
			return nil
		}
		c.names = append(c.names, path)
		r, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
		if err != nil {
			c.closePipes()
			return nil
		}
		if c.pipes[i], err = newPipe(stream, r); err != nil {
			c.closePipes()
			return nil
		}
	}
	return c.names
}

// removeNames removes the paths of the pipes. Open pipes stay usable.
func (c *pendingCell) removeNames() {
	for _, path := range c.names {
		_ = os.Remove(path)
	}
}

// closePipes closes the pipes if the worker process does not use them.
func (c *pendingCell) closePipes() {
	c.removeNames()
	for i, p := range c.pipes {
		if p != nil {
			p.f.Close()
		}
		c.pipes[i] = nil
	}
}

// begin handles the message that the pending cell was loaded and begins. If the worker process uses new pipes from now
// on, children that earlier cells started write the later content of the old pipes.
func (w *Worker) begin(m control.Loaded) {
	w.mu.Lock()
	c, last, shared := w.pending, w.lastSink, w.childrenHoldPipes
	w.pending = nil
	w.mu.Unlock()
	if c == nil {
		return
	}
	if m.UsesOutputPipes && c.pipes[1] != nil {
		c.removeNames()
		w.replacePipes(c.pipes, last, shared)
	} else {
		c.closePipes()
	}
	c.onLoaded(m.Reset, m.Notices)
}

// replacePipes makes the new pipes those of the worker process. The kernel still reads the old pipes, unless they are
// closed. The content of the old pipes belongs to owner, unless processes of package mp share them.
func (w *Worker) replacePipes(pipes [2]*pipe, owner output.Sink, shared bool) {
	for _, p := range w.pipes {
		if !shared {
			p.owner = owner
		}
		if p.isClosed {
			w.removePipe(p)
		}
	}
	w.pipes = pipes
	w.addPipes(pipes[:]...)
}

// dropPending removes the pending cell, which the worker process did not load.
func (w *Worker) dropPending() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pending != nil {
		w.pending.closePipes()
	}
	w.pending = nil
}
