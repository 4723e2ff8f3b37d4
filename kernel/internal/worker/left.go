package worker

import "github.com/perijove/perijove/kernel/internal/control"

// tellLeft answers an interrupt that finds no cell.
func (w *worker) tellLeft() {
	if err := w.conn.Send(control.Orphans{Count: w.left.count()}); err != nil {
		endGroup()
	}
}

// count is how many executions are still to be stopped.
func (a *abandoned) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.list)
}
