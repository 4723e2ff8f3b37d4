package values

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files in testdata")

type address struct {
	Street, City string
	at           *position
}

type position struct{ Lat, Lon float64 }

type person struct {
	Name    string
	Age     int
	Home    *address
	Tags    []string
	Friends []*person
	Scores  map[string]float64
	//lint:ignore U1000 fields are shown by reflection
	born time.Time
	took time.Duration
	//lint:ignore U1000 likewise
	call func()
	//lint:ignore U1000 likewise
	done chan int
	data any
}

type base struct {
	ID int
}

type item struct {
	base
	Label string
	Parts []part2
}

type part2 struct {
	N int
	X float64
}

type link struct {
	V    int
	Next *link
	Kids []*link
}

type level uint8

func (l level) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "level %d", uint8(l)), nil }

type celsius float64

func (c celsius) String() string { return fmt.Sprintf("%.1f °C", float64(c)) }

type broken struct{ N int }

func (broken) String() string { panic("oh") }

type receiver struct{ n int }

func (r *receiver) String() string { return fmt.Sprint("receiver ", r.n) }

type record struct {
	Name string
	Err  error
	Took time.Duration
	F    float64
	P    *position
	Any  any
	T    time.Time
}

// examples returns values by the name of their golden file.
func examples() map[string]any {
	ann := &person{Name: "Ann", Age: 41, Home: &address{"Main Street 3", "Berlin", &position{52.123456789, 13.1}}, Tags: []string{"a", "b"},
		Scores: map[string]float64{"x": 1.0 / 3, "y": 2}, took: time.Second, data: []any{1, "x", nil}}
	ann.Friends = []*person{ann, {Name: "Bob", Tags: make([]string, 3)}}
	ring := &link{V: 1, Next: &link{V: 2}}
	ring.Next.Next = ring
	tree := &link{V: 0}
	for i := range 12 {
		tree.Kids = append(tree.Kids, &link{V: i, Kids: []*link{{V: 100 + i}, {V: 200 + i, Next: &link{V: 300}}}})
	}
	selfMap := map[string]any{"a": 1}
	selfMap["self"] = selfMap
	selfSlice := []any{1, nil}
	selfSlice[1] = selfSlice
	deep := []any{}
	for range 40 {
		deep = []any{deep, 1, map[string]any{"a": []int{1, 2, 3}}}
	}
	many := map[string]int{}
	for i := range 100 {
		many[fmt.Sprintf("key %03d", i)] = i * i * i
	}
	roots := make([]float64, 300)
	ints := make([]int, 1_000_000)
	sentences := make([]string, 500)
	for i := range ints {
		ints[i] = i
	}
	for i := range roots {
		roots[i] = math.Sqrt(float64(i)) * 1e3
	}
	for i := range sentences {
		sentences[i] = fmt.Sprintf("this is sentence number %d of the text", i)
	}
	wide := make([][]int, 100)
	for i := range wide {
		wide[i] = make([]int, 30)
	}
	return map[string]any{
		"struct":        *ann,
		"pointer":       ann,
		"ring":          ring,
		"tree":          tree,
		"self_map":      selfMap,
		"self_slice":    selfSlice,
		"deep":          deep,
		"map":           map[string]int{"one": 1, "two": 2},
		"map_long":      many,
		"map_nested":    map[string]any{"a": 1, "b": map[string]any{"c": sentences[:3]}, "d": nil},
		"map_nan":       map[float64]string{math.NaN(): "not a number", 1: "one", math.Inf(1): "infinite"},
		"map_mixed":     map[any]any{1: "a", "x": 2, 2.5: nil, [2]int{1, 2}: true},
		"map_structs":   map[string]position{"Berlin": {52.52, 13.405}, "Paris": {48.8566, 2.3522}},
		"ints":          ints,
		"floats":        roots,
		"strings":       sentences,
		"grid":          [][]float64{{1, 2, 1.0 / 3}, {4.5, 5, 1e9}},
		"grid_ragged":   [][]string{{"a", "b c"}, {}, {"longer", "<b>"}},
		"grid_large":    wide,
		"grid_array":    [2][3]bool{{true}, {}},
		"table":         []*person{ann, nil},
		"table_long":    make([]part2, 10_000),
		"table_embed":   []item{{base{7}, "x", []part2{{1, 2.5}}}, {base{8}, "y\nz", nil}},
		"table_errors":  []record{{"a", errors.New("no such thing"), time.Millisecond, 2.0 / 3, nil, 3, time.Unix(0, 0).UTC()}, {Name: strings.Repeat("long ", 30)}},
		"own_text":      []celsius{1, 2},
		"own_marshaler": struct{ L level }{3},
		"own_nil":       []*receiver{{1}, nil},
		"panics":        []broken{{1}},
		"interfaces":    []any{1, "two", 3.5, nil, []int{4}, struct{ A any }{5}},
		"empty":         []any{[]int{}, map[int]int(nil), struct{}{}, [0]int{}, (*person)(nil), ""},
	}
}

