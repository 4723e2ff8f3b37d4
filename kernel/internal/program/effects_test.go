package program

import (
	"context"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/program/effects"
)

// effectsOf builds cells and describes the effects of the last one.
func effectsOf(t *testing.T, cells ...string) string {
	t.Helper()
	p := newProgram(t)
	var e effects.Effects
	for i, src := range cells {
		u, err := buildText(context.Background(), p, i+1, src)
		if err != nil {
			t.Fatalf("%s\n%v", src, err)
		}
		p.Commit(u)
		e = u.Effects
	}
	var parts []string
	add := func(what string, list []string) {
		if len(list) > 0 {
			parts = append(parts, what+" "+strings.Join(list, " "))
		}
	}
	add("declares", e.Declares)
	add("defines", e.Defines)
	add("assigns", e.Assigns)
	add("writes", e.Writes)
	add("reads", e.Reads)
	for _, l := range e.Sharing {
		add("links", l)
	}
	add("addressed", e.Addressed)
	if e.Process {
		parts = append(parts, "process")
	}
	return strings.Join(parts, "; ")
}

func TestEffects(t *testing.T) {
	first := `type T struct{ N int; L []int }
func (t *T) Inc() { t.N++ }
func (t *T) Get() int { return t.N }
func (t T) Sum() (s int) { for _, x := range t.L { s += x }; return }
func bump() { n++ }
func twice() { bump(); bump() }
func fill(l []int, v int) { for i := range l { l[i] = v } }
func total(l []int) (s int) { for _, x := range l { s += x }; return }
func last(l []*T) *T { return l[len(l)-1] }
type Incer interface{ Inc() }
func each(l []*T, f func(*T)) { for _, x := range l { f(x) } }
var n int
var x, y []int
var m map[string]int
var t T
var p *T
var ps []*T
var ch chan int
var i Incer
var f func()
var sb strings.Builder
var mu sync.Mutex`
	tests := []struct{ code, want string }{
		{"a := 1", "declares a"},
		{"n = 5", "assigns n"},
		{"n = n + 1", "writes n; reads n"},
		{"n++", "writes n; reads n"},
		{"n", "reads n"},
		{"if n > 1 { fmt.Println(n, x, m[\"a\"], t.Sum(), p.Get(), len(x)) }", "reads T T.Get T.Inc T.Sum m n p t x; addressed p"},
		{"m[\"a\"] = 1", "writes m; reads m"},
		{"delete(m, \"a\")", "writes m; reads m"},
		{"q := &t; q.N = 3", "declares q; writes t; reads T T.Get T.Inc T.Sum t; links q t; addressed t"},
		{"t.Inc()", "writes t; reads T T.Get T.Inc T.Sum t; addressed t"},
		{"for _, q := range ps { fmt.Println(q.N) }", "reads T T.Get T.Inc T.Sum ps"},
		{"for _, q := range ps { q.N = 1 }", "writes ps; reads T T.Get T.Inc T.Sum ps"},
		{"twice()", "writes n; reads bump n twice"},
		{"fill(x, 1)", "writes x; reads fill x"},
		{"z := total(x)", "declares z; reads total x"},
		{"last(ps).N = 4", "writes ps; reads T T.Get T.Inc T.Sum last ps"},
		{"each(ps, func(q *T) { q.N++ })", "writes ps; reads T T.Get T.Inc T.Sum each ps"},
		{"each(ps, (*T).Inc)", "writes ps; reads T T.Get T.Inc T.Sum each ps"},
		{"sort.Ints(x)", "writes x; reads x"},
		{"slices.Contains(x, 3)", "reads x"},
		{"s := slices.Sorted(slices.Values(x))", "declares s; reads x; links s x"},
		{"ch <- 1", "writes ch; reads ch"},
		{"go func() { for v := range ch { n += v } }()", "writes ch n; reads ch n; links ch n; addressed ch n"},
		{"i.Inc()", "writes i; reads Incer i"},
		{"f()", "writes f; reads f"},
		{"g := func() { n++ }", "declares g; writes n; reads n; links g n; addressed n"},
		{"json.Unmarshal([]byte(\"3\"), &n)", "writes n; reads n; addressed n"},
		{"fmt.Fprint(&sb, n)", "writes sb; reads n sb; addressed sb"},
		{"mu.Lock(); fmt.Println(m); mu.Unlock()", "reads m mu"},
		{"x = append(x, 1)", "writes x; reads x"},
		{"k := append(y[:1], x...)", "declares k; writes y; reads x y; links k x y"},
		{"func show() { fmt.Println(n) }", "defines show; reads n"},
		{"x := 3", "declares x"},
		{"http.HandleFunc(\"/\", func(w http.ResponseWriter, r *http.Request) {})", "process"},
		{"exec.Command(\"true\").Run()", ""},
	}
	for _, test := range tests {
		t.Run(test.code, func(t *testing.T) {
			t.Parallel()
			if got := effectsOf(t, first, test.code); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestEffectsRedefined: the effects of a caller are those of the newest definition of the function that it calls.
func TestEffectsRedefined(t *testing.T) {
	got := effectsOf(t, "var a, b int\nfunc step() { a++ }\nfunc run() { step() }", "func step() { b++ }", "run()")
	if want := "writes b; reads b run step"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// initialOf describes the initial values that the variables of the last cell have in children.
func initialOf(t *testing.T, cells ...string) string {
	t.Helper()
	p := newProgram(t)
	var in Initial
	for i, src := range cells {
		u, err := buildText(context.Background(), p, i+1, src)
		if err != nil {
			t.Fatalf("%s\n%v", src, err)
		}
		p.Commit(u)
		in = u.Initial
	}
	short := func(list []string) string { return strings.ReplaceAll(strings.Join(list, " "), "main.", "") }
	return short(in.Known) + "; " + short(in.Unknown) + "; " + short(in.Altered)
}

func TestInitial(t *testing.T) {
	first := `type T struct{ N int; L []int }
func (t *T) Inc() { t.N++ }
func (t T) Get() int { return t.N }
func pure(n int) (l []int) { for i := range n { l = append(l, square(i)) }; return l }
func square(n int) int { return n * n }
func impure(n int) int { fmt.Println(n); return n }
func through(n int) int { return impure(n) }
func counts() int { n++; return n }
func reads() int { return n }
func waits(c chan int) int { return <-c }
func starts() int { go square(1); return 1 }
func calls(f func(int) int) int { return f(1) }
var n, fixed int
var list = []int{1, 2}
var handler = func() { fmt.Println() }
var re = regexp.MustCompile("a")`
	tests := []struct{ code, want string }{
		{"a := 1", "a; ; n"},
		{"var a, b = 1, pure(3)", "a b; ; n"},
		{"a := fixed + 1", "a; ; n"},
		{"n = 3", "; ; n"},
		{"n = 3; a := n", "; a; n"},
		{"var a = fixed\nfunc init() { fixed = 1 }", "a; ; fixed n"},
		{"a := impure(1)", "; a; n"},
		{"a := through(1)", "; a; n"},
		{"a := counts()", "; a; n"},
		{"a := reads()", "a; ; n"},
		{"n = 2; a := reads()", "; a; n"},
		{"a := waits(nil)", "; a; n"},
		{"a := starts()", "; a; n"},
		{"a := calls(square)", "a; ; n"},
		{"a := calls(impure)", "; a; n"},
		{"a := calls(func(n int) int { return pure(n)[0] })", "a; ; n"},
		{"a := calls(func(n int) int { return os.Getpid() })", "; a; n"},
		{"a := []func(){handler, func() { os.Exit(1) }}", "a; ; n"},
		{"a := T{1, list}.Get()", "a; ; n"},
		{"t := &T{}; t.Inc()", "t; ; n t"},
		{"a, err := strconv.Atoi(\"3\")", "a err; ; n"},
		{"a, err := os.Open(\"x\")", "; a err; n"},
		{"a := re.FindString(\"abc\")", "a; ; n"},
		{"a := regexp.MustCompile(\"b\").ReplaceAllStringFunc(\"b\", strings.ToUpper)", "a; ; n"},
		{"a := slices.SortedFunc(slices.Values(list), func(x, y int) int { return y - x })", "a; ; n"},
		{"a := time.Now()", "; a; n"},
		{"a := make(chan int); a <- 1", "a; ; a n"},
		{"a := errors.Join(io.EOF, fmt.Errorf(\"w %w\", io.EOF))", "a; ; n"},
		{"a := template.Must(template.New(\"t\").Parse(\"{{.}}\"))", "a; ; n"},
		{"a := ctx", "; a; n"},
		{"a := math.Sqrt(2) * float64(len(list)); b := a + 1; c := rand.IntN(3); d := c + 1", "a b; c d; n"},
		{"list[0] = 1; a := list[1]", "; a; list n"},
		{"l := list; l[0] = 1", "; l; l list n"},
		{"l := list; l[0] = 1; a := list[1]", "; a l; l list n"},
		{"var x = y + 1; var y = square(2)", "x y; ; n"},
		{"var x = y + 1; var y = impure(2)", "; x y; n"},
		{"var a error = &fs.PathError{}; errors.Is(a, io.EOF)", "a; ; n"},
		{"var m sync.Mutex", "m; ; n"},
		{"for i := range 3 { n += i }", "; ; n"},
	}
	for _, test := range tests {
		t.Run(test.code, func(t *testing.T) {
			t.Parallel()
			if got := initialOf(t, first, test.code); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
