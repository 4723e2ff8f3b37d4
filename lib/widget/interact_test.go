package widget

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/display"
	"github.com/perijove/perijove/lib/display/displayhost"
)

// texts returns the text forms of the page's ordinary outputs.
func (p *page) texts() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, m := range p.shown {
		out = append(out, fmt.Sprint(m.Kind, " ", m.Data["text/plain"]))
	}
	return strings.Join(out, ", ")
}

// find returns the state of the last model with the given name.
func (p *page) find(name string) map[string]any {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, state := range p.models {
		if state["_model_name"] == name {
			return state
		}
	}
	return nil
}

// A picture draws itself as SVG. A host's rasterizer adds a PNG.
type picture int

func (p picture) SVG() string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="10"></svg>`, p)
}

// The result of a Live is part of its widget's state, which a reloaded page receives.
// Results in the widget have no PNG. After the inputs have not changed for a moment, an
// ordinary output after the widget has the last result in all forms.
func TestLive(t *testing.T) {
	p := open(t)
	displayhost.SetRasterizer(func(any, float64, float64) ([]byte, error) { return []byte("png"), nil })
	t.Cleanup(func() { displayhost.SetRasterizer(nil) })
	n := NewIntSlider("n", 0, 90, 10)
	if err := Live(func() any { return picture(n.Value()) }, n); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	view, values, stored := p.shown[0], p.shown[1], p.shown[2]
	p.mu.Unlock()
	if view.Data["text/plain"] != "" || values.Data["text/plain"] != "n: 10" || values.Data[viewType] != nil || view.Data[viewType] == nil || stored.Data["image/png"] == nil || stored.ID == "" {
		t.Errorf("shown %v and %v", view, stored)
	}
	move(n, `{"method":"update","state":{"value":33}}`)
	outputs := func() string { return fmt.Sprint(p.find("OutputModel")["outputs"]) }
	eventually(t, "the frame", func() bool { return strings.Contains(outputs(), `width="33"`) })
	if strings.Contains(outputs(), "image/png") {
		t.Error("a frame has a PNG picture")
	}
	eventually(t, "the stored output", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		last := p.shown[len(p.shown)-1]
		return last.Kind == displayhost.KindUpdate && last.ID == stored.ID && last.Data["image/png"] != nil &&
			strings.Contains(fmt.Sprint(last.Data["image/svg+xml"]), `width="33"`)
	})
	eventually(t, "the stored values", func() bool { return strings.Contains(p.texts(), "update n: 33") })
	class := fmt.Sprint(p.find("VBoxModel")["_dom_classes"])
	if style := fmt.Sprint(p.find("HTMLModel")["value"]); !strings.Contains(style, strings.Trim(class, "[]")) || !strings.Contains(style, "display: none") {
		t.Errorf("the class %s has the style %s", class, style)
	}
}

func TestLiveShowsNothing(t *testing.T) {
	p := open(t)
	n := NewIntSlider("n", 0, 9, 1)
	if err := Live(func() any {
		if n.Value() == 1 {
			return nil
		}
		return n.Value()
	}, n); err != nil {
		t.Fatal(err)
	}
	move(n, `{"method":"update","state":{"value":3}}`)
	eventually(t, "the first value", func() bool { return p.texts() == "show , show n: 1, show , update n: 3, update 3" })
}

type level int

func (l level) String() string { return [...]string{"low", "high"}[l] }

func TestInteractMakesControls(t *testing.T) {
	p := open(t)
	var got string
	err := Interact(func(n int, x float64, on bool, name string, day time.Time, l level, b uint8) any {
		got = fmt.Sprint(n, x, on, name, day.Year(), l, b)
		return got
	}, Range("count", 3, 5), nil, Named("log"), Start("title", "t"), nil, Choice("level", level(0), level(1)), Start("", 200))
	if err != nil {
		t.Fatal(err)
	}
	if want := "3 0 falset1 low 200"; got != want {
		t.Errorf("called with %q, want %q", got, want)
	}
	want := "show , show count: 3\nfloat64 2: 0\nlog: false\ntitle: t\ntime.Time 5: none\nlevel: low\nintslider: 200, show \"3 0 falset1 low 200\""
	if p.texts() != want {
		t.Errorf("shown %q", p.texts())
	}
	if s := p.find("FloatSliderModel"); s["max"] != 1.0 || s["step"] != 0.01 {
		t.Errorf("the float slider has %v", s)
	}
}

func TestInteractStruct(t *testing.T) {
	p := open(t)
	type settings struct {
		Points int    `range:"1,500" start:"20"`
		Scale  string `options:"linear,log" start:"log" name:"the scale"`
		Level  int    `options:"1,2"`
	}
	var got settings
	calls := make(chan bool, 9)
	if err := Interact(func(s settings) { got = s; calls <- true }); err != nil {
		t.Fatal(err)
	}
	if <-calls; got != (settings{20, "log", 1}) {
		t.Errorf("called with %+v", got)
	}
	if !strings.HasPrefix(p.texts(), "show , show Points: 20\nthe scale: log\nLevel: 1, show ") {
		t.Errorf("shown %q", p.texts())
	}
}

// A change cancels the running call, whose result is not shown.
func TestInteractLatestWins(t *testing.T) {
	p := open(t)
	n := NewIntSlider("n", 0, 9, 0)
	running := make(chan int, 9)
	if err := Interact(func(ctx context.Context, n int) (any, error) {
		running <- n
		if n == 0 || n == 9 {
			return n, nil
		}
		<-ctx.Done()
		return "canceled", ctx.Err()
	}, n); err != nil {
		t.Fatal(err)
	}
	<-running
	move(n, `{"method":"update","state":{"value":4}}`)
	<-running
	move(n, `{"method":"update","state":{"value":9}}`)
	<-running
	eventually(t, "the last value alone", func() bool { return p.texts() == "show , show n: 0, show 0, update n: 9, update 9" })
}

func TestInteractShowsErrorsAndButtons(t *testing.T) {
	p := open(t)
	calls := 0
	again := NewButton("again")
	if err := Interact(func() (any, error) {
		calls++
		if calls == 1 {
			return nil, errors.New("not yet")
		}
		return display.Bundle{"text/plain": "done"}, nil
	}, again); err != nil {
		t.Fatal(err)
	}
	move(again, `{"method":"custom","content":{"event":"click"}}`)
	eventually(t, "the second call", func() bool { return p.texts() == "show , show [again], show not yet, update [again], update done" })
}

func TestInteractRefuses(t *testing.T) {
	open(t)
	for _, c := range []struct {
		f       any
		options []Option
		want    string
	}{
		{nil, nil, "must be a function that is not nil; this argument has the type <nil>"},
		{3, nil, "must be a function that is not nil; this argument has the type int"},
		{(func())(nil), nil, "must be a function that is not nil; this argument has the type func()"},
		{func(...int) {}, nil, "is variadic, and Interact needs a fixed number of parameters"},
		{func() (int, int) { return 1, 2 }, nil, "the function (func() (int, int)) returns several values, and Interact shows only one"},
		{func(chan int) {}, nil, "parameter 1 (chan int) gets no control: no control has values of type chan int: pass the option Choice, or a control"},
		{func(context.Context, []int) {}, nil, "parameter 2 ([]int) gets no control: no control has values of type []int"},
		{func(time.Duration) {}, nil, "parameter 1 (time.Duration) gets no control: a time.Duration has no default range"},
		{func(int) {}, []Option{Range("n", 5, 1)}, "the range from 5 to 1 is empty"},
		{func(int) {}, []Option{Range("n", 0, 1.5)}, "must have whole numbers as bounds, since the parameter has the type int"},
		{func(uint8) {}, []Option{Range("n", 0, 256)}, "has values that the parameter's type uint8 cannot hold"},
		{func(uint) {}, []Option{Range("n", -1, 2)}, "has values that the parameter's type uint cannot hold"},
		{func(string) {}, []Option{Range("n", 0, 1)}, "the option Range is for parameters that are numbers, not for the type string"},
		{func(int) {}, []Option{Start("n", 2.5)}, "the start value 2.5 (float64) cannot be converted to the parameter's type int without loss"},
		{func(uint8) {}, []Option{Start("n", 300)}, "the start value 300 (int) cannot be converted to the parameter's type uint8 without loss"},
		{func(uint) {}, []Option{Start("n", -1)}, "cannot be converted to the parameter's type uint without loss"},
		{func(string) {}, []Option{Start("n", 65)}, "cannot be converted to the parameter's type string without loss"},
		{func(int) {}, []Option{Start("n", nil)}, "cannot be converted to the parameter's type int without loss"},
		{func(int) {}, []Option{NewText("t", "")}, "the values of the control have the type string, but the parameter has the type int"},
		{func(int) {}, []Option{NewFloatSlider("t", 0, 1, .1, 0)}, "the values of the control have the type float64, but the parameter has the type int"},
		{func(int) {}, []Option{Choice("t", "a")}, "the values of the control have the type string, but the parameter has the type int"},
		{func(int) {}, []Option{Choice[int]("t")}, "the option Choice has no values to choose from"},
		{func(int) {}, []Option{NewButton("b")}, "a Button has no value"},
		{func() {}, []Option{Named("n")}, "more options than parameters"},
		{func(struct{ a int }) {}, nil, "the field a of its type struct { a int } is not exported"},
		{func(struct {
			A int `range:"1"`
		}) {
		}, nil, `the struct tag range:"1" must be two numbers`},
		{func(struct {
			A int `start:"x"`
		}) {
		}, nil, `the field A (int) of parameter 1 gets no control: the struct tag start:"x" is not a value of the field's type int`},
		{func(struct {
			A int `options:"1,b"`
		}) {
		}, nil, `"b" in the struct tag options is not a value of the field's type int`},
		{func(struct {
			A int `options:"1,2" start:"3"`
		}) {
		}, nil, "the value 3 is not one of the control's options: 1, 2"},
	} {
		if err := Interact(c.f, c.options...); err == nil || !strings.HasPrefix(err.Error(), "widget: Interact failed: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T: %v, want %s", c.f, err, c.want)
		}
	}
}
