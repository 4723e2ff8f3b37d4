// Package comm exchanges messages with objects in the front end of a notebook.
//
// A Comm connects an object in this program with an object in the front end. Each comm
// has a target: the name under which a script in the front end, or this program, has
// registered the handler that creates the other object. Package widget uses comms for the
// widgets of ipywidgets. Programs can use comms with other extensions of the front end.
//
// A program outside of a notebook can open and use comms too; their messages are
// dropped. [Hosted] reports whether a notebook runs the program.
//
// Source: "Custom Messages" in Jupyter's messaging specification, version 5.5.
package comm

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// A Kind says what a [Message] does to a comm: open it, send data or close it.
type Kind string

// The kinds of messages.
const (
	Open  Kind = "open"
	Msg   Kind = "msg"
	Close Kind = "close"
)

// A Message is a message of a comm. The program and its host exchange Messages. The host
// is the code that passes them on to the front end, such as the worker process of a kernel.
type Message struct {
	Kind     Kind            `json:"kind"`
	ID       string          `json:"id"`                 // id of the comm
	Target   string          `json:"target,omitempty"`   // set only if Kind is Open
	Data     json.RawMessage `json:"data,omitempty"`     // a JSON object
	Metadata map[string]any  `json:"metadata,omitempty"` // metadata of the Jupyter message
	Buffers  [][]byte        `json:"buffers,omitempty"`  // binary data beside Data
}

// Limits of a message that a program sends.
const (
	MaxBuffers = 256      // largest number of buffers
	MaxBytes   = 60 << 20 // largest size of data and buffers together, in bytes
)

// A Comm is this program's side of a comm. Its methods can be called concurrently.
type Comm struct {
	ID      string   // identifies the comm on both sides
	Target  string   // name of the handler that creates the other side
	Buffers [][]byte // binary data of the message with which the front end opened the comm
	opened  bool     // by this program

	mu         sync.Mutex // guards the fields below
	receive    func(data json.RawMessage, buffers [][]byte)
	onClose    func()
	hasHandler func() bool
	queue      []func() // calls of receive and onClose, in order
	active     bool     // a goroutine runs the calls in queue
}

// registry holds the comms of this process. A process has one notebook at most, so
// it is package state.
var registry struct {
	mu      sync.Mutex
	host    func(Message) error
	comms   map[string]*Comm
	targets map[string]func(c *Comm, data json.RawMessage)
}

// SetHost makes f receive the messages that this process sends; nil means that no
// notebook runs the process. Hosts call SetHost before user code runs. f may be
// called concurrently.
func SetHost(f func(Message) error) {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	registry.host = f
}

// Hosted reports whether a notebook runs this program.
func Hosted() bool {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	return registry.host != nil
}

func send(m Message) error {
	registry.mu.Lock()
	host := registry.host
	registry.mu.Unlock()
	if host == nil {
		return nil
	}
	return host(m)
}

// New opens a comm. In the front end, the handler of target receives data, metadata
// and buffers and creates the other side. Data must be a value that encoding/json
// encodes as an object; nil stands for an empty object. New fails if data is
// anything else, if the message exceeds [MaxBuffers] or [MaxBytes], or if the host
// returns an error. It does not keep buffers.
func New(target string, data any, metadata map[string]any, buffers ...[]byte) (*Comm, error) {
	raw, err := encode(data, buffers)
	if err != nil {
		return nil, err
	}
	c := &Comm{ID: rand.Text(), Target: target, opened: true}
	add(c)
	if err := send(Message{Kind: Open, ID: c.ID, Target: target, Data: raw, Metadata: metadata, Buffers: buffers}); err != nil {
		remove(c.ID)
		return nil, err
	}
	return c, nil
}

// encode returns data as JSON. It fails if the message exceeds the limits.
func encode(data any, buffers [][]byte) (json.RawMessage, error) {
	raw, err := object(data)
	if err != nil {
		return nil, err
	}
	if len(buffers) > MaxBuffers {
		return nil, fmt.Errorf("comm: cannot send a message with %d buffers: the limit is %d; send several messages", len(buffers), MaxBuffers)
	}
	size := len(raw)
	for _, b := range buffers {
		size += len(b)
	}
	if size > MaxBytes {
		return nil, fmt.Errorf("comm: cannot send a message of %.1f MB: the limit is %d MB; send several messages", float64(size)/(1<<20), MaxBytes>>20)
	}
	return raw, nil
}

func object(data any) (json.RawMessage, error) {
	if data == nil {
		return json.RawMessage("{}"), nil
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("comm: cannot encode the data of a message, a %T, as JSON: %w", data, err)
	}
	if raw[0] != '{' {
		return nil, fmt.Errorf("comm: cannot send a %T as the data of a message: its JSON form must be an object, so pass a struct or a map", data)
	}
	return raw, nil
}

func add(c *Comm) {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	if registry.comms == nil {
		registry.comms = map[string]*Comm{}
	}
	registry.comms[c.ID] = c
}

