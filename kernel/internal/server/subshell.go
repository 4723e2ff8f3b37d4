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

// subshells are further lanes for shell requests (JEP 91), served beside the
// main one. The session decides what their cells may do at the same time.
type subshells struct {
	start func(*requestQueue)

	mu     sync.Mutex // guards lanes
	queues map[string]*requestQueue
}

func errNoSubshell(id string) error {
	return fmt.Errorf("there is no subshell %q; create_subshell_request makes one", id)
}

func (p *subshells) get(id string) *requestQueue {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queues[id]
}

func (p *subshells) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.queues {
		l.close()
	}
}

func (s *Server) createSubshell(context.Context, *request, *wire.CreateSubshellRequest) (reply, error) {
	p := &s.subshells
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queues) >= maxSubshells {
		return reply{}, fmt.Errorf("there are %d subshells already; delete one first", maxSubshells)
	}
	id, l := rand.Text(), newRequestQueue()
	p.queues[id] = l
	p.start(l)
	return answer(&wire.CreateSubshellReply{Status: wire.Status{Status: wire.StatusOK}, SubshellID: id})
}

// deleteSubshell ends a subshell after the request that it is serving; cells
// that are queued behind that are aborted.
func (s *Server) deleteSubshell(_ context.Context, _ *request, req *wire.DeleteSubshellRequest) (reply, error) {
	p := &s.subshells
	p.mu.Lock()
	l := p.queues[req.SubshellID]
	delete(p.queues, req.SubshellID)
	p.mu.Unlock()
	if l == nil {
		return reply{}, errNoSubshell(req.SubshellID)
	}
	l.close()
	return answer(&wire.DeleteSubshellReply{Status: wire.Status{Status: wire.StatusOK}})
}

func (s *Server) listSubshells(context.Context, *request, *wire.ListSubshellRequest) (reply, error) {
	p := &s.subshells
	p.mu.Lock()
	defer p.mu.Unlock()
	ids := slices.Sorted(maps.Keys(p.queues))
	return answer(&wire.ListSubshellReply{Status: wire.Status{Status: wire.StatusOK}, SubshellID: lines(ids)})
}
