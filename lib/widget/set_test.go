package widget

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/comm"
)

type hue int

func (h hue) String() string { return [...]string{"red", "green"}[h] }

// TestSet checks for each control: the first state of its model, values from the page,
// values that are not allowed, values that the program sets, and the text form.
func TestSet(t *testing.T) {
	p := open(t)
	for _, c := range []row{
		pick(NewIntSlider("n", 1, 8, 2), func(c *row) {
			c.model, c.first, c.sent, c.got, c.bad, c.shown, c.text = "IntSlider", `2`, `3`, "3", `9`, `5`, "n: 5"
			c.alsoInState = map[string]string{"min": `1`, "max": `8`, "step": `1`, "continuous_update": `true`}
		}, 5, 9, `intslider "n": the value 9 is not between the control's limits 1 and 8`),
		pick(NewFloatSlider("x", 0, 1, .1, .5), func(c *row) {
			c.model, c.first, c.sent, c.got, c.bad, c.shown, c.text = "FloatSlider", `0.5`, `0.75`, "0.75", `"a"`, `0.25`, "x: 0.25"
		}, .25, 2, "the value 2 is not between the control's limits 0 and 1"),
		pick(NewIntRangeSlider("r", 0, 10, 2, 20), func(c *row) {
			c.model, c.first, c.sent, c.got, c.bad, c.shown, c.text = "IntRangeSlider", `[2,10]`, `[3,4]`, "[3 4]", `[1,2,3]`, `[5,6]`, "r: [5 6]"
		}, [2]int{5, 6}, [2]int{6, 5}, "the range begins at 6, which is above its end 5"),
		pick(NewFloatRangeSlider("", 0, 1, .1, .2, .8), func(c *row) {
			c.model, c.first, c.sent, c.got, c.bad, c.shown, c.text = "FloatRangeSlider", `[0.2,0.8]`, `[0.1,1]`, "[0.1 1]", `[0.5,2]`, `[0,0.5]`, "floatrangeslider: [0 0.5]"
		}, [2]float64{0, .5}, [2]float64{-1, 0}, "the floatrangeslider: the value -1 is not between the control's limits 0 and 1"),
		pick(NewDropdown("d", hue(0), hue(1)), func(c *row) {
			c.model, c.first, c.sent, c.got, c.bad, c.shown, c.text = "Dropdown", `0`, `1`, "green", `2`, `0`, "d: red"
			c.alsoInState = map[string]string{"_options_labels": `["red","green"]`}
		}, hue(0), hue(0), ""),
		pick(NewRadioButtons("d", "a", "b"), func(c *row) {
			c.model, c.first, c.sent, c.got, c.bad, c.shown, c.text = "RadioButtons", `0`, `1`, "b", `null`, `0`, "d: a"
		}, "a", "c", `cannot set the value of radiobuttons "d": the value c is not one of the control's options: a, b`),
		pick(NewToggleButtons("d", 10, 20), func(c *row) {
			c.model, c.first, c.sent, c.got, c.bad, c.shown, c.text = "ToggleButtons", `0`, `1`, "20", `-1`, `0`, "d: 10"
			c.alsoInState = map[string]string{"icons": `[]`, "tooltips": `[]`}
		}, 10, 15, "not one of the control's options: 10, 20"),
		pick(NewSelectMultiple("d", "a", "b", "c"), func(c *row) {
			c.model, c.first, c.sent, c.got, c.bad, c.shown, c.text = "SelectMultiple", `[]`, `[2,0]`, "[a c]", `[3]`, `[1]`, "d: [b]"
		}, []string{"b"}, []string{"b", "x"}, "the value x is not one of the control's options: a, b, c"),
		pick(NewCheckbox("b", true), func(c *row) {
			c.model, c.first, c.sent, c.got, c.bad, c.shown, c.text = "Checkbox", `true`, `false`, "false", `null`, `true`, "b: true"
		}, true, true, ""),
		pick(NewText("t", "x"), func(c *row) {
			c.model, c.first, c.sent, c.got, c.bad, c.shown, c.text = "Text", `"x"`, `"é"`, "é", `3`, `"z"`, "t: z"
		}, "z", "z", ""),
		pick(NewTextarea("t", "x", 5), func(c *row) {
			c.model, c.first, c.sent, c.got, c.bad, c.shown, c.text = "Textarea", `"x"`, `"a\nb"`, "a\nb", `[]`, `"z"`, "t: z"
			c.alsoInState = map[string]string{"rows": `5`}
		}, "z", "z", ""),
		pick(NewIntText("n", 1), func(c *row) {
			c.model, c.first, c.sent, c.got, c.bad, c.shown, c.text = "IntText", `1`, `-4`, "-4", `1.5`, `7`, "n: 7"
		}, 7, 7, ""),
		pick(NewFloatText("n", 1), func(c *row) {
			c.model, c.first, c.sent, c.got, c.bad, c.shown, c.text = "FloatText", `1`, `-4.5`, "-4.5", `"1"`, `7`, "n: 7"
		}, 7, nan(), "the value NaN is not between the control's limits"),
		pick(NewPlay("p", 0, 9, time.Second/5), func(c *row) {
			c.model, c.first, c.sent, c.got, c.bad, c.shown, c.text = "Play", `0`, `3`, "3", `10`, `4`, "p: 4"
			c.alsoInState = map[string]string{"interval": `200`, "playing": `false`, "repeat": `false`, "min": `0`, "max": `9`}
		}, 4, -1, "not between the control's limits 0 and 9"),
		pick(NewDatePicker("day", time.Date(2026, 2, 28, 23, 0, 0, 0, time.FixedZone("", 3600))), func(c *row) {
			c.model, c.first, c.sent, c.got = "DatePicker", `{"date":28,"month":1,"year":2026}`, `{"year":2024,"month":1,"date":29}`, "2024-02-29 00:00:00 +0000 UTC"
			c.bad, c.shown, c.text = `{"year":2026,"month":1,"date":30}`, `{"date":1,"month":11,"year":2025}`, "day: 2025-12-01"
		}, time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "the value 10000 is not between the control's limits 1 and 9999"),
		pick(NewTab(Page{"one", NewLabel("1")}, Page{"two", NewLabel("2")}), func(c *row) {
			c.model, c.first, c.sent, c.got, c.bad, c.shown, c.text = "Tab", `0`, `1`, "1", `2`, `0`, "one\n  1\ntwo\n  2"
			c.alsoInState = map[string]string{"titles": `["one","two"]`}
		}, 0, 2, "the value 2 is not between the control's limits -1 and 1"),
		pick(NewAccordion(Page{"one", NewLabel("1")}), func(c *row) {
			c.model, c.first, c.sent, c.got, c.bad, c.shown, c.text = "Accordion", `null`, `0`, "0", `"x"`, `null`, "one\n  1"
		}, -1, 1, "not between the control's limits -1 and 0"),
	} {
		v := c.w.(valued)
		key := v.valueKey()
		if got := p.state(c.w, "_model_name"); got != c.model+"Model" || p.state(c.w, "_view_name") != c.model+"View" || p.state(c.w, "_model_module_version") != "2.0.0" {
			t.Errorf("%s: the model is %v", c.model, got)
		}
		if got := p.value(c.w, key); got != c.first {
			t.Errorf("%s: the state begins with %s, want %s", c.model, got, c.first)
		}
		for k, want := range c.alsoInState {
			if got := p.value(c.w, k); got != want {
				t.Errorf("%s: %s is %s, want %s", c.model, k, got, want)
			}
		}
		changed := make(chan bool, 10)
		c.w.notifier().add(func() { changed <- true })
		move(c.w, fmt.Sprintf(`{"method":"update","state":{%q:%s},"buffer_paths":[]}`, key, c.sent))
		<-changed
		if got := fmt.Sprint(v.anyValue()); got != c.got {
			t.Errorf("%s: %s from the page is %s, want %s", c.model, c.sent, got, c.got)
		}
		sent := p.count(c.w)
		move(c.w, fmt.Sprintf(`{"method":"update","state":{%q:%s},"buffer_paths":[]}`, key, c.bad))
		eventually(t, c.model+": an answer to a bad value", func() bool { return p.count(c.w) > sent })
		if got := fmt.Sprint(v.anyValue()); got != c.got {
			t.Errorf("%s: %s from the page makes it %s", c.model, c.bad, got)
		}
		if err := c.set(); err != nil {
			t.Errorf("%s: %v", c.model, err)
		}
		if got := p.value(c.w, key); got != c.shown {
			t.Errorf("%s: after SetValue the page has %s, want %s", c.model, got, c.shown)
		}
		if err := c.setBad(); c.setErr != "" && (err == nil || !strings.Contains(err.Error(), c.setErr)) {
			t.Errorf("%s: a bad value: %v, want %s", c.model, err, c.setErr)
		}
		if text := c.w.MIMEBundle()["text/plain"]; text != c.text {
			t.Errorf("%s: the text is %q, want %q", c.model, text, c.text)
		}
	}
}

