package control

import "sync"

// Pending matches answers with the messages of the worker process that wait for them. The
// zero value is ready to use. Its methods may be called concurrently.
type Pending struct {
	mu      sync.Mutex // guards what follows
	seq     int
	waiting map[int]chan Answer
}

// Ask calls message with a new sequence number, sends the message, and waits for its
// answer. The error is that of Send.
func (p *Pending) Ask(c *Conn, message func(seq int) Message) (Answer, error) {
	seq, answer := p.Await()
	if err := c.Send(message(seq)); err != nil {
		p.Answer(seq, nil)
		return nil, err
	}
	return <-answer, nil
}

// Await returns a new sequence number and the channel on which its answer arrives.
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

// Answer passes an answer to the goroutine that waits for seq, if there is one.
func (p *Pending) Answer(seq int, a Answer) {
	p.mu.Lock()
	ch := p.waiting[seq]
	delete(p.waiting, seq)
	p.mu.Unlock()
	if ch != nil {
		ch <- a
	}
}

// Len returns the number of messages that wait for an answer.
func (p *Pending) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting)
}
