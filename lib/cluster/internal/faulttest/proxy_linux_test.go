package faulttest

import (
	"io"
	"net"
	"sync"
	"time"
)

// A link is the connection of a process to the servers. It carries the bytes of the
// proxies that belong to it.
type link struct {
	mu      sync.Mutex
	changed *sync.Cond
	isCut   bool
	delay   time.Duration
	rate    int // bytes per second; 0 for any number
}

func newLink() *link {
	l := new(link)
	l.changed = sync.NewCond(&l.mu)
	return l
}

// cut holds all bytes back until restore; connections stay.
func (l *link) cut()     { l.set(func() { l.isCut = true }) }
func (l *link) restore() { l.set(func() { l.isCut, l.delay, l.rate = false, 0, 0 }) }

func (l *link) slow(delay time.Duration, rate int) { l.set(func() { l.delay, l.rate = delay, rate }) }

func (l *link) set(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	l.changed.Broadcast()
}

// wait returns when a chunk of n bytes that has arrived at a time may go on.
func (l *link) wait(n int, arrived time.Time) {
	l.mu.Lock()
	for l.isCut {
		l.changed.Wait()
	}
	delay, rate := l.delay, l.rate
	l.mu.Unlock()
	time.Sleep(time.Until(arrived.Add(delay)))
	if rate > 0 {
		time.Sleep(time.Duration(n) * time.Second / time.Duration(rate))
	}
}

// A proxy passes the connections that it accepts on to a server.
type proxy struct {
	listener net.Listener
	link     *link

	mu     sync.Mutex
	target string // host:port
}

func newProxy(host, target string, l *link) (*proxy, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, link: l, target: target}
	go p.accept()
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) setTarget(t string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = t
}

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.pass(c)
	}
}

// pass passes the bytes of a connection in both directions until one side ends it.
func (p *proxy) pass(c net.Conn) {
	defer c.Close()
	p.link.wait(0, time.Now())
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	s, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer s.Close()
	ended := make(chan bool, 2)
	for _, way := range [][2]net.Conn{{c, s}, {s, c}} {
		go func() {
			p.copy(way[1], way[0])
			ended <- true
		}()
	}
	<-ended
}

// A chunk has the bytes of one read.
type chunk struct {
	bytes   []byte
	arrived time.Time
}

func (p *proxy) copy(to io.WriteCloser, from io.ReadCloser) {
	chunks := make(chan chunk, 256)
	go func() {
		defer close(chunks)
		for {
			b := make([]byte, 16<<10)
			n, err := from.Read(b)
			if n > 0 {
				chunks <- chunk{b[:n], time.Now()}
			}
			if err != nil {
				return
			}
		}
	}()
	for c := range chunks {
		p.link.wait(len(c.bytes), c.arrived)
		if _, err := to.Write(c.bytes); err != nil {
			break
		}
	}
	_ = from.Close()
	for range chunks { // until the reader has ended
	}
}
