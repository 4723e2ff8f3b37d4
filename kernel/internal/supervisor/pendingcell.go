package supervisor

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"golang.org/x/sys/unix"
)

// A pendingCell is a cell that the worker was sent and has not yet loaded.
type pendingCell struct {
	onLoaded func(reset, notices []string)
	pipes    [2]*pipe // new ones, if the worker is offered any
	names    []string // theirs
}

// makePipes makes new pipes for the worker and returns their names, or none if
// that is impossible: the worker then keeps the old ones.
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

// removeNames removes the pipes' names, which both sides have opened.
func (c *pendingCell) removeNames() {
	for _, path := range c.names {
		_ = os.Remove(path)
	}
}

// closePipes closes pipes that the worker does not take.
func (c *pendingCell) closePipes() {
	c.removeNames()
	for i, p := range c.pipes {
		if p != nil {
			p.f.Close()
		}
		c.pipes[i] = nil
	}
}

// begin notes that the pending cell is loaded and begins. From now on the worker
// may have new pipes: what the old ones hold was written by children that
// earlier cells started.
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

// replacePipes has the worker's new pipes read beside the old ones. Those belong
// to owner unless processes of package mp share them.
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

// dropPending forgets a cell that the worker did not load.
func (w *Worker) dropPending() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pending != nil {
		w.pending.closePipes()
	}
	w.pending = nil
}
