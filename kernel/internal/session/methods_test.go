package session

import (
	"fmt"
	"strings"
	"testing"
)

// methodKinds are types without methods, with a value of each and the text that the
// test prints for the value.
var methodKinds = []struct{ typ, value, want string }{
	{"[]int", "V{1, 2}", "[1 2]"},
	{"map[string]int", `V{"a": 1}`, "map[a:1]"},
	{"func() int", "V(func() int { return 7 })", "7"},
	{"chan int", "make(V, 3)", "3"},
	{"[2]int", "V{3, 4}", "[3 4]"},
	{"[2]string", `V{"a", "b"}`, "[a b]"},
	{"[0]int", "V{}", "[]"},
	{"string", `V("text")`, "text"},
	{"int8", "V(-5)", "-5"},
	{"uint64", "V(1 << 63)", "9223372036854775808"},
	{"bool", "V(true)", "true"},
	{"float64", "V(1.5)", "1.5"},
	{"complex128", "V(2i)", "(0+2i)"},
	{"[]any", `V{1, "a", nil}`, "[1 a <nil>]"},
	{"map[any]error", "V{1: io.EOF}", "map[1:EOF]"},
	{"[1]error", "V{io.EOF}", "[EOF]"},
	{"struct{ a int; b *int }", "V{5, nil}", "{5 <nil>}"},
	{"struct{}", "V{}", "{}"},
	{"struct{ error }", "V{io.EOF}", "EOF"},
	{"[]V", "V{V{}}", "[[]]"},
	{"map[int]*V", "V{1: nil}", "map[1:<nil>]"},
	{"func(V, ...V) V", "V(nil)", "true"},
	{"<-chan V", "V(make(chan V, 4))", "4"},
}

// TestFirstMethodKeepsValues declares a first and a second method for types of every
// kind: variables of the type, of pointers to it and of interfaces keep their values.
func TestFirstMethodKeepsValues(t *testing.T) {
	s := newTestSession(t)
	var declare, show []string
	want := ""
	for i, k := range methodKinds {
		for j := range 2 {
			name := fmt.Sprintf("T%d_%d", i, j)
			in := func(text string) string { return strings.ReplaceAll(text, "V", name) }
			declare = append(declare, fmt.Sprintf("type %s %s", name, in(k.typ)),
				fmt.Sprintf("v%s := %s\np%s := &v%[1]s\nvar a%[1]s any = v%[1]s\ns%[1]s := []%[1]s{v%[1]s}", name, in(k.value), name))
			look := func(v string) string {
				switch {
				case k.typ == "func() int":
					return v + "()"
				case strings.HasPrefix(k.typ, "func"):
					return v + " == nil"
				case strings.Contains(k.typ, "chan"):
					return "cap(" + v + ")"
				}
				return v
			}
			show = append(show, fmt.Sprintf("fmt.Println(%s, %s, %s, %s)", look("v"+name), look("(*p"+name+")"), look("a"+name+".("+name+")"), look("s"+name+"[0]")))
			want += strings.TrimSpace(strings.Repeat(k.want+" ", 4)) + "\n"
		}
	}
	shown := func(after string) {
		t.Helper()
		if got := plain(t, s, strings.Join(show, "\n")); got != want {
			t.Fatalf("after %s:\n%s", after, diffLines(got, want))
		}
	}
	plain(t, s, strings.Join(declare, "\n"))
	shown("the declarations")
	for _, cell := range []string{
		"func (V) First() string { return `V` }",
		"func (*V) Second() int { return 2 }",
		"func (V) Zeroth() {}",
	} {
		code := ""
		for i := range methodKinds {
			code += strings.ReplaceAll(cell, "V", fmt.Sprintf("T%d_0", i)) + "\n"
			pointer := strings.Replace(strings.Replace(cell, "(V)", "(*V)", 1), "(**V)", "(V)", 1)
			code += strings.ReplaceAll(pointer, "V", fmt.Sprintf("T%d_1", i)) + "\n"
		}
		if out := plain(t, s, code); out != "" {
			t.Fatalf("%s says %q", cell, out)
		}
		shown(cell)
	}
	calls := `fmt.Println(vT0_0.First(), sT0_0[0].Second(), vT9_1.First(), aT7_0.(interface{ First() string }).First(), any(pT9_1).(interface{ First() string }).First())`
	if got, want := plain(t, s, calls), "T0_0 2 T9_1 T7_0 T9_1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// plain runs a cell and returns its output without the headings of a transcript.
func plain(t *testing.T, s *Session, code string) string {
	t.Helper()
	out := show(t, s, code)
	for _, heading := range []string{"[stdout]\n", "[stderr]\n", "[result text/plain]\n"} {
		out = strings.ReplaceAll(out, heading, "")
	}
	if strings.Contains(out, "[error ") {
		t.Fatalf("%s\n%s", code, out)
	}
	return out
}

// diffLines shows the lines that differ.
func diffLines(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	out := ""
	for i := range max(len(g), len(w)) {
		a, b := "", ""
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			out += fmt.Sprintf("line %d: got %q, want %q\n", i, a, b)
		}
	}
	return out
}
