package display

import (
	"errors"
	"fmt"
	"html/template"
	"image"
	"regexp"
	"strings"
	"testing"
	"time"
)

type point struct {
	X, Y int
	name string
	next *point
	all  []*point
}

type celsius float64

func (c celsius) String() string { return fmt.Sprintf("%.1f °C", float64(c)) }

type broken struct{}

func (broken) String() string { panic("oh") }
func (broken) HTML() string   { panic("no") }

type picture3 struct{}

func (picture3) HTML() string { return "<i>3</i>" }
func (picture3) SVG() string  { return "<svg/>" }

var address = regexp.MustCompile(`\(0x[0-9a-f]+\)`)

func TestText(t *testing.T) {
	var nilPoint *point
	var nilError error
	cycle := []any{nil}
	cycle[0] = cycle
	tests := []struct {
		v    any
		want string
	}{
		{nil, "nil"},
		{nilPoint, "nil"},
		{&nilError, "&nil"},
		{3, "3"},
		{2.50, "2.5"},
		{'a', "97"},
		{true, "true"},
		{"a\tb", `"a\tb"`},
		{"two\nlines", "`two\nlines`"},
		{"tick`\n", "\"tick`\\n\""},
		{[]string{"a b", "c"}, `["a b" "c"]`},
		{[2]float64{1, 0.5}, "[1 0.5]"},
		{[]byte("hé"), `[]byte("hé")`},
		{[]byte{0xff, 1}, "[]byte{0xff, 0x01}"},
		{map[string]int{"b": 2, "a": 1}, `map["a":1 "b":2]`},
		{map[int]bool{10: true, 9: false}, "map[9:false 10:true]"},
		{point{1, 2, "p", nil, nil}, `{X:1 Y:2 name:"p" next:nil all:[]}`},
		{&point{X: 1}, `&{X:1 Y:0 name:"" next:nil all:[]}`},
		{map[string]*point{"a": {next: &point{}}}, `map["a":&{X:0 Y:0 name:"" next:&{X:0 Y:0 name:"" next:nil all:[]} all:[]}]`},
		{[]any{&point{}, nil}, `[&{X:0 Y:0 name:"" next:nil all:[]} nil]`},
		{[]*time.Time{{}}, "[0001-01-01 00:00:00 +0000 UTC]"},
		{errors.New("bad"), "bad"},
		{celsius(21), "21.0 °C"},
		{[]celsius{1, 2}, "[1.0 °C 2.0 °C]"},
		{1500 * time.Millisecond, "1.5s"},
		{struct{ D time.Duration }{time.Second}, "{D:1s}"},
		{broken{}, "%!v(PANIC=String method: oh)"},
		{cycle, "[(cycle: []any)]"},
		{make(chan int, 3), "(chan int, 0 of 3)"},
		{strings.ToUpper, "(func(string) string)(0x…)"},
		{struct{ A any }{"x"}, `{A:"x"}`},
	}
	for _, tt := range tests {
		got := address.ReplaceAllString(Text(tt.v), "(0x…)")
		if got != tt.want {
			t.Errorf("Text(%T) = %s, want %s", tt.v, got, tt.want)
		}
	}
}

func TestOfForms(t *testing.T) {
	type row struct {
		Name string
		Took time.Duration
		N    int
	}
	tests := []struct {
		name, mime, want, text string
		v                      any
	}{
		{"method", "text/html", "<i>3</i>", "{}", picture3{}},
		{"svg method", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"/>`, "{}", picture3{}},
		{"template.HTML", "text/html", "<hr>", `"<hr>"`, template.HTML("<hr>")},
		{"bundle", "text/html", "<b>", "b", Bundle{"text/html": "<b>", "text/plain": "b"}},
		{"structs", "text/html",
			`<td style="text-align:left">a&amp;b</td><td style="text-align:right">2s</td><td style="text-align:right">7</td>`,
			"   Name  Took  N\n0  a&b     2s  7\n[]display.row, 1 element", []row{{"a&b", 2 * time.Second, 7}}},
		{"strings", "text/html", `<td style="text-align:left">x</td>`, `[["x"]]`, [][]string{{"x"}}},
		{"image", "image/png", "iVBOR", "[*image.Gray, 2 × 2 pixels]", image.NewGray(image.Rect(0, 0, 2, 2))},
		{"panicking method", "text/plain", "[HTML panicked: no]", "", broken{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := Render(tt.v)
			form, _ := m.Data[tt.mime].(string)
			if !strings.Contains(form, tt.want) {
				t.Errorf("%s is %q, want %q in it", tt.mime, form, tt.want)
			}
			if text := m.Data["text/plain"]; tt.text != "" && text != tt.text {
				t.Errorf("text is %q, want %q", text, tt.text)
			}
		})
	}
}

func TestOfKeepsPlainThingsPlain(t *testing.T) {
	for _, v := range []any{3, "x", []int{1}, point{}, &point{}, []celsius{1}, nil, (*picture3)(nil), []string{}, map[string]int{}} {
		if m := Render(v); len(m.Data) != 1 {
			t.Errorf("Render(%T) has forms %v", v, m.Data)
		}
	}
}

type grid struct{ rows, columns int }

func (g grid) Dims() (int, int)    { return g.rows, g.columns }
func (g grid) At(i, j int) float64 { return float64(i*100+j) / 3 }

// dense implements matrix with pointer receivers, like mat.Dense.
type dense struct{ g grid }

func (d *dense) Dims() (int, int)    { return d.g.Dims() }
func (d *dense) At(i, j int) float64 { return d.g.At(i, j) }

func TestMatrix(t *testing.T) {
	m := Render(grid{2, 3})
	want := "[      0  0.333333  0.666667]\n[33.3333   33.6667        34]\n2 × 3"
	if m.Data["text/plain"] != want {
		t.Errorf("%s, want %s", m.Data["text/plain"], want)
	}
	if html, _ := m.Data["text/html"].(string); !strings.Contains(html, ">33.6667</td>") {
		t.Errorf("HTML: %s", html)
	}
	big, _ := Render(&grid{1000, 50}).Data["text/plain"].(string)
	if !strings.HasSuffix(big, "\nThe first 60 × 20 of 1000 × 50.") || strings.Count(big, "\n") != maxRows {
		t.Errorf("big: %s", big)
	}
	if text := Render(dense{grid{1, 2}}).Data["text/plain"]; text != "[0  0.333333]\n1 × 2" {
		t.Errorf("value of a struct: %s", text)
	}
	if text := Render(grid{}).Data["text/plain"]; text != "0 × 0" {
		t.Errorf("empty: %s", text)
	}
}

type formatted struct{ n int }

func (f formatted) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "<%d>", f.n) }

func TestTextOfFormatter(t *testing.T) {
	if got := Text([]formatted{{1}, {2}}); got != "[<1> <2>]" {
		t.Errorf("%s", got)
	}
}
