package conformance

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// A typeGraph is a set of types that embed one another, with their present methods.
type typeGraph struct {
	r       *rand.Rand
	types   []graphType
	methods map[string]graphMethod // by type and name, as "T1.A"
	version int
}

// A graphType is a type of the graph.
type graphType struct {
	name    string // T1, or G1 for a generic one
	use     string // T1, G1[int]
	decl    string // the type's declaration
	value   string // an expression for a value
	id      string // an expression that identifies the value of a receiver x
	generic bool
}

type graphMethod struct {
	pointer   bool
	signature string
	version   int
}

// graphMethods are the methods that types may have, with their possible signatures.
var graphMethods = map[string][]string{
	"A": {"() string"}, "B": {"() string"}, "String": {"() string"}, "hidden": {"() string"},
	"C": {"() string", "(int) string"},
}

var graphMethodNames = slices.Sorted(maps.Keys(graphMethods))

// graphInterfaces are interfaces with one method each.
var graphInterfaces = map[string][2]string{
	"IA": {"A", "() string"}, "IB": {"B", "() string"}, "Stringer": {"String", "() string"}, "Ih": {"hidden", "() string"},
	"IC0": {"C", "() string"}, "IC1": {"C", "(int) string"},
}

var graphInterfaceNames = slices.Sorted(maps.Keys(graphInterfaces))

// graphHelpers has declarations that are the same in all versions of a graph.
const graphHelpers = `
type IA interface { A() string }
type IB interface { B() string }
type IAB interface { IA; IB }
type IC0 interface { C() string }
type IC1 interface { C(int) string }
type Ih interface { hidden() string }
type Stringer interface { String() string }
type Fixed interface { A() string; B() string }
type fix int
func (f fix) A() string { return "fix.A" }
func (f fix) B() string { return "fix.B" }
func ptr[X any](x X) *X { return &x }
`

// graphProbe declares probe, which prints all information about a value's methods that is available at run time.
const graphProbe = `
func probe(name string, v any) {
	var found []string
	note := func(what string, text string) { found = append(found, what + "=" + text) }
	if x, ok := v.(IA); ok { note("A", x.A()) }
	if x, ok := v.(IB); ok { note("B", x.B()) }
	if x, ok := v.(IC0); ok { note("C0", x.C()) }
	if x, ok := v.(IC1); ok { note("C1", x.C(1)) }
	if x, ok := v.(Ih); ok { note("hidden", x.hidden()) }
	if _, ok := v.(fmt.Stringer); ok { note("fmt", fmt.Sprint(v)) }
	switch x := v.(type) {
	case IAB: note("AB", x.A() + x.B())
	case IA: note("IA", x.A())
	case interface { B() string; C() string }: note("BC", x.B() + x.C())
	}
	t := reflect.TypeOf(v)
	for i := range t.NumMethod() {
		m := t.Method(i)
		args := []reflect.Value{reflect.ValueOf(v)}
		for j := 1; j < m.Type.NumIn(); j++ { args = append(args, reflect.ValueOf(1)) }
		note(m.Name, m.Func.Call(args)[0].String())
		note("value " + m.Name, reflect.ValueOf(v).MethodByName(m.Name).Call(args[1:])[0].String())
	}
	note("implements", fmt.Sprint(t.Implements(reflect.TypeFor[IAB]()), t.Implements(reflect.TypeFor[fmt.Stringer]())))
	fmt.Println(name, found)
}
`

func newTypeGraph(r *rand.Rand) *typeGraph {
	g := &typeGraph{r: r, methods: map[string]graphMethod{}}
	for i := range 4 + r.IntN(5) {
		g.types = append(g.types, g.newType(i))
	}
	for range len(g.types) {
		g.change()
	}
	return g
}

