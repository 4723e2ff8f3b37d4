package widget

import (
	"encoding/json"
	"fmt"
	"maps"
	"sync"

	"github.com/perijove/perijove/lib/comm"
)

const (
	target        = "jupyter.widget"
	targetControl = "jupyter.widget.control"
	controls      = "@jupyter-widgets/controls"
	base          = "@jupyter-widgets/base"
	moduleVersion = "2.0.0"
	viewType      = "application/vnd.jupyter.widget-view+json"
)

// protocol is the metadata that a comm is opened with.
var protocol = map[string]any{"version": "2.1.0"}

// A Widget can be shown: by display.Show, as a cell's last expression, or in a
// Row, a Column or Live.
type Widget interface {
	MIMEBundle() map[string]any // its forms by MIME type: see package display
	model() *model
}

// A model is a widget's state, which the front end has a copy of.
type model struct {
	comm *comm.Comm
	err  error // why the front end does not know of it

	mu    sync.Mutex // guards state
	state map[string]any
}

// models are all that live, for a front end that was opened again.
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

// newModel opens a widget of ipywidgets; receive gets what the front end sends
// beyond requests for the state.
func newModel(module, name string, state map[string]any, receive func(message)) *model {
	full := map[string]any{
		"_model_module": module, "_model_module_version": moduleVersion, "_model_name": name + "Model",
		"_view_module": module, "_view_module_version": moduleVersion, "_view_name": name + "View",
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
	m.comm.Receive(func(data json.RawMessage) { m.take(data, receive) })
	m.comm.Hears(func() bool { return receive != nil })
	return m
}

// A message is what a front end sends: a change of the state, or an event.
type message struct {
	Method  string                     `json:"method"`
	State   map[string]json.RawMessage `json:"state"`
	Content struct {
		Event string `json:"event"`
	} `json:"content"`
}

func (m *model) take(data json.RawMessage, receive func(message)) {
	var msg message
	if json.Unmarshal(data, &msg) != nil {
		return
	}
	if msg.Method == "request_state" {
		_ = m.comm.Send(update(m.copy()))
		return
	}
	if receive != nil {
		receive(msg)
	}
}

func (m *model) copy() map[string]any {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.state)
}

func update(state map[string]any) map[string]any {
	return map[string]any{"method": "update", "state": state, "buffer_paths": []any{}}
}

// set changes the state here and, with tell, in the front end.
func (m *model) set(key string, v any, tell bool) {
	m.mu.Lock()
	m.state[key] = v
	m.mu.Unlock()
	if tell && m.err == nil {
		_ = m.comm.Send(update(map[string]any{key: v}))
	}
}

// reference is how one model's state names another.
func (m *model) reference() string { return "IPY_MODEL_" + m.comm.ID }

func (m *model) bundle(text string) map[string]any {
	b := map[string]any{"text/plain": text}
	if m.err == nil && comm.Hosted() {
		b[viewType] = map[string]any{"version_major": 2, "version_minor": 0, "model_id": m.comm.ID}
	}
	return b
}

// look is the part of a state that every control has.
func look(label, style string) map[string]any {
	return map[string]any{
		"description": label, "disabled": false,
		"layout": layout().reference(), "style": newStyle(style).reference(),
	}
}

// layout is shared by all controls: none asks for a place of its own.
var layout = sync.OnceValue(func() *model { return newModel(base, "Layout", nil, nil) })

var styles sync.Map // of func() *model by name: one style of each kind

func newStyle(name string) *model {
	make, _ := styles.LoadOrStore(name, sync.OnceValue(func() *model {
		return newModel(controls, name, map[string]any{
			"_view_module": base, "_view_name": "StyleView", "description_width": "initial",
		}, nil)
	}))
	return make.(func() *model)()
}

// A notifier calls functions in a goroutine of its own, once for all the
// changes that came while they ran.
type notifier struct {
	mu      sync.Mutex
	fs      []func()
	pending bool
	active  bool
}

func (n *notifier) add(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fs = append(n.fs, f)
}

// heard reports whether there is anybody to notify.
func (n *notifier) heard() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.fs) > 0 || n.active
}

func (n *notifier) changed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pending = true
	if !n.active {
		n.active = true
		go n.work()
	}
}

func (n *notifier) work() {
	for {
		n.mu.Lock()
		if !n.pending {
			n.active = false
			n.mu.Unlock()
			return
		}
		n.pending = false
		fs := n.fs[:len(n.fs):len(n.fs)]
		n.mu.Unlock()
		for _, f := range fs {
			done := make(chan struct{})
			go func() { // a panic ends this goroutine alone, where a notebook runs it
				defer close(done)
				f()
			}()
			<-done
		}
	}
}

func describe(kind, label string, v any) string {
	if label == "" {
		return fmt.Sprintf("%s: %v", kind, v)
	}
	return fmt.Sprintf("%s: %v", label, v)
}
