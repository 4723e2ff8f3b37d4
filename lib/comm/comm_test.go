package comm

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// A frontEnd records the messages that it receives.
type frontEnd struct {
	mu  sync.Mutex
	got []Message
}

func hosted(t *testing.T) *frontEnd {
	f := &frontEnd{}
	SetHost(func(m Message) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.got = append(f.got, m)
		return nil
	})
	t.Cleanup(func() { SetHost(nil) })
	return f
}

func (f *frontEnd) messages() []Message {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Message(nil), f.got...)
}

func wait[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(time.Minute):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func TestNew(t *testing.T) {
	f := hosted(t)
	c, err := New("target", map[string]int{"a": 1}, map[string]any{"version": "1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(struct{ B string }{"x"}); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	want := fmt.Sprintf(`[{open %[1]s target {"a":1} map[version:1]} {msg %[1]s  {"B":"x"} map[]} {close %[1]s   map[]}]`, c.ID)
	if s := text(f.messages()); s != want {
		t.Errorf("sent\n%s\nwant\n%s", s, want)
	}
}

func text(ms []Message) string {
	var parts []string
	for _, m := range ms {
		parts = append(parts, fmt.Sprintf("{%s %s %s %s %v}", m.Kind, m.ID, m.Target, m.Data, m.Metadata))
	}
	return "[" + strings.Join(parts, " ") + "]"
}

func TestDataMustBeObject(t *testing.T) {
	hosted(t)
	if _, err := New("t", []int{1}, nil); err == nil || !strings.Contains(err.Error(), "cannot send a []int as the data") {
		t.Errorf("a list: %v", err)
	}
	c, err := New("t", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(func() {}); err == nil {
		t.Error("a func was sent")
	}
}

func TestReceiveInOrder(t *testing.T) {
	hosted(t)
	c, err := New("t", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 100)
	c.Receive(func(data json.RawMessage) { got <- string(data) })
	closed := make(chan bool, 1)
	c.OnClose(func() { closed <- len(got) == 100 })
	for i := range 100 {
		Deliver(Message{Kind: Msg, ID: c.ID, Data: fmt.Appendf(nil, `{"n":%d}`, i)})
	}
	Deliver(Message{Kind: Close, ID: c.ID})
	if !wait(t, closed) {
		t.Error("the end came before the messages")
	}
	for i := range 100 {
		if s := <-got; s != fmt.Sprintf(`{"n":%d}`, i) {
			t.Fatalf("message %d is %s", i, s)
		}
	}
	Deliver(Message{Kind: Msg, ID: c.ID}) // a message to a closed comm is ignored
}

func TestRegister(t *testing.T) {
	f := hosted(t)
	opened := make(chan string, 1)
	Register("mine", func(c *Comm, data json.RawMessage) {
		c.Receive(func(data json.RawMessage) { opened <- string(data) })
		opened <- c.Target + string(data)
	})
	defer Register("mine", nil)
	Deliver(Message{Kind: Open, ID: "1", Target: "mine", Data: json.RawMessage(`{}`)})
	Deliver(Message{Kind: Msg, ID: "1", Data: json.RawMessage(`{"a":1}`)})
	if s := wait(t, opened); s != "mine{}" {
		t.Error(s)
	}
	if s := wait(t, opened); s != `{"a":1}` {
		t.Error(s)
	}
	Deliver(Message{Kind: Open, ID: "2", Target: "nobody's"})
	for end := time.Now().Add(time.Minute); len(f.messages()) == 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if s := text(f.messages()); s != "[{close 2   map[]}]" {
		t.Errorf("an unknown target: %s", s)
	}
}

// A host may end the goroutine of a function that panics. The comm still handles
// the next message.
func TestReceiveSurvivesGoexit(t *testing.T) {
	hosted(t)
	c, err := New("t", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	c.Receive(func(data json.RawMessage) {
		if string(data) == "{}" {
			runtime.Goexit()
		}
		got <- string(data)
	})
	Deliver(Message{Kind: Msg, ID: c.ID, Data: json.RawMessage("{}")})
	Deliver(Message{Kind: Msg, ID: c.ID, Data: json.RawMessage(`{"a":1}`)})
	wait(t, got)
}

func TestNoHost(t *testing.T) {
	SetHost(nil)
	c, err := New("t", nil, nil)
	if err != nil || c.Send(nil) != nil || c.Close() != nil || Hosted() {
		t.Errorf("without a host: %v, %v", err, Hosted())
	}
}

func TestListening(t *testing.T) {
	hosted(t)
	registry.comms, registry.targets = nil, nil
	if HasHandlers() {
		t.Fatal("listening before there is anything")
	}
	Register("target", func(*Comm, json.RawMessage) {})
	if !HasHandlers() {
		t.Error("not listening with a target")
	}
	Register("target", nil)
	Register("jupyter.widget.control", func(*Comm, json.RawMessage) {})
	c, err := New("other", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if HasHandlers() {
		t.Error("handlers with a comm that has no receiver")
	}
	c.Receive(func(json.RawMessage) {})
	if !HasHandlers() {
		t.Error("not listening with a receiver")
	}
	user := false
	c.SetHasHandler(func() bool { return user })
	if HasHandlers() {
		t.Error("handlers with a receiver that calls none")
	}
	user = true
	if !HasHandlers() {
		t.Error("no handlers with a receiver that calls one")
	}
}

// Binary data, empty buffers included, arrives unchanged in both directions.
func TestBuffers(t *testing.T) {
	f := hosted(t)
	c, err := New("t", nil, nil, []byte{0, 255}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(nil, []byte("\x00\x80")); err != nil {
		t.Fatal(err)
	}
	sent := f.messages()
	if got := fmt.Sprintf("%q %q", sent[0].Buffers, sent[1].Buffers); got != `["\x00\xff" ""] ["\x00\x80"]` {
		t.Errorf("sent %s", got)
	}
	got := make(chan [][]byte, 1)
	c.ReceiveBuffers(func(_ json.RawMessage, buffers [][]byte) { got <- buffers })
	Deliver(Message{Kind: Msg, ID: c.ID, Buffers: [][]byte{{}, {1, 0}}})
	if b := wait(t, got); fmt.Sprint(b) != "[[] [1 0]]" {
		t.Errorf("received %v", b)
	}
	Register("binary", func(c *Comm, _ json.RawMessage) { got <- c.Buffers })
	defer Register("binary", nil)
	Deliver(Message{Kind: Open, ID: "b", Target: "binary", Buffers: [][]byte{{7}}})
	if b := wait(t, got); fmt.Sprint(b) != "[[7]]" {
		t.Errorf("opened with %v", b)
	}
}

func TestBuffersAreBounded(t *testing.T) {
	f := hosted(t)
	c, err := New("t", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	large := make([]byte, MaxBytes/2)
	for what, test := range map[string]struct {
		err  error
		want string
	}{
		"size":   {c.Send(nil, large, large), "cannot send a message of 60.0 MB: the limit is 60 MB; send several messages"},
		"number": {c.Send(nil, make([][]byte, MaxBuffers+1)...), "cannot send a message with 257 buffers: the limit is 256; send several messages"},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("%s: %v", what, test.err)
		}
	}
	if _, err := New("t", nil, nil, large, large); err == nil {
		t.Error("a comm was opened with too much")
	}
	if n := len(f.messages()); n != 1 {
		t.Errorf("%d messages were sent", n)
	}
}