// A row is one control and the steps of its test, in this order.
type row struct {
	w           Input
	model       string
	first       string // first state of the value
	alsoInState map[string]string
	sent, got   string       // a state from the page, and the resulting value
	bad         string       // a state from the page that is not allowed
	set         func() error // sets an allowed value
	shown       string       // the resulting state
	setBad      func() error
	setErr      string // the error of setBad; "" if all values are allowed
	text        string // the text form at the end
}

// pick returns a row for a control, with an allowed value, one that is not allowed, and
// its error.
func pick[T any](w Valued[T], fill func(*row), good, bad T, setErr string) row {
	c := row{w: w, setErr: setErr}
	c.set = func() error { return w.SetValue(good) }
	c.setBad = func() error { return w.SetValue(bad) }
	fill(&c)
	return c
}

func nan() float64 { zero := 0.0; return zero / zero }

func TestFileUpload(t *testing.T) {
	p := open(t)
	u := NewFileUpload("files", ".csv", true)
	got := make(chan []File, 1)
	u.OnChange(func(files []File) { got <- files })
	upload := func(content []byte, size int) {
		comm.Deliver(comm.Message{Kind: comm.Msg, ID: u.model().comm.ID, Buffers: [][]byte{{0, 255}, content},
			Data: json.RawMessage(fmt.Sprintf(`{"method":"update","state":{"value":[
				{"name":"a.bin","type":"","size":2,"last_modified":1000},
				{"name":"b.csv","type":"text/csv","size":%d,"last_modified":1700000000000}]},
				"buffer_paths":[["value",0,"content"],["value",1,"content"]]}`, size))})
	}
	upload([]byte("1,2\n"), 4)
	files := <-got
	if len(files) != 2 || files[0].Name != "a.bin" || string(files[0].Data) != "\x00\xff" || files[1].Type != "text/csv" ||
		string(files[1].Data) != "1,2\n" || files[1].Size != 4 || files[0].ModTime != time.UnixMilli(1000) {
		t.Errorf("%+v", files)
	}
	if text := u.MIMEBundle()["text/plain"]; text != "files: [a.bin (2 bytes) b.csv (4 bytes)]" {
		t.Errorf("text %q", text)
	}
	upload([]byte("1,2\n"), 4) // a second upload of the same file is a change: its content may be different
	<-got
	upload([]byte("1"), 4)
	eventually(t, "the error", func() bool {
		return p.state(u, "error") == `the upload of "b.csv" is incomplete: 1 of 4 bytes arrived; upload the file again`
	})
	if len(u.Value()) != 2 {
		t.Errorf("after an incomplete upload: %v", u.Value())
	}
	if err := u.SetValue(files); err == nil || !strings.Contains(err.Error(), "only the user can upload files") {
		t.Errorf("SetValue: %v", err)
	}
	if err := u.Clear(); err != nil || len(u.Value()) != 0 || p.value(u, "value") != "[]" {
		t.Errorf("Clear: %v, %v, %s", err, u.Value(), p.value(u, "value"))
	}
}

