// Package comm exchanges messages with objects in the front end of a notebook.
//
// A Comm has two halves that Jupyter connects: one in this program, one in the
// browser, where a script has registered the comm's target. Package widget is
// built on it; use it directly for a front end extension of your own.
//
// In a program that no notebook runs, comms can be opened and used, and reach
// nobody: see Hosted.
//
// Source: "Custom Messages" in Jupyter's messaging specification, version 5.4.
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

// A Kind says what a Message does to a comm.
type Kind string

// The kinds of messages.
const (
	Open  Kind = "open"
	Msg   Kind = "msg"
	Close Kind = "close"
)

// A Message is what travels between a program and its notebook's host.
type Message struct {
	Kind     Kind            `json:"kind"`
	ID       string          `json:"id"`                 // of the comm
	Target   string          `json:"target,omitempty"`   // with Open
	Data     json.RawMessage `json:"data,omitempty"`     // a JSON object
	Metadata map[string]any  `json:"metadata,omitempty"` // that the other half gets beside it
}

// A Comm is this program's half.
type Comm struct {
	ID     string // names the comm on both sides
	Target string // what the other half was made by
	opened bool   // by this program

	mu         sync.Mutex // guards what follows
	receive    func(data json.RawMessage)
	onClose    func()
	hasHandler func() bool
	queue      []func() // calls of receive and onClose, in order
	active     bool     // a goroutine works on queue
}

// registry is what this process knows of comms. A process has one notebook at
// most, so it is package state.
var registry struct {
	mu      sync.Mutex
	host    func(Message) error
	comms   map[string]*Comm
	targets map[string]func(c *Comm, data json.RawMessage)
}

// SetHost makes f receive the messages of this process; nil means that no
// notebook runs it. Hosts call it before user code runs. f may be called from
// several goroutines at once.
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

// New opens a comm from this side. Its other half is made by what the front end
// has registered for target, which gets data and metadata; data is encoded by
// encoding/json and must become an object. Its error is that data cannot be
// sent, or what the host says; where no notebook runs the program there is none.
func New(target string, data any, metadata map[string]any) (*Comm, error) {
	raw, err := object(data)
	if err != nil {
		return nil, err
	}
	c := &Comm{ID: rand.Text(), Target: target, opened: true}
	add(c)
	if err := send(Message{Kind: Open, ID: c.ID, Target: target, Data: raw, Metadata: metadata}); err != nil {
		remove(c.ID)
		return nil, err
	}
	return c, nil
}

func object(data any) (json.RawMessage, error) {
	if data == nil {
		return json.RawMessage("{}"), nil
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("comm: %w", err)
	}
	if raw[0] != '{' {
		return nil, fmt.Errorf("comm: the data of a message must be a JSON object, not a %T", data)
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

// Send sends a message to the other half. Data and error are as with New.
func (c *Comm) Send(data any) error {
	raw, err := object(data)
	if err != nil {
		return err
	}
	return send(Message{Kind: Msg, ID: c.ID, Data: raw})
}

// Close closes both halves. A comm that is closed already is left as it is.
func (c *Comm) Close() error {
	if remove(c.ID) == nil {
		return nil
	}
	return send(Message{Kind: Close, ID: c.ID})
}

// Receive makes f get the messages of the other half, one at a time and in
// order. A panic in f is reported and costs that message only.
func (c *Comm) Receive(f func(data json.RawMessage)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.receive = f
}

// SetHasHandler makes f tell whether a message of the other half would, at present, do
// more than the receiver's own bookkeeping: call a function of the user's. Hosts
// ask before they take a program for deadlocked. f must not block, or use the
// comm. Without it whoever receives counts as hearing.
func (c *Comm) SetHasHandler(f func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hasHandler = f
}

// OnClose makes f learn that the other half was closed.
func (c *Comm) OnClose(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onClose = f
}

// Register serves a target for comms that the front end opens. f gets the new
// comm, and the data that it was opened with; it should call Receive.
// Registering a target again replaces f; a nil f ends it.
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

// Targets lists what is registered.
func Targets() []string {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	return slices.Sorted(maps.Keys(registry.targets))
}

// HasHandlers reports whether a message from the front end may make a function of
// the user run: one of a comm that the program has opened, or of a target. The
// names of targets of Jupyter itself begin with "jupyter."; their functions are
// the library's.
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
		hears := c.active
		if c.opened && !hears {
			hears = (c.receive != nil || c.onClose != nil) && (c.hasHandler == nil || c.hasHandler())
		}
		c.mu.Unlock()
		if hears {
			return true
		}
	}
	return false
}

// Deliver takes a message from the front end. Hosts call it, in the order of
// the messages; it does not wait for what they cause.
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
				f(m.Data)
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
	c := &Comm{ID: m.ID, Target: m.Target}
	add(c)
	c.enqueue(func() { f(c, m.Data) })
}

// enqueue has f called after everything enqueued before.
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
		// In a goroutine of its own: a host may end that, for a panic.
		done := make(chan struct{})
		go func() {
			defer close(done)
			f()
		}()
		<-done
	}
}
