package shm

import (
	"context"
	"sync"
)

// A sleeper is a goroutine that waits for a word.
type sleeper struct {
	woken      chan struct{} // has a buffer of one
	next, prev *sleeper
	in         *sleepers // nil if it was woken

	// Only for a sleeper that waits for a word of a shared object.
	o     *Object
	off   int
	val   uint32
	watch Watch
}

// sleepers is a list of goroutines that are woken in the order in which they came.
type sleepers struct{ first, last *sleeper }

func (l *sleepers) add(s *sleeper) {
	s.in, s.prev = l, l.last
	if l.last != nil {
		l.last.next = s
	} else {
		l.first = s
	}
	l.last = s
}

func (l *sleepers) remove(s *sleeper) {
	if s.prev != nil {
		s.prev.next = s.next
	} else {
		l.first = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	} else {
		l.last = s.prev
	}
	s.in, s.next, s.prev = nil, nil, nil
}

// wake wakes at most n sleepers, and returns how many it woke.
func (l *sleepers) wake(n int) int {
	woken := 0
	for ; woken < n && l.first != nil; woken++ {
		s := l.first
		l.remove(s)
		s.woken <- struct{}{}
	}
	return woken
}

var idleWakers = sync.Pool{New: func() any { return make(chan struct{}, 1) }}

// A parkingLot has the goroutines that wait for the words of an object for goroutines,
// by offset.
type parkingLot struct {
	mu    sync.Mutex
	words map[int]*sleepers
}

func (l *parkingLot) wait(ctx context.Context, o *Object, off int, val uint32) {
	s := &sleeper{woken: idleWakers.Get().(chan struct{})}
	l.mu.Lock()
	if o.U32(off).Load() != val || o.IsClosed() {
		l.mu.Unlock()
		idleWakers.Put(s.woken)
		return
	}
	if l.words == nil {
		l.words = make(map[int]*sleepers)
	}
	if l.words[off] == nil {
		l.words[off] = new(sleepers)
	}
	l.words[off].add(s)
	l.mu.Unlock()
	select {
	case <-s.woken:
	case <-ctx.Done():
		l.mu.Lock()
		if s.in != nil {
			s.in.remove(s)
		} else { // pass the wake-up on to another
			<-s.woken
			l.words[off].wake(1)
		}
		l.mu.Unlock()
	}
	idleWakers.Put(s.woken)
}

func (l *parkingLot) wake(off, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w := l.words[off]; w != nil {
		w.wake(n)
	}
}
