package supervisor

import "slices"

// addPipes has pipes watched.
func (w *Worker) addPipes(pipes ...*pipe) {
	for _, p := range pipes {
		w.allPipes = append(w.allPipes, p)
		go p.watch(w.readable, w.stopped)
	}
}

func (w *Worker) removePipe(p *pipe) {
	w.allPipes = slices.DeleteFunc(w.allPipes, func(other *pipe) bool { return other == p })
	p.f.Close()
}

// readPiece reads one piece of a pipe and lets its watcher proceed, unless every
// writer has closed it.
func (w *Worker) readPiece(p *pipe) {
	if p == w.extPipe {
		w.drain() // what was printed before is shown before
	} else {
		w.readOlder(p)
	}
	if w.read(p) {
		p.proceed <- true
		return
	}
	p.proceed <- false
	if w.isOld(p) {
		w.removePipe(p)
	}
}

// readOlder passes on what is in pipes from before p that also belong to the
// running cell: what a process of package mp printed comes before what the cell
// prints when it has the result.
func (w *Worker) readOlder(p *pipe) {
	for _, older := range w.allPipes {
		if older == p {
			return
		}
		if older.owner == nil && w.isOld(older) {
			w.drainPipe(older)
		}
	}
}

// isOld reports whether the worker itself no longer has the pipe.
func (w *Worker) isOld(p *pipe) bool { return !w.isCurrent(p) && p != w.extPipe }

// read passes on one piece of what is in the pipe, and reports whether more may
// come.
func (w *Worker) read(p *pipe) (more bool) {
	b, more := p.read()
	switch {
	case len(b) == 0:
	case p == w.extPipe:
		w.extension.Receive(b)
	default:
		if p == w.pipes[1] {
			var holding bool
			if b, holding = w.crash.split(b); holding {
				w.crashTimer.Reset(w.crash.timeout())
			}
		}
		w.print(p, b)
	}
	return more
}

// drain passes on what is in the pipes now. What a background goroutine writes
// meanwhile waits for its turn.
func (w *Worker) drain() {
	for _, p := range w.allPipes {
		if p != w.extPipe {
			w.drainPipe(p)
		}
	}
	if w.extPipe != nil {
		w.drainPipe(w.extPipe)
	}
}

func (w *Worker) drainPipe(p *pipe) {
	for n := p.buffered(); n > 0 && w.read(p); n -= readSize {
	}
}
