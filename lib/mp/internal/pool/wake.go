package pool

import (
	"slices"
	"sync"
	"time"

	"github.com/perijove/perijove/lib/mp/internal/protocol"
)

// Workers that wait for tasks sleep one by one, so that the tasks of one batch wake
// one worker and not all of them. These rules see to it that none sleeps beside a task
// that it could do: what adds tasks wakes a worker, and a worker that has taken some,
// or ends, wakes the next if there are more.

// A sleep is how a worker waits. Guarded by pool.mu.
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

// wakeForLocked wakes workers for n new tasks that may be divided: those first that
// have none, the last one to fall asleep first.
func (p *Pool) wakeForLocked(n int) {
	if p.nested { // not every worker can take every task
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

// wakeNextLocked wakes a worker if there are tasks.
func (p *Pool) wakeNextLocked() {
	if len(p.sleeping) > 0 && len(p.jobs)+len(p.back) > 0 {
		p.wakeForLocked(1)
	}
}

// begunLocked has idle workers look whether a batch that begins is worth dividing: now
// if it will take long, and in any case if it has not ended soon.
func (p *Pool) begunLocked(f *inflightBatch) {
	if f.n < 2 || len(p.sleeping) == 0 {
		return
	}
	if time.Duration(f.n)*f.chunk.state().perTask >= stealDelay/4 {
		p.wakeForLocked(1)
	}
	p.lookLaterLocked()
}

// lookLaterLocked has idle workers look for tasks to take off others in a while.
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