var addresses = regexp.MustCompile(`0x[0-9a-f]{4,}`)

// TestGolden compares text and HTML of the examples with testdata.
func TestGolden(t *testing.T) {
	for name, v := range examples() {
		t.Run(name, func(t *testing.T) {
			got := Text(v) + "\n"
			if html, ok := HTML(v); ok {
				got += "---\n" + html + "\n"
			}
			got = addresses.ReplaceAllString(got, "0x…")
			file := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestBounds checks that the output for every value is bounded, and that all HTML
// elements are closed.
func TestBounds(t *testing.T) {
	list := examples()
	list["huge structs"] = make([]struct{ A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T, U, V, W, X, Y, Z string }, 1000)
	list["long texts"] = map[string]any{"a": strings.Repeat("é\n", 1<<20), "b": []byte(strings.Repeat("x", 1<<20)), "c": strings.Repeat("<&", 1<<20)}
	wide := map[string]any{}
	for i := range 50 {
		inner := map[string]any{}
		for j := range 50 {
			inner[fmt.Sprint(j)] = make([][]string, 50)
		}
		wide[fmt.Sprint(i)] = inner
	}
	list["wide"] = []any{wide, wide, struct{ W any }{wide}}
	shared := []any{1}
	for range 60 { // 2⁶⁰ paths
		shared = []any{shared, shared}
	}
	list["shared"] = shared
	for name, v := range list {
		text := Text(v)
		if lines := strings.Count(text, "\n") + 1; lines > maxLines+10 || len(text) > 16_000 {
			t.Errorf("%s: text has %d lines and %d bytes", name, lines, len(text))
		}
		html, _ := HTML(v)
		if len(html) > 200_000 {
			t.Errorf("%s: HTML has %d bytes", name, len(html))
		}
		for _, element := range []string{"details", "div", "span", "table", "tr", "td", "th", "summary"} {
			if open, closed := strings.Count(html, "<"+element+" ")+strings.Count(html, "<"+element+">"), strings.Count(html, "</"+element+">"); open != closed {
				t.Errorf("%s: %d %s are opened and %d closed", name, open, element, closed)
			}
		}
		if short := Short(v, 50); strings.Contains(short, "\n") || len([]rune(short)) > 50 {
			t.Errorf("%s: short text %q", name, short)
		}
	}
}

// TestMapReader checks that every map is read by the reader, and that the text of a
// map that cannot be read says so.
func TestMapReader(t *testing.T) {
	before := readMap
	defer SetMapReader(before)
	reads := 0
	SetMapReader(func(_ reflect.Value, f func()) bool { reads++; f(); return true })
	m := map[any]map[string]int{1: {"a": 1}, "x": nil}
	if got := Short(m, 80); got != `map[1:map["a":1] "x":map[]]` || reads != 2 {
		t.Errorf("%s with %d reads", got, reads)
	}
	SetMapReader(func(reflect.Value, func()) bool { return false })
	if got := Short(m, 80); got != "map[… (being changed)]" {
		t.Errorf("%s", got)
	}
	if got := Text(map[string]string{"a": strings.Repeat("x", 200)}); !strings.Contains(got, "being changed") {
		t.Errorf("%s", got)
	}
}

// TestReadsDoNotAllocate checks that reading a map does not allocate, because the map
// reader may have stopped all other goroutines.
func TestReadsDoNotAllocate(t *testing.T) {
	before := readMap
	defer SetMapReader(before)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	allocated := ^uint64(0)
	m := map[any]any{1: "a", "b": []int{1}, 2.5: struct{ A, B string }{"x", "y"}}
	SetMapReader(func(_ reflect.Value, f func()) bool {
		var stats [2]runtime.MemStats
		runtime.ReadMemStats(&stats[0])
		f()
		runtime.ReadMemStats(&stats[1])
		allocated = stats[1].Mallocs - stats[0].Mallocs
		return true
	})
	Short(m, 80)
	if allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}

func TestFaultIsNoCrash(t *testing.T) {
	if got := guarded(func() { panic(errors.New("bad address")) }); got != "[it cannot be shown: bad address]" {
		t.Errorf("%q", got)
	}
}

func BenchmarkText(b *testing.B) {
	type row struct {
		Name  string
		Value float64
		Tags  []string
	}
	rows := make([]row, 10_000)
	for i := range rows {
		rows[i] = row{fmt.Sprint("row ", i), float64(i) / 3, []string{"a", "b"}}
	}
	shown := map[string]any{"million": make([]int, 1_000_000), "rows": rows}
	for _, name := range []string{"ints", "table_long", "ring", "deep", "tree", "map_long"} {
		shown[name] = examples()[name]
	}
	for name, v := range shown {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				var r Rendering
				r.Text(v)
				r.HTML(v)
			}
		})
	}
}

func TestVariables(t *testing.T) {
	x, xs, m, s := 3, make([]float64, 100_000), map[string]int{"a": 1}, struct{ A, B int }{1, 2}
	var nilPointer *person
	got := Variables(Variable{"x", "int", &x}, Variable{"xs", "[]float64", &xs}, Variable{"m", "map[string]int", &m}, Variable{"s", "struct", &s}, Variable{"p", "*person", &nilPointer})
	want := `name  type            size                         value
x     int             8 B                          3
xs    []float64       100,000 elements, 781.2 KiB  [0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 …
m     map[string]int  1 entry, 24 B                map["a":1]
s     struct          16 B                         {A:1 B:2}
p     *person         8 B                          nil
5 variables`
	if got.String() != want || !strings.Contains(got.HTML(), "<td") {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// A counted counts the calls of its method.
type counted struct{ n int }

var calls int

func (c counted) String() string { calls++; return fmt.Sprint("counted ", c.n) }

// TestMethodsAreCalledOnce shows values whose text and HTML forms both contain the text of methods.
func TestMethodsAreCalledOnce(t *testing.T) {
	type pair struct{ A, B any }
	c := counted{7}
	many := make([]pair, 9)
	for i := range many {
		many[i] = pair{counted{i}, strings.Repeat("long ", 9)}
	}
	for _, test := range []struct {
		v    any
		want int
	}{
		{c, 1},
		{&c, 1},
		{[]counted{{1}, {2}}, 2},
		{[]any{counted{1}, &c}, 2},
		{map[string]counted{"a": {1}, "b": {2}}, 2},
		{map[counted]int{{1}: 1, {2}: 2}, 2},
		{pair{c, &counted{2}}, 2},
		{struct {
			L []string
			C counted
			f func()
		}{[]string{strings.Repeat("long ", 30), "x"}, c, nil}, 1},
		{many, 9},
		{map[string][]pair{"many": many}, 2}, // the other entries are omitted
	} {
		var r Rendering
		calls = 0
		text := r.Text(test.v)
		html, _ := r.HTML(test.v)
		if calls != test.want || !strings.Contains(text, "counted ") {
			t.Errorf("%T: %d calls, want %d, in\n%s\n%s", test.v, calls, test.want, text, html)
		}
	}
}
