package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/transport"
	"github.com/perijove/perijove/kernel/internal/wire"
)

// A request is a verified message, with the peer that its reply is sent to.
type request struct {
	*wire.Message
	router   transport.Router
	socket   string
	identity string
	received time.Time
	invalid  error // why it cannot be served, if that is known before dispatch
	queue    *requestQueue
	held     func() // releases the messages of iopub that wait for the idle status; nil if none wait
	aborted  bool   // an earlier cell of its queue failed; guarded by queue.mu until the request is taken from the queue
}

// A reply is the result of a handler. If content is nil, no reply is sent.
type reply struct {
	content  wire.Content
	metadata any
}

func answer(c wire.Content) (reply, error) { return reply{content: c}, nil }

type handler func(context.Context, *request, wire.Content) (reply, error)

// A route is the handler of a kind of request, and the sockets that it may come from.
type route struct {
	shell, control bool
	handle         handler
}

// on adapts a function that takes one content type to a handler.
func on[T wire.Content](f func(context.Context, *request, T) (reply, error)) handler {
	return func(ctx context.Context, r *request, c wire.Content) (reply, error) {
		typed, ok := c.(T)
		if !ok {
			return reply{}, fmt.Errorf("cannot handle %s: its content has the type %T; this is a bug in Perijove; please report it", r.Header.MsgType, c)
		}
		return f(ctx, r, typed)
	}
}

// table returns the routes: all requests of the protocol.
func (s *Server) table() map[string]route {
	return map[string]route{
		"kernel_info_request":     {shell: true, control: true, handle: on(s.kernelInfo)},
		"execute_request":         {shell: true, handle: on(s.execute)},
		"complete_request":        {shell: true, handle: on(s.complete)},
		"inspect_request":         {shell: true, handle: on(s.inspect)},
		"is_complete_request":     {shell: true, handle: on(s.isComplete)},
		"history_request":         {shell: true, handle: on(s.history)},
		"comm_info_request":       {shell: true, handle: on(s.commInfo)},
		"comm_open":               {shell: true, handle: on(s.commOpen)},
		"comm_msg":                {shell: true, handle: on(s.commMsg)},
		"comm_close":              {shell: true, handle: on(s.commClose)},
		"shutdown_request":        {shell: true, control: true, handle: on(s.shutdown)},
		"interrupt_request":       {shell: true, control: true, handle: on(s.interrupt)},
		"usage_request":           {control: true, handle: on(s.usage)},
		"create_subshell_request": {control: true, handle: on(s.createSubshell)},
		"delete_subshell_request": {control: true, handle: on(s.deleteSubshell)},
		"list_subshell_request":   {control: true, handle: on(s.listSubshells)},
	}
}

// dispatch sends the status busy, serves one request, and sends the status idle.
func (s *Server) dispatch(r *request) {
	s.busy(r)
	rep, err := s.serve(context.Background(), r)
	if err != nil {
		s.Log.Warn("refused a request", "type", r.Header.MsgType, "socket", r.socket, "reason", err)
		rep = reply{content: failure(r, err)}
	}
	if rep.content != nil && rep.content.MsgType() != "" {
		s.reply(r, rep)
	}
	s.idle(r)
	if r.held != nil {
		r.held()
	}
	if s.shuttingDown.Load() {
		s.stop()
	}
}

func (s *Server) serve(ctx context.Context, r *request) (reply, error) {
	if r.invalid != nil {
		return reply{}, r.invalid
	}
	to, ok := s.routes[r.Header.MsgType]
	if !ok {
		return reply{}, fmt.Errorf("the message type %q is not supported", r.Header.MsgType)
	}
	if r.socket == "shell" && !to.shell || r.socket == "control" && !to.control {
		return reply{}, fmt.Errorf("a message of type %s does not belong on the %s channel", r.Header.MsgType, r.socket)
	}
	c, err := r.DecodeContent()
	if err != nil {
		return reply{}, err
	}
	return to.handle(ctx, r, c)
}

func failure(r *request, err error) *wire.Failure {
	return &wire.Failure{
		ReplyType: wire.ReplyType(r.Header.MsgType),
		Status:    wire.StatusError,
		EName:     "RequestError",
		EValue:    err.Error(),
		Traceback: []string{},
	}
}

// runningCell is the cell that the main queue executes. Other requests are served while it
// runs, and publish idle when they are done. Front ends interpret that as the state of the kernel, so the server
// publishes busy again after each of these requests.
type runningCell struct {
	mu     sync.Mutex // also orders the statuses of the cell and of the other requests
	cell   *request
	state  string        // the last published status
	parent *wire.Message // the parent of that status message
}

// announce publishes a status. The caller holds running.mu.
func (s *Server) announce(parent *wire.Message, state string) {
	s.running.state, s.running.parent = state, parent
	s.publishNow(parent, &wire.KernelStatus{ExecutionState: state})
}

func (s *Server) busy(r *request) {
	s.running.mu.Lock()
	defer s.running.mu.Unlock()
	if r.queue == s.main {
		s.running.cell = r
	}
	s.announce(r.Message, wire.Busy)
}

func (s *Server) idle(r *request) {
	s.running.mu.Lock()
	defer s.running.mu.Unlock()
	s.announce(r.Message, wire.Idle)
	if r.queue == s.main {
		s.running.cell = nil
	}
	if cell := s.running.cell; cell != nil {
		s.announce(cell.Message, wire.Busy)
	}
}
