package control

import "sync"

// Pending holds the worker's messages that wait for an answer. The zero value
// is ready. Its methods may be called concurrently.
type Pending struct {
	mu      sync.Mutex // guards what follows
	seq     int
	waiting map[int]chan Answer
}

// Ask sends the message that is made for a new sequence number, and waits for
// its answer.
func (p *Pending) Ask(c *Conn, message func(seq int) Message) (Answer, error) {
	seq, answer := p.Await()
	if err := c.Send(message(seq)); err != nil {
		p.Answer(seq, nil)
		return nil, err
	}
	return <-answer, nil
}

// Await returns a new sequence number and where the answer to it will come.
func (p *Pending) Await() (seq int, answer <-chan Answer) {
	ch := make(chan Answer, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting == nil {
		p.waiting = map[int]chan Answer{}
	}
	p.seq++
	p.waiting[p.seq] = ch
	return p.seq, ch
}

// Answer ends the wait for seq, if there is one.
func (p *Pending) Answer(seq int, a Answer) {
	p.mu.Lock()
	ch := p.waiting[seq]
	delete(p.waiting, seq)
	p.mu.Unlock()
	if ch != nil {
		ch <- a
	}
}

// Len returns how many messages wait.
func (p *Pending) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting)
}
