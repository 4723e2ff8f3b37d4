package server

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/perijove/perijove/kernel/internal/wire"
)

const maxSubshells = 64

// subshells are further queues for shell requests (JEP 91), served concurrently
// with the main queue. The session decides which cells may run concurrently.
type subshells struct {
	start func(*requestQueue)

	mu     sync.Mutex // guards queues
	queues map[string]*requestQueue
}

func errNoSubshell(id string) error {
	return fmt.Errorf("there is no subshell %q; create_subshell_request creates one", id)
}

func (p *subshells) get(id string) *requestQueue {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queues[id]
}

func (p *subshells) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range p.queues {
		q.close()
	}
}

func (s *Server) createSubshell(context.Context, *request, *wire.CreateSubshellRequest) (reply, error) {
	p := &s.subshells
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queues) >= maxSubshells {
		return reply{}, fmt.Errorf("cannot create a subshell: the limit of %d subshells is reached; delete one first", maxSubshells)
	}
	id, q := rand.Text(), newRequestQueue()
	p.queues[id] = q
	p.start(q)
	return answer(&wire.CreateSubshellReply{Status: wire.Status{Status: wire.StatusOK}, SubshellID: id})
}

// deleteSubshell ends a subshell after the request that it is serving. Its queued
// cells are aborted.
func (s *Server) deleteSubshell(_ context.Context, _ *request, req *wire.DeleteSubshellRequest) (reply, error) {
	p := &s.subshells
	p.mu.Lock()
	q := p.queues[req.SubshellID]
	delete(p.queues, req.SubshellID)
	p.mu.Unlock()
	if q == nil {
		return reply{}, errNoSubshell(req.SubshellID)
	}
	q.close()
	return answer(&wire.DeleteSubshellReply{Status: wire.Status{Status: wire.StatusOK}})
}

func (s *Server) listSubshells(context.Context, *request, *wire.ListSubshellRequest) (reply, error) {
	p := &s.subshells
	p.mu.Lock()
	defer p.mu.Unlock()
	ids := slices.Sorted(maps.Keys(p.queues))
	return answer(&wire.ListSubshellReply{Status: wire.Status{Status: wire.StatusOK}, SubshellID: lines(ids)})
}
