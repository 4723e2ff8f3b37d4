package transport

import (
	"container/list"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/security/null"
	"golang.org/x/sync/semaphore"
)

// A listener accepts the connections of one socket. Each connection has a goroutine from its first byte on, so that no
// connection waits for another.
type listener struct {
	net.Listener
	kind     zmq4.SocketType
	limits   Limits
	maxTotal int
	budget   *semaphore.Weighted
	log      *slog.Logger
	serve    func(*peer) error // reads from an established peer until it fails

	mu     sync.Mutex // guards the fields below
	peers  *list.List // of *peer, oldest first, including peers in the handshake
	closed bool

	wg sync.WaitGroup // the accept loop and the peers' goroutines
}

// A peer is one connection.
type peer struct {
	*checkedConn
	conn     *zmq4.Conn // set when established
	out      sendQueue
	isActive atomic.Bool // it has sent a request that was answered, or subscribed
	reason   atomic.Pointer[string]
}

// drop closes the connection and keeps the reason for the log.
func (p *peer) drop(reason string) {
	p.reason.CompareAndSwap(nil, &reason)
	p.out.close()
	p.checkedConn.Close()
}

func (p *peer) identity() string { return p.conn.Peer.Meta["Identity"] }

// recv returns the next message. Its memory stays reserved until release.
func (p *peer) recv() ([][]byte, error) {
	msg, err := p.conn.RecvMsg()
	return msg.Frames, err
}

func (l *listener) start() {
	l.peers = list.New()
	l.wg.Go(l.accept)
}

func (l *listener) accept() {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// No file descriptors are left, or the peer has closed the connection already.
			l.log.Warn("cannot accept a connection", "error", err)
			time.Sleep(50 * time.Millisecond)
			continue
		}
		p := &peer{checkedConn: newCheckedConn(c, l.limits, l.maxTotal, l.budget)}
		p.out.init()
		place := l.admit(p)
		if place == nil {
			c.Close()
			continue
		}
		l.wg.Go(func() { l.run(p, place) })
	}
}

// admit adds p. If too many peers are connected, it disconnects the oldest one that is not active. If all are active,
// it returns nil.
func (l *listener) admit(p *peer) *list.Element {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	if l.peers.Len() >= l.limits.Connections {
		evicted := l.oldestInactive()
		if evicted == nil {
			l.log.Warn("refused a connection: too many are open", "open", l.peers.Len())
			return nil
		}
		evicted.Value.(*peer).drop("too many connections")
		l.peers.Remove(evicted)
	}
	return l.peers.PushBack(p)
}

func (l *listener) oldestInactive() *list.Element {
	for e := l.peers.Front(); e != nil; e = e.Next() {
		if !e.Value.(*peer).isActive.Load() {
			return e
		}
	}
	return nil
}

func (l *listener) run(p *peer, place *list.Element) {
	defer func() {
		p.drop("end of connection")
		p.release()
		l.mu.Lock()
		l.peers.Remove(place) // does nothing if admit has removed the peer
		l.mu.Unlock()
	}()
	if err := l.handshake(p); err != nil {
		l.log.Warn("dropped a connection in its handshake", "error", err)
		return
	}
	var writer sync.WaitGroup
	writer.Go(func() { p.writeLoop() })
	err := l.serve(p)
	p.drop(err.Error())
	writer.Wait()
	if errors.Is(err, errTooLarge) || errors.Is(err, errProtocol) {
		l.log.Warn("dropped a connection", "reason", *p.reason.Load())
	}
}

// handshake opens the ZMTP layer. It recovers from panics, since zmq4 v0.17.0 panics on incomplete metadata and on an
// unknown socket type.
func (l *listener) handshake(p *peer) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: the handshake failed: %v", errProtocol, r)
		}
	}()
	p.SetDeadline(time.Now().Add(l.limits.HandshakeTimeout))
	p.conn, err = zmq4.Open(p.checkedConn, null.Security(), l.kind, nil, true, nil)
	if err != nil {
		return err
	}
	p.SetDeadline(time.Time{})
	p.established()
	return nil
}

// drained reports whether no message is queued for any peer.
func (l *listener) drained() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for e := l.peers.Front(); e != nil; e = e.Next() {
		if !e.Value.(*peer).out.empty() {
			return false
		}
	}
	return true
}

func (l *listener) close() {
	l.Listener.Close()
	l.mu.Lock()
	l.closed = true
	for e := l.peers.Front(); e != nil; e = e.Next() {
		e.Value.(*peer).drop("the kernel shuts down")
	}
	l.mu.Unlock()
	l.wg.Wait()
}

// listen opens a socket. Only the owner can connect to a Unix socket.
func listen(network, address string) (net.Listener, error) {
	if network != "unix" {
		return net.Listen(network, address)
	}
	if err := removeStale(address); err != nil {
		return nil, err
	}
	// The socket must have the mode when it is made. The process has no other thread that creates files while its
	// sockets are opened.
	old := syscall.Umask(0o177)
	defer syscall.Umask(old)
	return net.Listen(network, address)
}

// removeStale removes the socket file of a kernel that was killed.
func removeStale(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return nil
	}
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return fmt.Errorf("transport: another kernel uses the socket %s", path)
	}
	return os.Remove(path)
}