func remove(id string) *Comm {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	c := registry.comms[id]
	delete(registry.comms, id)
	return c
}

// Send sends a message to the other side. Send has the same requirements for data and
// buffers as [New], and fails for the same reasons.
func (c *Comm) Send(data any, buffers ...[]byte) error {
	raw, err := encode(data, buffers)
	if err != nil {
		return err
	}
	return send(Message{Kind: Msg, ID: c.ID, Data: raw, Buffers: buffers})
}

// Close closes both sides. It does nothing if the comm is closed.
func (c *Comm) Close() error {
	if remove(c.ID) == nil {
		return nil
	}
	return send(Message{Kind: Close, ID: c.ID})
}

// Receive sets the function that receives the messages of the other side, one at a
// time and in order; nil removes the function. In a notebook, a panic in f is reported
// and affects that message only.
func (c *Comm) Receive(f func(data json.RawMessage)) {
	if f == nil {
		c.ReceiveBuffers(nil)
		return
	}
	c.ReceiveBuffers(func(data json.RawMessage, _ [][]byte) { f(data) })
}

// ReceiveBuffers is like [Comm.Receive] for messages that carry binary data.
func (c *Comm) ReceiveBuffers(f func(data json.RawMessage, buffers [][]byte)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.receive = f
}

// SetHasHandler sets a function that reports whether a message of the other side
// would call a function of the user at present. Hosts use f to decide whether a
// program is deadlocked. f must not block or use the comm. Without f, a comm counts as
// one that calls a function of the user if Receive or OnClose has set a function.
func (c *Comm) SetHasHandler(f func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hasHandler = f
}

// OnClose sets the function that is called when the other side closes the comm. f runs
// after the function of [Comm.Receive] has handled all earlier messages.
func (c *Comm) OnClose(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onClose = f
}

// Register sets the handler of a target for comms that the front end opens. f
// receives the new comm and the data of the message that opened it, and should call
// [Comm.Receive]. Registering a target again replaces its handler; nil removes the handler.
func Register(target string, f func(c *Comm, data json.RawMessage)) {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	if registry.targets == nil {
		registry.targets = map[string]func(*Comm, json.RawMessage){}
	}
	if f == nil {
		delete(registry.targets, target)
		return
	}
	registry.targets[target] = f
}

// Targets returns the registered targets, sorted.
func Targets() []string {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	return slices.Sorted(maps.Keys(registry.targets))
}

// HasHandlers reports whether a message of the front end may call a function of the
// user. This is so if the handler of a message has not returned yet, if a comm that the
// program has opened has a function for messages, or if a target has a handler.
// Targets whose names begin with "jupyter." do not count: this library registers them.
func HasHandlers() bool {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	for target := range registry.targets {
		if !strings.HasPrefix(target, "jupyter.") {
			return true
		}
	}
	for _, c := range registry.comms {
		c.mu.Lock()
		handled := c.active
		if c.opened && !handled {
			handled = (c.receive != nil || c.onClose != nil) && (c.hasHandler == nil || c.hasHandler())
		}
		c.mu.Unlock()
		if handled {
			return true
		}
	}
	return false
}

// Deliver processes a message of the front end. Hosts call it in the order in which
// the messages arrive. It starts the functions that handle m and does not wait for them.
func Deliver(m Message) {
	switch m.Kind {
	case Open:
		deliverOpen(m)
	case Msg:
		registry.mu.Lock()
		c := registry.comms[m.ID]
		registry.mu.Unlock()
		if c == nil {
			return
		}
		c.enqueue(func() {
			c.mu.Lock()
			f := c.receive
			c.mu.Unlock()
			if f != nil {
				f(m.Data, m.Buffers)
			}
		})
	case Close:
		c := remove(m.ID)
		if c == nil {
			return
		}
		c.enqueue(func() {
			c.mu.Lock()
			f := c.onClose
			c.mu.Unlock()
			if f != nil {
				f()
			}
		})
	}
}

func deliverOpen(m Message) {
	registry.mu.Lock()
	f := registry.targets[m.Target]
	registry.mu.Unlock()
	if f == nil {
		go send(Message{Kind: Close, ID: m.ID})
		return
	}
	c := &Comm{ID: m.ID, Target: m.Target, Buffers: m.Buffers}
	add(c)
	c.enqueue(func() { f(c, m.Data) })
}

// enqueue makes a goroutine call f after the functions that were enqueued before.
func (c *Comm) enqueue(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, f)
	if !c.active {
		c.active = true
		go c.runQueue()
	}
}

func (c *Comm) runQueue() {
	for {
		c.mu.Lock()
		if len(c.queue) == 0 {
			c.active = false
			c.mu.Unlock()
			return
		}
		f := c.queue[0]
		c.queue = c.queue[1:]
		c.mu.Unlock()
		// f has its own goroutine because a host may end it after a panic.
		done := make(chan struct{})
		go func() {
			defer close(done)
			f()
		}()
		<-done
	}
}