// After concurrent calls of SetValue, the value is the same in Go and in the page.
func TestSetValueConcurrently(t *testing.T) {
	p := open(t)
	for range 20 {
		n := NewIntSlider("n", 0, 9, 0)
		var all sync.WaitGroup
		for v := range 10 {
			all.Go(func() { _ = n.SetValue(v) })
		}
		all.Wait()
		if got := p.value(n, "value"); got != fmt.Sprint(n.Value()) {
			t.Fatalf("the page has %s, Go has %d", got, n.Value())
		}
	}
}

func TestPlayStarts(t *testing.T) {
	p := open(t)
	play := NewPlay("", 0, 3, 0)
	play.Start()
	if p.state(play, "playing") != true || !play.Playing() {
		t.Error("it does not play")
	}
	move(play, `{"method":"update","state":{"playing":false,"value":3}}`)
	eventually(t, "the end", func() bool { return play.Value() == 3 && !play.Playing() })
	play.Pause()
}

func TestOutput(t *testing.T) {
	p := open(t)
	o := NewOutput()
	fmt.Fprintln(o, "one")
	fmt.Fprint(o, "two\xff")
	if err := o.Append("three"); err != nil {
		t.Fatal(err)
	}
	want := `[{"name":"stdout","output_type":"stream","text":"one\ntwo�"},{"data":{"text/plain":"\"three\""},"metadata":{},"output_type":"display_data"}]`
	if got := p.value(o, "outputs"); got != want {
		t.Errorf("outputs %s", got)
	}
	if p.state(o, "_model_module") != "@jupyter-widgets/output" || p.state(o, "_model_module_version") != "1.0.0" {
		t.Errorf("module %v %v", p.state(o, "_model_module"), p.state(o, "_model_module_version"))
	}
	if text := o.MIMEBundle()["text/plain"]; text != "one\ntwo�\n\"three\"" {
		t.Errorf("text %q", text)
	}
	if err := o.Show(4); err != nil || !strings.Contains(p.value(o, "outputs"), `"text/plain":"4"`) || strings.Contains(p.value(o, "outputs"), "three") {
		t.Errorf("Show: %v, %s", err, p.value(o, "outputs"))
	}
	if err := o.Clear(); err != nil || p.value(o, "outputs") != "[]" {
		t.Errorf("Clear: %v, %s", err, p.value(o, "outputs"))
	}
	fmt.Fprint(o, strings.Repeat("é", maxText))
	fmt.Fprint(o, "end")
	if text := fmt.Sprint(o.MIMEBundle()["text/plain"]); len(text) > maxText || !strings.HasSuffix(text, "éend") || !strings.HasPrefix(text, "é") {
		t.Errorf("%d bytes of text", len(text))
	}
	for i := range maxParts + 5 {
		_ = o.Append(i)
	}
	if n := len(o.parts); n != maxParts {
		t.Errorf("%d parts", n)
	}
}

