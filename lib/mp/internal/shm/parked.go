package shm

import (
	"context"
	"sync"
	"time"
)

// A wordID identifies a word of a shared object in every process. It is not 0. If its
// lowest bit is set, all waiters of the word are to be woken, else one.
type wordID uint64

const idAll wordID = 1

// parked has the goroutines of this process that wait for shared words without a thread
// each. One thread sleeps for all of them, on the word of this process's place in the
// hub.
var parked struct {
	mu        sync.Mutex
	words     map[wordID]*sleepers
	n         int
	listening bool
}

func (o *Object) waitParked(ctx context.Context, off int, val uint32, w Watch) error {
	h, err := ownHub()
	if err != nil { // without a hub, a thread waits
		return o.waitDirect(ctx, off, val, w)
	}
	s := &sleeper{woken: idleWakers.Get().(chan struct{}), o: o, off: off, val: val, watch: w}
	h.park(o.wordID(off), s)
	if o.U32(off).Load() != val || o.IsClosed() {
		unpark(o, off, s)
		return o.ended(ctx, w)
	}
	select {
	case <-s.woken:
		idleWakers.Put(s.woken)
	case <-ctx.Done():
		unpark(o, off, s)
	}
	return o.ended(ctx, w)
}

// park adds a sleeper, and starts the listener if it does not run.
func (h *hub) park(id wordID, s *sleeper) {
	parked.mu.Lock()
	defer parked.mu.Unlock()
	if parked.words == nil {
		parked.words = make(map[wordID]*sleepers)
	}
	if parked.words[id] == nil {
		parked.words[id] = new(sleepers)
	}
	parked.words[id].add(s)
	if parked.n++; parked.n == 1 {
		h.setParked(h.mine, true)
	}
	if !parked.listening {
		parked.listening = true
		go h.listen()
	}
}

// unpark removes a sleeper. If it was woken already, it passes the wake-up on to another.
func unpark(o *Object, off int, s *sleeper) {
	parked.mu.Lock()
	woken := s.in == nil
	if !woken {
		removeParked(o.wordID(off), s)
	}
	parked.mu.Unlock()
	if woken {
		<-s.woken
		o.Wake(off, 1)
	}
	idleWakers.Put(s.woken)
}

// removeParked removes a sleeper from the waiters of a word. parked.mu is held.
func removeParked(id wordID, s *sleeper) {
	l := parked.words[id]
	l.remove(s)
	if l.first == nil {
		delete(parked.words, id)
	}
	parked.n--
}

// wakeOwn wakes at most n of this process's sleepers, and returns how many.
func wakeOwn(id wordID, n int) int {
	parked.mu.Lock()
	defer parked.mu.Unlock()
	l := parked.words[id]
	if l == nil {
		return 0
	}
	woken := l.wake(n)
	if l.first == nil {
		delete(parked.words, id)
	}
	parked.n -= woken
	return woken
}

// Intervals at which the listener checks for changes without a wake-up: the second if
// more than manyParked sleep.
const (
	recheckInterval     = 50 * time.Millisecond
	manyParked          = 1000
	recheckManyInterval = 100 * time.Millisecond
)

// listen wakes sleepers when other processes post wake-ups. It returns when two
// successive checks have found no parked goroutine.
func (h *hub) listen() {
	idle, next := false, time.Now().Add(recheckInterval)
	for {
		seen := h.word().Load()
		for id := range h.mail() {
			n := 1
			if id&idAll != 0 {
				n = All
			}
			wakeOwn(id&^idAll, n)
		}
		if h.lostMail() || time.Now().After(next) {
			if next = time.Now().Add(recheck()); h.rest(&idle) {
				return
			}
		}
		futexWait(h.word(), seen, time.Until(next))
	}
}

// rest records how many goroutines are parked. It ends the listening, and returns true,
// if there were none now and at the last call.
func (h *hub) rest(idle *bool) bool {
	parked.mu.Lock()
	defer parked.mu.Unlock()
	if parked.n > 0 || !*idle {
		*idle = parked.n == 0
		return false
	}
	h.setParked(h.mine, false)
	parked.listening = false
	return true
}

// recheck wakes sleepers whose wake-up may have been lost because a process died, and
// those that wait for dead processes. It returns the time until the next check.
func recheck() time.Duration {
	parked.mu.Lock()
	all := make([]*sleeper, 0, parked.n)
	for _, l := range parked.words {
		for s := l.first; s != nil; s = s.next {
			all = append(all, s)
		}
	}
	parked.mu.Unlock()
	woken := make(map[wordID]bool) // words with a waiter that recheck has woken
	for _, s := range all {
		if id := s.o.wordID(s.off); !woken[id] && s.overdue() {
			woken[id] = s.watch.One && !s.o.IsClosed()
			parked.mu.Lock()
			if s.in != nil {
				removeParked(id, s)
				s.woken <- struct{}{}
			}
			parked.mu.Unlock()
		}
	}
	if len(all) > manyParked {
		return recheckManyInterval
	}
	return recheckInterval
}

// overdue reports whether a sleeper must end its wait although no wake-up came.
func (s *sleeper) overdue() bool {
	return s.o.U32(s.off).Load() != s.val || s.o.IsClosed() || s.o.looks(s.watch, 10*time.Millisecond)
}
