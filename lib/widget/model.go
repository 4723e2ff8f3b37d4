package widget

import (
	"encoding/json"
	"errors"
	"maps"
	"sync"

	"github.com/perijove/perijove/lib/comm"
)

const (
	target        = "jupyter.widget"
	targetControl = "jupyter.widget.control"
	controls      = "@jupyter-widgets/controls"
	base          = "@jupyter-widgets/base"
	outputs       = "@jupyter-widgets/output"
	viewType      = "application/vnd.jupyter.widget-view+json"
)

// moduleVersion returns the version that a module has in ipywidgets 8.
func moduleVersion(module string) string {
	if module == outputs {
		return "1.0.0"
	}
	return "2.0.0"
}

// protocol is the metadata of the message that opens a comm.
var protocol = map[string]any{"version": "2.1.0"}

// A model is a widget's state. The front end has a copy of it.
type model struct {
	comm *comm.Comm

	mu    sync.Mutex // guards the fields below
	err   error      // the reason why the front end has no copy, or nil
	state map[string]any
}

// models holds all open models. A page requests their states when it is reloaded.
var models sync.Map // of *model by comm id

func init() {
	comm.Register(targetControl, func(c *comm.Comm, _ json.RawMessage) {
		c.Receive(func(data json.RawMessage) {
			var m struct{ Method string }
			if json.Unmarshal(data, &m) == nil && m.Method == "request_states" {
				_ = c.Send(allStates())
			}
		})
	})
}

func allStates() map[string]any {
	states := map[string]any{}
	for id, m := range models.Range {
		s := m.(*model).copy()
		states[id.(string)] = map[string]any{
			"model_name": s["_model_name"], "model_module": s["_model_module"],
			"model_module_version": s["_model_module_version"], "state": s,
		}
	}
	return map[string]any{"method": "update_states", "states": states, "buffer_paths": []any{}}
}

// newModel opens a model of ipywidgets. handle, which may be nil, receives the messages
// of the front end except requests for the state.
func newModel(module, name string, state map[string]any, handle func(message)) *model {
	version := moduleVersion(module)
	full := map[string]any{
		"_model_module": module, "_model_module_version": version, "_model_name": name + "Model",
		"_view_module": module, "_view_module_version": version, "_view_name": name + "View",
	}
	maps.Copy(full, state)
	m := &model{state: full}
	m.comm, m.err = comm.New(target, map[string]any{"state": full, "buffer_paths": []any{}}, protocol)
	if m.err != nil {
		m.comm = &comm.Comm{}
		return m
	}
	models.Store(m.comm.ID, m)
	m.comm.OnClose(func() { models.Delete(m.comm.ID) })
	m.comm.ReceiveBuffers(func(data json.RawMessage, buffers [][]byte) { m.receive(data, buffers, handle) })
	m.comm.SetHasHandler(func() bool { return handle != nil })
	return m
}

// A message is a message of the front end: a change of the state, a request for the
// state, or an event.
type message struct {
	Method  string                     `json:"method"`
	State   map[string]json.RawMessage `json:"state"`
	Content struct {
		Event string `json:"event"`
	} `json:"content"`
	BufferPaths [][]any  `json:"buffer_paths"` // path of each of Buffers in State
	Buffers     [][]byte `json:"-"`
}

func (m *model) receive(data json.RawMessage, buffers [][]byte, handle func(message)) {
	var msg message
	if json.Unmarshal(data, &msg) != nil {
		return
	}
	msg.Buffers = buffers
	if msg.Method == "request_state" {
		_ = m.comm.Send(update(m.copy()))
		return
	}
	if handle != nil {
		handle(msg)
	}
}

// close removes the front end's copy. It does nothing if there is none.
func (m *model) close() error {
	models.Delete(m.comm.ID)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return nil
	}
	m.err = errClosed
	return m.comm.Close()
}

var errClosed = errors.New("widget: cannot change a widget that is closed")

func (m *model) copy() map[string]any {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.state)
}

// update returns a message that changes the front end's copy of a state.
func update(state map[string]any) map[string]any {
	return map[string]any{"method": "update", "state": state, "buffer_paths": []any{}}
}

// set changes the state here and, if send is true, in the front end. It fails if the
// message cannot be sent; the state here has changed then.
func (m *model) set(key string, v any, send bool) error {
	m.mu.Lock()
	m.state[key] = v
	open := m.err == nil
	m.mu.Unlock()
	if send && open {
		return m.comm.Send(update(map[string]any{key: v}))
	}
	return nil
}

// reference returns the text that refers to this model in another model's state.
func (m *model) reference() string { return "IPY_MODEL_" + m.comm.ID }

// bundle returns the forms of a widget: text and, if the front end has the model, the
// view.
func (m *model) bundle(text string) map[string]any {
	b := map[string]any{"text/plain": text}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil && comm.Hosted() {
		b[viewType] = map[string]any{"version_major": 2, "version_minor": 0, "model_id": m.comm.ID}
	}
	return b
}
