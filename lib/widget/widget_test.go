package widget

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/comm"
	"github.com/perijove/perijove/lib/display"
)

// A page keeps the models that it was told of, as a front end does.
type page struct {
	mu     sync.Mutex
	models map[string]map[string]any
	shown  []display.Message
}

func open(t *testing.T) *page {
	p := &page{models: map[string]map[string]any{}}
	comm.SetHost(func(m comm.Message) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		var data struct {
			State map[string]any
		}
		if err := json.Unmarshal(m.Data, &data); err != nil && len(m.Data) > 0 {
			return err
		}
		switch m.Kind {
		case comm.Open:
			if m.Target != "jupyter.widget" || m.Metadata["version"] != "2.1.0" {
				t.Errorf("opened %s with %v", m.Target, m.Metadata)
			}
			p.models[m.ID] = data.State
		case comm.Msg:
			for k, v := range data.State {
				p.models[m.ID][k] = v
			}
		}
		return nil
	})
	display.SetSink(func(m display.Message) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.shown = append(p.shown, m)
		return nil
	})
	t.Cleanup(func() { comm.SetHost(nil); display.SetSink(nil) })
	return p
}

func (p *page) state(w Widget, key string) any {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.models[w.model().comm.ID][key]
}

// move is what the user does.
func move(w Widget, data string) {
	comm.Deliver(comm.Message{Kind: comm.Msg, ID: w.model().comm.ID, Data: json.RawMessage(data)})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

func TestControls(t *testing.T) {
	p := open(t)
	i := IntSlider("n", 1, 8, 20)
	if i.Value() != 8 || p.state(i, "value") != 8.0 || p.state(i, "_model_name") != "IntSliderModel" {
		t.Errorf("%v, %v", i.Value(), p.state(i, "value"))
	}
	got := make(chan int, 10)
	i.OnChange(func(v int) { got <- v })
	move(i, `{"method":"update","state":{"value":3}}`)
	if v := <-got; v != 3 || i.Value() != 3 {
		t.Errorf("moved to 3: %d, %d", v, i.Value())
	}
	for _, bad := range []string{`{"method":"update","state":{"value":"x"}}`, `{"method":"update","state":{}}`, `[]`} {
		move(i, bad)
	}
	i.Set(5)
	if v := <-got; v != 5 {
		t.Errorf("after messages that mean nothing, and Set: %d", v)
	}
	i.Set(5) // no change
	move(i, `{"method":"update","state":{"value":4}}`)
	if v := <-got; v != 4 {
		t.Errorf("moved to 4: %d", v)
	}
	if p.state(i, "value") != 5.0 {
		t.Errorf("the page was not told of Set: %v", p.state(i, "value"))
	}

	d := Dropdown("c", "red", "green")
	move(d, `{"method":"update","state":{"index":1}}`)
	eventually(t, "green", func() bool { return d.Value() == "green" })
	move(d, `{"method":"update","state":{"index":7}}`)
	d.Set("red")
	if p.state(d, "index") != 0.0 {
		t.Errorf("index %v", p.state(d, "index"))
	}
	if b := Dropdown[int]("none"); b.Value() != 0 || p.state(b, "index") != nil {
		t.Error("a menu without options")
	}
	box := Checkbox("b", true)
	move(box, `{"method":"update","state":{"value":false}}`)
	eventually(t, "off", func() bool { return !box.Value() })
}

func TestButtonAndProgress(t *testing.T) {
	p := open(t)
	b := Button("go")
	pressed := make(chan bool)
	b.OnClick(func() { pressed <- true })
	move(b, `{"method":"custom","content":{"event":"click"}}`)
	<-pressed
	move(b, `{"method":"custom","content":{"event":"else"}}`)
	g := Progress("p", 10)
	g.Add(3)
	g.Add(30)
	if p.state(g, "value") != 10.0 || p.state(g, "bar_style") != "success" || p.state(g, "_view_name") != "ProgressView" {
		t.Errorf("%v %v", p.state(g, "value"), p.state(g, "bar_style"))
	}
}

// Of changes that come while a function runs, the last one counts.
func TestChangesAreMerged(t *testing.T) {
	open(t)
	s := IntSlider("n", 0, 1000, 0)
	gate, got := make(chan bool), make(chan int, 1000)
	s.OnChange(func(v int) { got <- v; <-gate })
	move(s, `{"method":"update","state":{"value":1}}`)
	<-got
	for i := 2; i <= 500; i++ {
		move(s, fmt.Sprintf(`{"method":"update","state":{"value":%d}}`, i))
	}
	eventually(t, "all changes", func() bool { return s.Value() == 500 })
	close(gate)
	eventually(t, "the last one", func() bool { return len(got) > 0 })
	if v := <-got; v != 500 {
		t.Errorf("%d", v)
	}
}

func TestLive(t *testing.T) {
	p := open(t)
	n := IntSlider("n", 0, 9, 1)
	if err := Live(func() any { return n.Value() * n.Value() }, n); err != nil {
		t.Fatal(err)
	}
	move(n, `{"method":"update","state":{"value":3}}`)
	texts := func() string {
		p.mu.Lock()
		defer p.mu.Unlock()
		var out []string
		for _, m := range p.shown {
			out = append(out, fmt.Sprint(m.Kind, " ", m.Data["text/plain"]))
		}
		return strings.Join(out, ", ")
	}
	eventually(t, "the new value shown", func() bool { return texts() == "show n: 1, show 1, update 9" })
}

// A page that is opened again asks for everything.
func TestStates(t *testing.T) {
	p := open(t)
	s := IntSlider("again", 0, 9, 4)
	states := make(chan json.RawMessage, 1)
	comm.SetHost(func(m comm.Message) error { states <- m.Data; return nil })
	comm.Deliver(comm.Message{Kind: comm.Open, ID: "control", Target: "jupyter.widget.control"})
	comm.Deliver(comm.Message{Kind: comm.Msg, ID: "control", Data: json.RawMessage(`{"method":"request_states"}`)})
	var all struct {
		Method string
		States map[string]struct {
			ModelName string `json:"model_name"`
			State     struct{ Value any }
		}
	}
	if err := json.Unmarshal(<-states, &all); err != nil {
		t.Fatal(err)
	}
	if m := all.States[s.model().comm.ID]; all.Method != "update_states" || m.ModelName != "IntSliderModel" || m.State.Value != 4.0 {
		t.Errorf("%+v", m)
	}
	_ = p
}

func TestWithoutNotebook(t *testing.T) {
	s := FloatSlider("x", 0, 1, 0.1, 0.5)
	s.Set(0.7)
	b := Column(s, Row(Button("go"), Label("a<b"))).MIMEBundle()
	if s.Value() != 0.7 || b["text/plain"] != "x: 0.7\n[go]\na&lt;b" || len(b) != 1 {
		t.Errorf("%v, %q", s.Value(), b)
	}
}