func TestGridBox(t *testing.T) {
	p := open(t)
	g := NewGridBox(2, NewLabel("a"), NewLabel("b"))
	id := strings.TrimPrefix(fmt.Sprint(p.state(g, "layout")), "IPY_MODEL_")
	p.mu.Lock()
	columns := p.models[id]["grid_template_columns"]
	p.mu.Unlock()
	if p.state(g, "_model_name") != "GridBoxModel" || columns != "repeat(2, max-content)" || g.MIMEBundle()["text/plain"] != "a\nb" {
		t.Errorf("%v, %v", p.state(g, "_model_name"), columns)
	}
}

func TestFloatProgress(t *testing.T) {
	p := open(t)
	bar := NewFloatProgress("x", 2)
	bar.SetValue(1.5)
	if p.value(bar, "value") != "1.5" || bar.MIMEBundle()["text/plain"] != "x 1.5 of 2" || p.state(bar, "_view_name") != "ProgressView" {
		t.Errorf("%s, %v", p.value(bar, "value"), bar.MIMEBundle()["text/plain"])
	}
	bar.SetValue(nan())
	if p.value(bar, "value") != "0" {
		t.Errorf("NaN shows as %s", p.value(bar, "value"))
	}
}

func TestLink(t *testing.T) {
	open(t)
	a, b := NewIntSlider("a", 0, 10, 4), NewIntText("b", 0)
	if err := Link(a, b); err != nil || b.Value() != 4 {
		t.Fatalf("%v, %d", err, b.Value())
	}
	for i := 1; i <= 10; i++ {
		move(a, fmt.Sprintf(`{"method":"update","state":{"value":%d}}`, i))
	}
	eventually(t, "b follows a", func() bool { return b.Value() == 10 && a.Value() == 10 })
	move(b, `{"method":"update","state":{"value":3}}`)
	eventually(t, "a follows b", func() bool { return a.Value() == 3 })
	move(b, `{"method":"update","state":{"value":30}}`) // above the maximum of a
	move(b, `{"method":"update","state":{"value":2}}`)
	eventually(t, "a follows b again", func() bool { return a.Value() == 2 })
	if err := Link(NewIntSlider("", 20, 30, 25), a); err == nil || !strings.Contains(err.Error(), "25 is not between the control's limits 0 and 10") {
		t.Errorf("values that do not fit: %v", err)
	}
	if err := Link(a, a); err == nil {
		t.Error("linked with itself")
	}
}

