package widget

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/comm"
	"github.com/perijove/perijove/lib/display/displayhost"
)

// A page simulates a front end: it keeps the models whose messages it receives.
type page struct {
	mu     sync.Mutex
	models map[string]map[string]any
	counts map[string]int // of messages
	shown  []displayhost.Message
}

func open(t *testing.T) *page {
	p := &page{models: map[string]map[string]any{}, counts: map[string]int{}}
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
			p.counts[m.ID]++
			if p.models[m.ID] == nil { // the model belongs to an earlier test
				return nil
			}
			for k, v := range data.State {
				p.models[m.ID][k] = v
			}
		}
		return nil
	})
	displayhost.SetSink(func(m displayhost.Message) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		if m.Kind != displayhost.KindUpdate || slices.ContainsFunc(p.shown, func(s displayhost.Message) bool { return s.ID == m.ID }) {
			p.shown = append(p.shown, m) // not for an earlier test
		}
		return nil
	})
	t.Cleanup(func() { comm.SetHost(nil); displayhost.SetSink(nil) })
	return p
}

func (p *page) state(w Widget, key string) any {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.models[w.model().comm.ID][key]
}

// count returns the number of messages that a widget has sent.
func (p *page) count(w Widget) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts[w.model().comm.ID]
}

// value returns a part of a widget's state as JSON.
func (p *page) value(w Widget, key string) string {
	raw, _ := json.Marshal(p.state(w, key))
	return string(raw)
}

// move delivers a message of the page to a widget, as if the user had changed it.
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
	i := NewIntSlider("n", 1, 8, 20)
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
	i.SetValue(5)
	if v := <-got; v != 5 {
		t.Errorf("after messages that mean nothing, and Set: %d", v)
	}
	i.SetValue(5) // no change
	move(i, `{"method":"update","state":{"value":4}}`)
	if v := <-got; v != 4 {
		t.Errorf("moved to 4: %d", v)
	}
	if p.state(i, "value") != 5.0 {
		t.Errorf("the page was not told of Set: %v", p.state(i, "value"))
	}

	d := NewDropdown("c", "red", "green")
	move(d, `{"method":"update","state":{"index":1}}`)
	eventually(t, "green", func() bool { return d.Value() == "green" })
	move(d, `{"method":"update","state":{"index":7}}`)
	d.SetValue("red")
	if p.state(d, "index") != 0.0 {
		t.Errorf("index %v", p.state(d, "index"))
	}
	if b := NewDropdown[int]("none"); b.Value() != 0 || p.state(b, "index") != nil {
		t.Error("a menu without options")
	}
	box := NewCheckbox("b", true)
	move(box, `{"method":"update","state":{"value":false}}`)
	eventually(t, "off", func() bool { return !box.Value() })
}

func TestButtonAndProgress(t *testing.T) {
	p := open(t)
	b := NewButton("go")
	pressed := make(chan bool)
	b.OnClick(func() { pressed <- true })
	move(b, `{"method":"custom","content":{"event":"click"}}`)
	<-pressed
	move(b, `{"method":"custom","content":{"event":"else"}}`)
	g := NewIntProgress("p", 10)
	g.Add(3)
	g.Add(30)
	if p.state(g, "value") != 10.0 || p.state(g, "bar_style") != "success" || p.state(g, "_view_name") != "ProgressView" {
		t.Errorf("%v %v", p.state(g, "value"), p.state(g, "bar_style"))
	}
}

// Several changes while a function runs cause one call, with the last value.
func TestChangesAreMerged(t *testing.T) {
	open(t)
	s := NewIntSlider("n", 0, 1000, 0)
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

// A reloaded page requests the states of all widgets.
func TestStates(t *testing.T) {
	p := open(t)
	s := NewIntSlider("again", 0, 9, 4)
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
	s := NewFloatSlider("x", 0, 1, 0.1, 0.5)
	s.SetValue(0.7)
	b := NewVBox(s, NewHBox(NewButton("go"), NewLabel("a<b"))).MIMEBundle()
	if s.Value() != 0.7 || b["text/plain"] != "x: 0.7\n[go]\na<b" || len(b) != 1 {
		t.Errorf("%v, %q", s.Value(), b)
	}
}

// A Label shows text, so its view is not that of HTML.
func TestLabelAndHTML(t *testing.T) {
	p := open(t)
	l, h := NewLabel("a<b"), NewHTML("<b>a</b>")
	for _, c := range []struct {
		w           Widget
		value, view string
	}{{l, "a<b", "LabelView"}, {h, "<b>a</b>", "HTMLView"}} {
		if p.state(c.w, "value") != c.value || p.state(c.w, "_view_name") != c.view || c.w.MIMEBundle()["text/plain"] != c.value {
			t.Errorf("%v in %v, %q", p.state(c.w, "value"), p.state(c.w, "_view_name"), c.w.MIMEBundle())
		}
	}
	l.SetValue("<i>")
	h.SetValue("<i>b</i>")
	if p.state(l, "value") != "<i>" || p.state(h, "value") != "<i>b</i>" {
		t.Errorf("after SetValue: %v and %v", p.state(l, "value"), p.state(h, "value"))
	}
}

func TestTexts(t *testing.T) {
	p := open(t)
	line, number := NewText("name", "x"), NewIntText("n", 3)
	move(line, `{"method":"update","state":{"value":"é"}}`)
	move(number, `{"method":"update","state":{"value":-4}}`)
	eventually(t, "both values", func() bool { return line.Value() == "é" && number.Value() == -4 })
	line.SetDisabled(true)
	if p.state(line, "disabled") != true || p.state(number, "disabled") != false {
		t.Errorf("disabled: %v and %v", p.state(line, "disabled"), p.state(number, "disabled"))
	}
	if got := fmt.Sprint(line.MIMEBundle()["text/plain"], number.MIMEBundle()["text/plain"]); got != "name: én: -4" {
		t.Errorf("texts: %q", got)
	}
}

func TestBoxesHoldTheirChildren(t *testing.T) {
	p := open(t)
	a, b := NewCheckbox("", true), NewButton("go")
	for name, w := range map[string]Widget{"HBoxView": NewHBox(a, b), "VBoxView": NewVBox(a, b)} {
		want := fmt.Sprint([]any{a.model().reference(), b.model().reference()})
		if p.state(w, "_view_name") != name || fmt.Sprint(p.state(w, "children")) != want {
			t.Errorf("%s: %v, %v", name, p.state(w, "_view_name"), p.state(w, "children"))
		}
	}
	if text := NewVBox(a, b).MIMEBundle()["text/plain"]; text != "checkbox: true\n[go]" {
		t.Errorf("text %q", text)
	}
}

// Close removes a widget and its children from all pages. Their values stay.
func TestClose(t *testing.T) {
	p := open(t)
	n := NewIntSlider("n", 0, 9, 1)
	tab := NewTab(Page{"one", NewVBox(n)})
	if err := errors.Join(Close(tab), Close(tab)); err != nil {
		t.Fatal(err)
	}
	if err := n.SetValue(4); err != nil || n.Value() != 4 || p.value(n, "value") != "1" {
		t.Errorf("after Close: %v, %d, and the page has %s", err, n.Value(), p.value(n, "value"))
	}
	states := allStates()["states"].(map[string]any)
	if states[n.m.comm.ID] != nil || states[tab.m.comm.ID] != nil || n.MIMEBundle()[viewType] != nil {
		t.Error("a page that asks for states still gets them")
	}
}
