package transport

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	maxSubscription  = 1 << 10 // bytes, with its leading command byte
	maxSubscriptions = 64      // per peer
)

var errSubscription = errors.New("transport: a subscriber sent a message that is not a subscription")

// A publisher is an XPUB socket over its own listener.
//
// Subscribers share the queued messages, so memory stays near twice Limits.Backlog
// for any number of them.
type publisher struct {
	limits  Limits
	log     *slog.Logger
	greeter Greeter
	done    <-chan struct{}

	mu      sync.Mutex // guards the fields below, and the order of messages
	subs    map[*peer]*subscriber
	changed chan struct{} // closed and replaced when a subscriber has taken a message or left
	waiting int           // number of publishers that wait for changed
	holds   int           // number of calls of Hold that are not released
}

type subscriber struct {
	topics map[string]bool
	lag    time.Duration // accumulated shortfall against LagRate while others were ready
}

func newPublisher(limits Limits, greeter Greeter, log *slog.Logger, done <-chan struct{}) *publisher {
	return &publisher{
		limits: limits, log: log, greeter: greeter, done: done,
		subs:    make(map[*peer]*subscriber),
		changed: make(chan struct{}),
	}
}

// serve reads p's subscriptions.
func (b *publisher) serve(p *peer) error {
	p.out.onWritten = b.signal
	defer b.remove(p)
	for {
		frames, err := p.recv()
		if err != nil {
			return err
		}
		p.release()
		if len(frames) != 1 || len(frames[0]) == 0 || frames[0][0] > 1 {
			return errSubscription
		}
		if err := b.subscribe(p, string(frames[0][1:]), frames[0][0] == 1); err != nil {
			return err
		}
	}
}

func (b *publisher) subscribe(p *peer, topic string, on bool) error {
	if !on {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.subscriber(p).topics, topic)
		return nil
	}
	if err := b.add(p, topic); err != nil {
		return err
	}
	b.greeter.Subscribed(func(frames [][]byte) {
		if strings.HasPrefix(string(frames[0]), topic) {
			p.out.put(newMessage(frames))
		}
	})
	return nil
}

func (b *publisher) add(p *peer, topic string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.subscriber(p)
	if len(s.topics) >= maxSubscriptions {
		return errSubscription
	}
	s.topics[topic] = true
	p.isActive.Store(true)
	if !utf8.ValidString(topic) {
		return nil
	}
	if frames := b.greeter.Welcome(topic); frames != nil {
		p.out.put(newMessage(frames))
	}
	return nil
}

// subscriber returns the record of p. The caller holds b.mu.
func (b *publisher) subscriber(p *peer) *subscriber {
	s := b.subs[p]
	if s == nil {
		s = &subscriber{topics: make(map[string]bool)}
		b.subs[p] = s
	}
	return s
}

func (b *publisher) remove(p *peer) {
	b.mu.Lock()
	delete(b.subs, p)
	b.mu.Unlock()
	b.signal()
}

// signal wakes the publishers that wait.
func (b *publisher) signal() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting > 0 {
		close(b.changed)
		b.changed = make(chan struct{})
	}
}

func (s *subscriber) wants(topic string) bool {
	for t := range s.topics {
		if strings.HasPrefix(topic, t) {
			return true
		}
	}
	return false
}

func (b *publisher) PublishNow(frames [][]byte) error {
	m := newMessage(frames)
	b.mu.Lock()
	defer b.mu.Unlock()
	for p, s := range b.subs {
		if p.out.backlog() > 2*b.limits.Backlog {
			b.disconnect(p, "is too far behind")
			continue
		}
		if s.wants(string(frames[0])) {
			b.queue(p, m)
		}
	}
	return nil
}

func (b *publisher) Publish(frames [][]byte) error { return b.publish(newMessage(frames)) }

func (b *publisher) PublishReusable(frames [][]byte, release func()) error {
	m := newMessage(frames)
	m.release = release
	return b.publish(m)
}

func (b *publisher) publish(m *message) error {
	defer m.done()
	w := publishWait{seen: make(map[*peer]progress)}
	for {
		select {
		case <-b.done:
			return ErrClosed
		default:
		}
		b.mu.Lock()
		late, ready := b.split(m)
		if len(late) == 0 {
			for _, p := range ready {
				b.queue(p, m)
			}
			b.mu.Unlock()
			return nil
		}
		b.wake()
		b.dropSlow(&w, late, len(ready) > 0)
		changed := b.changed
		b.waiting++
		b.mu.Unlock()

		err := b.sleep(changed)

		b.mu.Lock()
		b.waiting--
		b.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// queue queues m for p. The caller holds b.mu.
func (b *publisher) queue(p *peer, m *message) {
	if p.out.add(m) && b.holds == 0 {
		p.out.wake()
	}
}

func (b *publisher) Hold() (release func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.holds++
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.holds--; b.holds == 0 {
			b.wake()
		}
	}
}

// wake makes the writers of all subscribers write the queued messages. The caller holds b.mu.
func (b *publisher) wake() {
	for p := range b.subs {
		p.out.wake()
	}
}

// split divides the subscribers of a message: late are the peers whose queue has no room for it, ready the others.
func (b *publisher) split(m *message) (late, ready []*peer) {
	for p, s := range b.subs {
		if !s.wants(string(m.frames[0])) {
			continue
		}
		// An empty queue takes a message of any size.
		if n := p.out.backlog(); n > 0 && n+m.size > b.limits.Backlog {
			late = append(late, p)
			continue
		}
		ready = append(ready, p)
		s.lag = 0
	}
	return late, ready
}

// sleep waits until changed is closed, for checkInterval at most.
func (b *publisher) sleep(changed <-chan struct{}) error {
	timer := time.NewTimer(b.checkInterval())
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-b.done:
		return ErrClosed
	}
	return nil
}

// checkInterval is how often a waiting publisher checks the subscribers.
func (b *publisher) checkInterval() time.Duration {
	return min(100*time.Millisecond, b.limits.LagTimeout/4, b.limits.StallTimeout/4)
}

// A publishWait is the progress of the subscribers that one Publish call waits for.
type publishWait struct {
	seen map[*peer]progress
}

type progress struct {
	taken int64     // bytes that the peer has taken
	moved time.Time // when it last took any
	seen  time.Time // when this was recorded
}

// dropSlow disconnects subscribers that have blocked the publisher for too long.
// The time since the last call counts as two intervals at most, since the machine may have been suspended.
func (b *publisher) dropSlow(w *publishWait, late []*peer, othersReady bool) {
	now := time.Now()
	for _, p := range late {
		last, ok := w.seen[p]
		taken := p.progress.Load()
		cur := progress{taken: taken, moved: last.moved, seen: now}
		if !ok || taken != last.taken {
			cur.moved = now
		}
		w.seen[p] = cur
		if !ok {
			continue
		}
		if now.Sub(cur.moved) > b.limits.StallTimeout {
			b.disconnect(p, "reads nothing")
			continue
		}
		if !othersReady {
			continue
		}
		due := time.Duration(taken-last.taken) * time.Second / time.Duration(b.limits.LagRate)
		s := b.subs[p]
		s.lag = max(0, s.lag+min(now.Sub(last.seen), 2*b.checkInterval())-due)
		if s.lag > b.limits.LagTimeout {
			b.disconnect(p, "delays the other subscribers")
		}
	}
}

func (b *publisher) disconnect(p *peer, why string) {
	b.log.Warn("disconnected a subscriber of iopub that "+why,
		"address", p.RemoteAddr().String(), "backlog", p.out.backlog())
	delete(b.subs, p)
	p.drop("subscriber " + why)
}
