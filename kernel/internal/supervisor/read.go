package supervisor

import "slices"

// addPipes starts to watch pipes.
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

// readPiece reads one piece of p. Then it lets the watcher of p continue, or ends the watcher if every writer has
// closed p.
func (w *Worker) readPiece(p *pipe) {
	if p == w.extPipe {
		w.drain() // shows the text that was printed before the extension's message
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

// readOlder shows the content of pipes older than p that also belongs to the running cell. So the output of a process
// of package mp comes before the text that the cell prints when it has the result of that process.
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

// isOld reports whether only children of the worker process still have the pipe.
func (w *Worker) isOld(p *pipe) bool { return !w.isCurrent(p) && p != w.extPipe }

// read shows one piece of the pipe's content, or passes it to the extension, and reports
// whether more may come.
func (w *Worker) read(p *pipe) (more bool) {
	b, more := p.read(w.readBuffer())
	w.lastRead = len(b)
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

// readBuffer returns memory for the next bytes of a pipe. It is larger if the last bytes filled it.
func (w *Worker) readBuffer() []byte {
	if n := len(w.buffer); n == 0 || w.lastRead == n && n < maxRead {
		w.buffer = make([]byte, max(minRead, 2*n))
	}
	return w.buffer
}

// drain shows the present content of the pipes. It does not read text that goroutines write while drain runs.
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
	for n := p.buffered(); n > 0 && w.read(p); n -= w.lastRead {
	}
}
