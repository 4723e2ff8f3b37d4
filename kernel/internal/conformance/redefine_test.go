package conformance

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

var (
	notebooks     = flag.Uint64("redefine.notebooks", 2, "how many notebooks to redefine things in at random")
	redefinitions = flag.Int("redefine.steps", 30, "how many times in each")
)

// declarations are the declarations to redefine. # stands for the version. The declarations
// in layouts change the types of variables.
var declarations = map[string]string{
	"c":  "const c = #",
	"f":  `func f() string { return fmt.Sprintf("f#c%d", c) }`,
	"T":  "type T struct { pad [# % 3]string; n int; arr [c%4]int8 }",
	"M":  `func (t T) M() string { return fmt.Sprintf("M#,%d", t.n) }`,
	"P":  `func (t *T) P() string { return fmt.Sprintf("P#,%d,%s", t.n, f()) }`,
	"E":  "type E struct { x [# % 4]int16; T }",
	"F":  `func F[X any](x X) string { l := func() string { return fmt.Sprintf("F#,%v", x) }; return l() }`,
	"G":  "type G[X any] struct { pad [# % 3]int32; X X }",
	"GM": `func (g G[X]) M() string { return fmt.Sprintf("G#,%v", g.X) }`,
	"I0": "type I interface { M() string }",
	"I1": "type I interface { M() string; P() string }",
}

var layouts = []string{"c", "T", "E", "G", "I"}

// users is a cell that is compiled once and must use the current versions.
const users = `
type anM interface { M() string }
func use() string { t := T{n: 1}; e := E{T: T{n: 2}}; return f() + t.M() + t.P() + e.M() + F(3) + G[int]{X: 4}.M() + version(G[T]{X: T{n: 5}}) }
func version(m anM) string { s, _, _ := strings.Cut(m.M(), ","); return s }
func literal() func() string { return func() string { return f() + T{n: 1}.M() + (&T{n: 1}).P() } }
var kept []anM
`

// holders is a cell that makes values that refer to code. It runs again when a layout changed.
const holders = `
t := T{n: 7}
e := E{T: t}
m1, m2, m3 := t.M, T.M, e.M
p1, p2 := (&t).P, (*T).P
f1, g1, g2 := f, F[int], F[E]
i1, i2, i3, i4 := anM(t), anM(&t), anM(e), anM(&e)
i5, i6 := anM(G[int]{X: 7}), anM(G[T]{X: t})
i7 := I(&t)
m7, m8 := i7.M, I.M
gm1, gm2 := G[string]{X: "7"}.M, G[T].M
lit, lit2 := literal(), func() string { return f() + t.M() }
kept = append(kept[max(0, len(kept)-20):], t, e, &e)
`

const checkHolders = `
fmt.Println(m1(), m2(t), m3(), i1.M(), i2.M(), i3.M(), i4.M(), t.M(), e.M(), i7.M(), m7(), m8(&t))
fmt.Println(p1(), p2(&t), t.P(), e.P())
fmt.Println(f(), f1(), lit(), lit2(), use())
fmt.Println(F(7), g1(7), F("7"), F(t.n), g2(e) == F(e))
fmt.Println(i5.M(), i6.M() == G[T]{X: t}.M(), version(i6), gm1(), gm2(G[T]{X: t}) == i6.M())
fmt.Println(len(t.arr), len(t.pad), len(e.x), len(G[T]{}.pad))
for _, k := range kept { if s := k.M(); !strings.HasPrefix(s, "M") || !strings.HasSuffix(s, ",7") { panic(s) } }
`

// expected returns the output of checkHolders for these versions.
func expected(v map[string]int) string {
	f := fmt.Sprintf("f%dc%d", v["f"], v["c"])
	M := func(n int) string { return fmt.Sprintf("M%d,%d", v["M"], n) }
	P := func(n int) string { return fmt.Sprintf("P%d,%d,%s", v["P"], n, f) }
	F, G := fmt.Sprintf("F%d", v["F"]), fmt.Sprintf("G%d", v["GM"])
	var b strings.Builder
	fmt.Fprintln(&b, strings.TrimSpace(strings.Repeat(M(7)+" ", 12)))
	fmt.Fprintln(&b, P(7), P(7), P(7), P(7))
	fmt.Fprintln(&b, f, f, f+M(1)+P(1), f+M(7), f+M(1)+P(1)+M(2)+F+",3"+G+",4"+G)
	fmt.Fprintln(&b, F+",7", F+",7", F+",7", F+",7", true)
	fmt.Fprintln(&b, G+",7", true, G, G+",7", true)
	fmt.Fprintln(&b, v["c"]%4, v["T"]%3, v["E"]%4, v["G"]%3)
	return b.String()
}

// TestRandomRedefinitions redefines some declarations at a time, in random order, and after
// each step checks all values that refer to code.
func TestRandomRedefinitions(t *testing.T) {
	for seed := range *notebooks {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { redefineAtRandom(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func redefineAtRandom(t *testing.T, r *rand.Rand) {
	s := newSession(t, nil)
	version := map[string]int{}
	source := func(name string) string {
		if name == "I" {
			return declarations[fmt.Sprint("I", version[name]%2)]
		}
		return strings.ReplaceAll(declarations[name], "#", fmt.Sprint(version[name]))
	}
	names := []string{"I"}
	for name := range maps.Keys(declarations) {
		if name[0] != 'I' {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var all []string
	for _, name := range names {
		version[name] = 1
		all = append(all, source(name))
	}
	mustRun(t, s, strings.Join(all, "\n")+users)
	mustRun(t, s, holders)
	history := ""
	for range *redefinitions {
		var cell []string
		moved := false
		r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names[:1+r.IntN(3)] {
			version[name]++
			cell = append(cell, source(name))
			moved = moved || slices.Contains(layouts, name)
		}
		code := strings.Join(cell, "\n")
		history += "-- cell --\n" + code + "\n"
		mustRun(t, s, code)
		if moved || r.IntN(4) == 0 {
			history += "-- holders --\n"
			mustRun(t, s, holders)
		}
		if got, want := mustRun(t, s, checkHolders), expected(version); got != want {
			t.Fatalf("after\n%s\ngot\n%s\nwant\n%s", history, got, want)
		}
	}
}
