package pool

import (
	"slices"
	"sync"
	"time"

	"github.com/perijove/perijove/lib/mp/internal/protocol"
)

// Idle workers are woken one at a time, so that the tasks of one batch do not wake all
// of them. Two rules ensure that no worker sleeps while there is a task for it: code
// that adds tasks wakes a worker, and a worker that takes tasks, or ends, wakes the
// next one if there are more.

// A sleep is the state of a worker that waits. Guarded by Pool.mu.
type sleep struct {
	bell   sync.Cond
	asleep bool
}

func (p *Pool) sleepLocked(w *worker) {
	w.bell.L, w.asleep = &p.mu, true
	p.sleeping = append(p.sleeping, w)
	for w.asleep {
		w.bell.Wait()
	}
}

func (p *Pool) wakeLocked(w *worker) {
	if w.asleep {
		w.asleep = false
		i := slices.Index(p.sleeping, w)
		p.sleeping = slices.Delete(p.sleeping, i, i+1)
		w.bell.Signal()
	}
}

func (p *Pool) wakeAllLocked() {
	for _, w := range p.sleeping {
		w.asleep = false
		w.bell.Signal()
	}
	clear(p.sleeping)
	p.sleeping = p.sleeping[:0]
	p.wake.Broadcast()
}

func (p *Pool) wakeAll() {
	p.mu.Lock()
	p.wakeAllLocked()
	p.mu.Unlock()
}

// wakeForLocked wakes at most n workers for n new tasks: first those without a batch,
// and among these the one that fell asleep last.
func (p *Pool) wakeForLocked(n int) {
	if p.nested { // a helper cannot take every task
		p.wakeAllLocked()
		return
	}
	for inflight := range protocol.Window {
		for i := len(p.sleeping) - 1; i >= 0 && n > 0; i-- {
			if w := p.sleeping[i]; len(w.inflight) == inflight && !w.gone && !w.spent(p.o.TasksPerChild) {
				p.wakeLocked(w)
				n--
			}
		}
	}
}

// wakeNextLocked wakes a worker if there are tasks to take.
func (p *Pool) wakeNextLocked() {
	if len(p.sleeping) > 0 && len(p.jobs)+len(p.back) > 0 {
		p.wakeForLocked(1)
	}
}

// begunLocked makes idle workers check whether a batch that begins is worth dividing:
// at once if it is expected to take long, and in any case if it still runs after
// stealDelay.
func (p *Pool) begunLocked(f *inflightBatch) {
	if f.n < 2 || len(p.sleeping) == 0 {
		return
	}
	if time.Duration(f.n)*f.chunk.state().perTask >= stealDelay/4 {
		p.wakeForLocked(1)
	}
	p.lookLaterLocked()
}

// lookLaterLocked makes idle workers look, after stealDelay, for tasks of other workers
// to take.
func (p *Pool) lookLaterLocked() {
	if !p.looking {
		p.looking = true
		time.AfterFunc(stealDelay, p.lookAgain)
	}
}

func (p *Pool) lookAgain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.looking = false
	for i := len(p.sleeping) - 1; i >= 0; i-- {
		if w := p.sleeping[i]; len(w.inflight) == 0 {
			p.wakeLocked(w)
		}
	}
}
