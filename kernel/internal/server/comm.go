package server

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/wire"
)

// comms holds the comms that are open, whichever side opened them. The kernel
// forwards their messages between the worker process and the front end.
type comms struct {
	mu      sync.Mutex
	targets map[string]string // by comm id
}

func (c *comms) record(m output.Comm) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch m.Kind {
	case output.CommOpen:
		if c.targets == nil {
			c.targets = map[string]string{}
		}
		c.targets[m.ID] = m.Target
	case output.CommClose:
		delete(c.targets, m.ID)
	}
}

func (c *comms) target(id string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.targets[id]
}

func (c *comms) list(target string) map[string]wire.CommTarget {
	c.mu.Lock()
	defer c.mu.Unlock()
	open := map[string]wire.CommTarget{}
	for id, t := range c.targets {
		if target == "" || t == target {
			open[id] = wire.CommTarget{TargetName: t}
		}
	}
	return open
}

func (s *Server) commInfo(_ context.Context, _ *request, c *wire.CommInfoRequest) (reply, error) {
	return answer(&wire.CommInfoReply{Status: wire.Status{Status: wire.StatusOK}, Comms: s.comms.list(c.TargetName)})
}

func (s *Server) commOpen(_ context.Context, r *request, c *wire.CommOpen) (reply, error) {
	return s.comm(r, output.Comm{Kind: output.CommOpen, ID: c.CommID, Target: c.TargetName, Data: c.Data, Buffers: r.Buffers})
}

func (s *Server) commMsg(_ context.Context, r *request, c *wire.CommMsg) (reply, error) {
	return s.comm(r, output.Comm{Kind: output.CommMsg, ID: c.CommID, Data: c.Data, Buffers: r.Buffers})
}

func (s *Server) commClose(_ context.Context, r *request, c *wire.CommClose) (reply, error) {
	return s.comm(r, output.Comm{Kind: output.CommClose, ID: c.CommID, Data: c.Data, Buffers: r.Buffers})
}

// comm passes a message to the session. If the session has no handler for a comm_open, the reply is comm_close, as the
// protocol requires.
func (s *Server) comm(r *request, m output.Comm) (reply, error) {
	s.comms.record(m)
	s.echoUpdate(r, m)
	err := s.Session.Comm(m)
	if err == nil {
		return reply{}, nil
	}
	s.Log.Info("a comm message has no handler", "comm", m.ID, "target", m.Target, "kind", m.Kind, "reason", err)
	if m.Kind == output.CommOpen {
		s.comms.record(output.Comm{Kind: output.CommClose, ID: m.ID})
		s.publishNow(r.Message, &wire.CommClose{CommID: m.ID, Data: json.RawMessage("{}")})
	}
	return reply{}, nil
}

// widgetTarget is the target of the comms of ipywidgets.
const widgetTarget = "jupyter.widget"

// echoUpdate sends a page's change of a widget to all pages, as version 2.1 of the widget
// protocol defines, so that a notebook that is open in two windows has one state. The page
// that made the change recognizes it by the parent header. Messages with binary data, such
// as uploaded files, are not sent back.
func (s *Server) echoUpdate(r *request, m output.Comm) {
	if m.Kind != output.CommMsg || len(m.Buffers) > 0 || s.comms.target(m.ID) != widgetTarget {
		return
	}
	var data struct {
		Method string          `json:"method"`
		State  json.RawMessage `json:"state"`
	}
	if json.Unmarshal(m.Data, &data) != nil || data.Method != "update" || len(data.State) == 0 {
		return
	}
	echo := append(append([]byte(`{"method":"echo_update","state":`), data.State...), `,"buffer_paths":[]}`...)
	s.publishNow(r.Message, &wire.CommMsg{CommID: m.ID, Data: echo})
}

// commContent returns the content of a comm's message.
func commContent(m output.Comm) wire.Content {
	data := m.Data
	if len(data) == 0 {
		data = json.RawMessage("{}")
	}
	switch m.Kind {
	case output.CommOpen:
		return &wire.CommOpen{CommID: m.ID, TargetName: m.Target, Data: data}
	case output.CommMsg:
		return &wire.CommMsg{CommID: m.ID, Data: data}
	}
	return &wire.CommClose{CommID: m.ID, Data: data}
}