// newType returns a new type, which may embed existing types.
func (g *typeGraph) newType(i int) graphType {
	t := graphType{name: fmt.Sprint("T", i)}
	t.use = t.name
	kind := g.r.IntN(10)
	switch {
	case i == 0 || kind == 0:
		t.decl, t.value, t.id = "int", fmt.Sprintf("%s(%d)", t.name, 100+i), "int(x)"
	case kind == 1:
		t.decl, t.value, t.id = "[]int", fmt.Sprintf("%s{%d}", t.name, 100+i), "x[0]"
	case kind == 2:
		from := g.types[g.r.IntN(len(g.types))]
		t.decl, t.value, t.id = from.use, fmt.Sprintf("%s(mk%s())", t.name, from.name), from.id
	default:
		g.newStruct(&t, i, kind == 3)
	}
	if !t.generic {
		t.decl = "type " + t.name + " " + t.decl
	}
	return t
}

func (g *typeGraph) newStruct(t *graphType, i int, generic bool) {
	t.id = fmt.Sprint("x.n", i)
	if generic {
		t.generic, t.name = true, fmt.Sprint("G", i)
		t.use = t.name + "[int]"
	}
	var fields, values []string
	if g.r.IntN(5) == 0 {
		fields, values = append(fields, "Fixed"), append(values, "Fixed: fix(1)")
	}
	for _, j := range g.r.Perm(len(g.types))[:min(len(g.types), 1+g.r.IntN(3))] {
		e := g.types[j]
		if g.r.IntN(3) == 0 {
			fields, values = append(fields, "*"+e.use), append(values, fmt.Sprintf("%s: ptr(mk%s())", e.name, e.name))
		} else {
			fields, values = append(fields, e.use), append(values, fmt.Sprintf("%s: mk%s()", e.name, e.name))
		}
	}
	fields, values = append(fields, fmt.Sprintf("n%d int", i)), append(values, fmt.Sprintf("n%d: %d", i, 100+i))
	t.decl = "struct { " + strings.Join(fields, "; ") + " }"
	if generic {
		t.decl = fmt.Sprintf("type %s[X any] %s", t.name, t.decl)
	}
	t.value = t.use + "{" + strings.Join(values, ", ") + "}"
}

// change adds, changes or removes a method and returns a cell that does the same.
func (g *typeGraph) change() string {
	t := g.types[g.r.IntN(len(g.types))]
	name := graphMethodNames[g.r.IntN(len(graphMethodNames))]
	key := t.name + "." + name
	m, exists := g.methods[key]
	if exists && g.r.IntN(3) == 0 {
		delete(g.methods, key)
		return "%rm " + key
	}
	g.version++
	list := graphMethods[name]
	m.version = g.version
	if !exists || g.r.IntN(2) == 0 {
		m.pointer = g.r.IntN(2) == 0
	}
	if !exists || g.r.IntN(2) == 0 {
		m.signature = list[g.r.IntN(len(list))]
	}
	g.methods[key] = m
	return g.method(t, name, m)
}

func (g *typeGraph) method(t graphType, name string, m graphMethod) string {
	recv, id := t.name, t.id
	if t.generic {
		recv += "[X]"
	}
	if m.pointer {
		recv = "*" + recv
		id = strings.NewReplacer("int(x)", "int(*x)", "x[0]", "(*x)[0]").Replace(id)
	}
	return fmt.Sprintf("func (x %s) %s%s { return fmt.Sprint(\"%s.%s#%d \", %s) }", recv, name, m.signature, t.name, name, m.version, id)
}

// source returns the present declarations of the graph.
func (g *typeGraph) source() string {
	var b strings.Builder
	for _, t := range g.types {
		fmt.Fprintf(&b, "%s\nfunc mk%s() %s { return %s }\n", t.decl, t.name, t.use, t.value)
		for _, name := range graphMethodNames {
			if m, ok := g.methods[t.name+"."+name]; ok {
				b.WriteString(g.method(t, name, m) + "\n")
			}
		}
	}
	return b.String()
}

// check type-checks the present declarations.
func (g *typeGraph) check() (*types.Package, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "p.go", "package p\n"+graphHelpers+g.source(), 0)
	if err != nil {
		return nil, err
	}
	conf := types.Config{IgnoreFuncBodies: true}
	return conf.Check("p", fset, []*ast.File{f}, nil)
}
