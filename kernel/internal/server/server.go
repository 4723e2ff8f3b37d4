// Package server answers Jupyter's requests. It has one dispatch table, and publishes the status busy before and idle
// after each request in one place. It has one file per kind of request. It calls an output.Session, which runs the
// cells.
package server

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/transport"
	"github.com/perijove/perijove/kernel/internal/wire"
)

// closeTimeout is the maximum time of each step of a shutdown. Jupyter kills a kernel that takes more than five
// seconds.
const closeTimeout = time.Second

// Config holds the settings of a Server.
type Config struct {
	Session   output.Session
	Signer    *wire.Signer
	GoVersion string // version of the toolchain that compiles the cells, such as "1.26.0"
	Log       *slog.Logger
}

// A Server is one kernel's protocol side.
type Server struct {
	Config
	id     string // the session in the headers of sent messages
	serial atomic.Int64
	routes map[string]route

	transport transport.Transport
	main      *requestQueue // execute requests, in order
	side      *requestQueue // all other shell requests, so that none waits for a cell
	control   *requestQueue
	subshells subshells
	stdin     *stdin

	comms   comms
	running runningCell // the cell that the main queue runs

	shuttingDown atomic.Bool        // a shutdown was requested
	stop         context.CancelFunc // ends Serve

	lastInterrupt interruptRecord
	meter         *meter
}

// New returns a server that is ready for Serve.
func New(c Config) *Server {
	s := &Server{Config: c, id: rand.Text()}
	s.routes = s.table()
	s.main, s.side, s.control = newRequestQueue(), newRequestQueue(), newRequestQueue()
	s.subshells.queues = make(map[string]*requestQueue)
	s.stdin = newStdin()
	s.meter = newMeter()
	return s
}

// Serve answers requests until a shutdown request or the end of ctx. Then it
// closes the session, sends the queued messages and closes the transport.
func (s *Server) Serve(ctx context.Context, t transport.Transport) error {
	ctx, s.stop = context.WithCancel(ctx)
	defer s.stop()
	s.transport = t

	var queues, readers sync.WaitGroup
	s.subshells.start = func(q *requestQueue) { queues.Go(func() { q.run(s.dispatch) }) }
	for _, q := range []*requestQueue{s.main, s.side, s.control} {
		queues.Go(func() { q.run(s.dispatch) })
	}
	readers.Go(func() { s.read(ctx, "shell", t.Shell(), s.shellQueue) })
	readers.Go(func() { s.read(ctx, "control", t.Control(), s.controlQueue) })
	readers.Go(func() { s.readStdin(ctx, t.Stdin()) })
	s.start()

	<-ctx.Done()
	readers.Wait()
	closed := s.closeSession()
	s.closeQueues()
	waitAtMost(closeTimeout, queues.Wait)
	drain, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	t.Drain(drain)
	return errors.Join(closed, t.Close())
}

func (s *Server) start() {
	s.running.mu.Lock()
	defer s.running.mu.Unlock()
	s.announce(nil, wire.Starting)
}

func (s *Server) closeQueues() {
	for _, q := range []*requestQueue{s.main, s.side, s.control} {
		q.close()
	}
	s.subshells.closeAll()
}

var errCloseTimeout = errors.New("server: the session did not close within its timeout")

// closeSession closes the session, which ends the worker process. It can be called again.
func (s *Server) closeSession() error {
	err := errCloseTimeout
	done := make(chan error, 1)
	go func() { done <- s.Session.Close() }()
	select {
	case err = <-done:
	case <-time.After(2 * closeTimeout):
	}
	return err
}

// waitAtMost calls f in a goroutine, and waits until f returns, for d at most.
func waitAtMost(d time.Duration, f func()) {
	done := make(chan struct{})
	go func() { f(); close(done) }()
	select {
	case <-done:
	case <-time.After(d):
	}
}

// read verifies the messages of a socket and puts each into the queue that pick
// returns. Messages that do not verify are logged and dropped.
func (s *Server) read(ctx context.Context, name string, r transport.Router, pick func(*request) *requestQueue) {
	for {
		pkt, err := r.Recv(ctx)
		if err != nil {
			return
		}
		m, err := s.decode(pkt)
		if err != nil {
			s.Log.Warn("dropped a message", "socket", name, "reason", err)
			continue
		}
		req := &request{Message: m, router: r, socket: name, identity: pkt.Identity, received: pkt.Received}
		if q := pick(req); q != nil {
			q.put(ctx, req)
		}
	}
}

var errOwnMessage = errors.New("server: refused a message that this kernel has sent itself")

func (s *Server) decode(pkt transport.Packet) (*wire.Message, error) {
	m, err := s.Signer.Decode(pkt.Frames)
	if err != nil {
		return nil, err
	}
	// The kernel's own messages are refused: a subscriber of iopub could send them back, and their signatures are
	// valid.
	if m.Header.Session == s.id {
		return nil, errOwnMessage
	}
	return m, nil
}

func (s *Server) controlQueue(*request) *requestQueue { return s.control }

func (s *Server) shellQueue(r *request) *requestQueue {
	if id := r.Header.SubshellID; id != "" {
		if q := s.subshells.get(id); q != nil {
			return q
		}
		r.invalid = errNoSubshell(id)
		return s.side
	}
	if r.Header.MsgType == "execute_request" {
		return s.main
	}
	return s.side
}