func TestJSLink(t *testing.T) {
	p := open(t)
	play, n := NewPlay("", 0, 10, time.Second), NewIntSlider("n", 0, 10, 0)
	if err := JSLink(play, n); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`[["IPY_MODEL_%s","value"],["IPY_MODEL_%s","value"]]`, play.m.comm.ID, n.m.comm.ID)
	found := false
	p.mu.Lock()
	for _, state := range p.models {
		if state["_model_name"] == "LinkModel" {
			raw, _ := json.Marshal([]any{state["source"], state["target"]})
			found = string(raw) == want
		}
	}
	p.mu.Unlock()
	if !found {
		t.Error("the page has no link")
	}
	for _, c := range []struct {
		a, b Input
		want string
	}{
		{n, n, "with itself"},
		{n, NewButton("b"), "cannot link a Button: it has no value"},
		{n, NewDropdown("d", 1), "the page stores the value of one and the index of an option of the other; use Link"},
		{n, NewText("t", ""), "their values have different types, int and string"},
	} {
		if err := JSLink(c.a, c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// FuzzReceive checks that a control's value stays allowed for all messages of a page.
func FuzzReceive(f *testing.F) {
	f.Add(`{"method":"update","state":{"value":3,"index":1},"buffer_paths":[]}`, []byte{0})
	f.Add(`{"method":"update","state":{"value":[{"name":"a","size":1}]},"buffer_paths":[["value",0,"content"]]}`, []byte{1})
	f.Add(`{"method":"update","state":{"value":[1,2],"index":[0],"selected_index":null},"buffer_paths":[[1],[]]}`, []byte(nil))
	f.Add(`{"method":"custom","content":{"event":"click"}}`, []byte(nil))
	f.Fuzz(func(t *testing.T, data string, buffer []byte) {
		n, r, day := NewIntSlider("", 1, 8, 2), NewIntRangeSlider("", 1, 8, 2, 3), NewDatePicker("", time.Time{})
		menu, list, up := NewDropdown("", "a", "b"), NewSelectMultiple("", "a", "b"), NewFileUpload("", "", true)
		tab, play := NewTab(Page{"", NewLabel("")}), NewPlay("", 1, 8, 1)
		for _, w := range []Widget{n, r, day, menu, list, up, tab, play, NewButton("")} {
			w.model().receive(json.RawMessage(data), [][]byte{buffer}, nil)
		}
		for _, take := range []func(message){n.receive, r.receive, day.receive, menu.receive, list.receive, up.take, tab.receive, play.receive} {
			var msg message
			if json.Unmarshal([]byte(data), &msg) != nil {
				return
			}
			msg.Buffers = [][]byte{buffer}
			take(msg)
		}
		bad := n.check(n.Value()) != nil || r.check(r.Value()) != nil || menu.check(menu.Value()) != nil || list.check(list.Value()) != nil ||
			tab.check(tab.Value()) != nil || play.check(play.Value()) != nil || day.check(day.Value()) != nil
		for _, file := range up.Value() {
			bad = bad || int64(len(file.Data)) != file.Size
		}
		if bad {
			t.Errorf("%s with %s: %v %v %v %v %v %v %v", data, base64.StdEncoding.EncodeToString(buffer), n.Value(), r.Value(), menu.Value(), list.Value(), tab.Value(), day.Value(), up.Value())
		}
	})
}
