package conformance

import (
	"flag"
	"fmt"
	"go/types"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var (
	graphs     = flag.Uint64("typegraphs", 20, "how many random graphs of types to change methods in")
	firstGraph = flag.Uint64("typegraphs.first", 0, "the first one")
)

// A graphRun is one graph with its notebook.
type graphRun struct {
	seed   uint64
	cells  []string
	check  string // the cell that prints the final state
	got    string // the output of check
	native string // declarations of the compiled program, which runs check
}

// TestTypeGraphs changes methods of types that embed one another, cell by cell. It compares
// the behaviour of old and new values at the end with that in a program compiled from the
// final declarations.
func TestTypeGraphs(t *testing.T) {
	var runs []*graphRun
	for seed := *firstGraph; seed < *firstGraph+*graphs; seed++ {
		run := newGraphRun(t, seed)
		if err := run.execute(t); err != nil {
			t.Errorf("%v\n%v", run, err)
			continue
		}
		runs = append(runs, run)
	}
	want := compiledGraphs(t, runs)
	for i, run := range runs {
		if run.got != want[i] {
			t.Errorf("%v\n-- check --\n%s", run, differing(run.got, want[i]))
		}
	}
}

func (run *graphRun) String() string {
	return fmt.Sprintf("seed %d\n%s", run.seed, strings.Join(run.cells, "\n-- cell --\n"))
}

// execute runs the cells of a graph and keeps the output of the check.
func (run *graphRun) execute(t *testing.T) error {
	s := newSession(t, nil)
	defer s.Close()
	for _, c := range run.cells {
		if err := executeCell(t, s, c, &recorder{}); err != nil {
			return fmt.Errorf("-- this cell fails --\n%s\n%w", c, err)
		}
	}
	var out recorder
	err := executeCell(t, s, run.check, &out)
	run.got = out.text()
	return err
}

// compiledGraphs runs all checks in one compiled program.
func compiledGraphs(t *testing.T, runs []*graphRun) []string {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module graphs\n\ngo 1.26\n")
	imports, calls := "", ""
	const mark = "==== next\n"
	for _, run := range runs {
		name := fmt.Sprint("g", run.seed)
		write(name+"/g.go", "package "+name+"\n\nimport (\"fmt\"; \"reflect\")\n"+graphHelpers+graphProbe+run.native+"\nfunc Check() {\n"+run.check+"\n}\n")
		imports += fmt.Sprintf("import %q\n", "graphs/"+name)
		calls += name + ".Check()\nfmt.Print(\"" + strings.TrimSpace(mark) + "\\n\")\n"
	}
	write("main.go", "package main\n\nimport \"fmt\"\n"+imports+"func main() {\n"+calls+"}\n")
	cmd := exec.CommandContext(t.Context(), "go", "run", ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the compiled program: %v\n%s", err, out)
	}
	return strings.Split(string(out), mark)
}

// newGraphRun makes a notebook of a random graph.
func newGraphRun(t *testing.T, seed uint64) *graphRun {
	r := rand.New(rand.NewPCG(seed, 7))
	g := newTypeGraph(r)
	before := mustCheck(t, g)
	run := &graphRun{seed: seed}
	run.cells = append(run.cells, "import (\"fmt\"; \"reflect\")\n"+graphHelpers+graphProbe, g.source())
	h := &graphHolders{pkg: before}
	for _, typ := range g.types {
		h.add(typ)
	}
	run.cells = append(run.cells, h.cell.String())
	probes := h.probes.String()
	for range 1 + r.IntN(7) {
		run.cells = append(run.cells, g.change())
		if r.IntN(4) == 0 {
			run.cells = append(run.cells, probes)
		}
	}
	h.pkg = mustCheck(t, g)
	run.native = g.source()
	h.finish(run, probes)
	return run
}

func mustCheck(t *testing.T, g *typeGraph) *types.Package {
	t.Helper()
	pkg, err := g.check()
	if err != nil {
		t.Fatalf("%v in\n%s", err, g.source())
	}
	return pkg
}

// graphHolders has variables that hold values and method values of a graph's types.
type graphHolders struct {
	pkg    *types.Package
	types  []graphType
	held   []held
	cell   strings.Builder // a cell that declares the variables
	probes strings.Builder // statements that probe the variables with values
}

// A held is a variable that holds a method, or a value in an interface.
type held struct {
	name      string
	typ       graphType
	inter     string // the interface; empty for a method
	method    string
	signature string
	expr      bool   // a method expression
	user      bool   // a function that calls the method
	path      string // for a method value: the fields up to the receiver, such as ".T1.T0"
	declared  types.Type
	pointer   bool // its method has a pointer receiver
}

func (h *graphHolders) add(t graphType) {
	h.types = append(h.types, t)
	fmt.Fprintf(&h.cell, "v%s := mk%[1]s()\nvar old%[1]s, oldp%[1]s any = mk%[1]s(), ptr(mk%[1]s())\n", t.name)
	fmt.Fprintf(&h.cell, "var oldu%s, oldup%[1]s any = struct { %s; u int }{mk%[1]s(), 1}, &struct { %[2]s; up int }{mk%[1]s(), 1}\n", t.name, t.use)
	for _, v := range []string{"old", "oldp", "oldu", "oldup"} {
		fmt.Fprintf(&h.probes, "probe(%q, %s)\n", v+t.name, v+t.name)
	}
	typ := h.typeOf(t)
	for _, inter := range graphInterfaceNames {
		m := graphInterfaces[inter]
		for _, pointer := range []bool{false, true} {
			x := held{name: fmt.Sprintf("i%s%s%v", t.name, inter, pointer), typ: t, inter: inter, method: m[0], signature: m[1], pointer: pointer}
			if h.implements(x) {
				fmt.Fprintf(&h.cell, "var %s %s = %s\n", x.name, inter, x.value())
				h.held = append(h.held, x)
			}
		}
	}
	for _, name := range graphMethodNames {
		fn, index := h.find(typ, name)
		if fn == nil {
			continue
		}
		x := held{typ: t, method: name, signature: signatureOf(fn), path: path(typ, index)}
		recv := fn.Signature().Recv().Type()
		_, x.pointer = recv.(*types.Pointer)
		x.declared = recv
		x.name = "f" + t.name + name
		fmt.Fprintf(&h.cell, "%s := v%s.%s\n", x.name, t.name, name)
		h.held = append(h.held, x)
		x.name, x.expr = "e"+t.name+name, true
		fmt.Fprintf(&h.cell, "%s := (*%s).%s\n", x.name, t.use, name)
		h.held = append(h.held, x)
		x.name, x.expr, x.user = "use"+t.name+name, false, true
		fmt.Fprintf(&h.cell, "%s\n", x.function())
		h.held = append(h.held, x)
	}
}

func (x held) value() string {
	if x.pointer {
		return "&v" + x.typ.name
	}
	return "mk" + x.typ.name + "()"
}

func (x held) function() string {
	return fmt.Sprintf("func %s() string { v := mk%s(); return v.%s%s }", x.name, x.typ.name, x.method, x.arguments())
}

func (x held) arguments() string {
	if x.signature == "(int) string" {
		return "(1)"
	}
	return "()"
}

func (h *graphHolders) typeOf(t graphType) types.Type {
	return h.pkg.Scope().Lookup("mk" + t.name).Type().(*types.Signature).Results().At(0).Type()
}

// find returns the method that v.name calls for a v of type t, and the path of field indices to it.
func (h *graphHolders) find(t types.Type, name string) (*types.Func, []int) {
	obj, index, _ := types.LookupFieldOrMethod(t, true, h.pkg, name)
	fn, _ := obj.(*types.Func)
	return fn, index
}

func (h *graphHolders) implements(x held) bool {
	t := h.typeOf(x.typ)
	if x.pointer {
		t = types.NewPointer(t)
	}
	return types.Implements(t, h.pkg.Scope().Lookup(x.inter).Type().Underlying().(*types.Interface))
}

func signatureOf(fn *types.Func) string {
	if fn.Signature().Params().Len() == 1 {
		return "(int) string"
	}
	return "() string"
}

// path returns the names of the fields on the way to a method, such as ".T1.T0".
func path(t types.Type, index []int) string {
	s := ""
	for _, i := range index[:len(index)-1] {
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
		f := t.Underlying().(*types.Struct).Field(i)
		s += "." + f.Name()
		t = f.Type()
	}
	return s
}

// finish generates the check, which uses all variables that are still meaningful. Variables
// that hold a removed method must still work without a crash.
func (h *graphHolders) finish(run *graphRun, probes string) {
	var check, gone, native strings.Builder
	check.WriteString(probes)
	for _, t := range h.types {
		fmt.Fprintf(&check, "probe(\"new\", mk%s())\nprobe(\"new pointer\", ptr(mk%[1]s()))\n", t.name)
		fmt.Fprintf(&native, "var v%s = mk%[1]s()\nvar old%[1]s, oldp%[1]s any = mk%[1]s(), ptr(mk%[1]s())\n", t.name)
		fmt.Fprintf(&native, "var oldu%s, oldup%[1]s any = struct { %s; u int }{mk%[1]s(), 1}, &struct { %[2]s; up int }{mk%[1]s(), 1}\n", t.name, t.use)
		h.static(&check, t)
	}
	for _, x := range h.held {
		meaning := h.meaning(x)
		call := x.name + x.arguments()
		switch {
		case x.expr:
			call = fmt.Sprintf("%s(%s)", x.name, strings.TrimSuffix("&v"+x.typ.name+", "+strings.Trim(x.arguments(), "()"), ", "))
		case x.user:
			call = x.name + "()"
		case x.inter != "":
			call = x.name + "." + x.method + x.arguments()
		}
		if meaning == "" {
			if !x.user {
				fmt.Fprintf(&gone, "if %s == \"\" { panic(%q) }\n", call, x.name)
			}
			continue
		}
		native.WriteString(meaning + "\n")
		fmt.Fprintf(&check, "fmt.Println(%q, %s)\n", x.name, call)
	}
	run.native += native.String()
	run.check = check.String()
	run.cells = append(run.cells, gone.String())
}

// static adds direct method calls to the check.
func (h *graphHolders) static(check *strings.Builder, t graphType) {
	for _, name := range graphMethodNames {
		if fn, _ := h.find(h.typeOf(t), name); fn != nil {
			x := held{method: name, signature: signatureOf(fn)}
			fmt.Fprintf(check, "fmt.Println(%q, v%s.%s%s)\n", t.name+"."+name, t.name, name, x.arguments())
		}
	}
	for _, inter := range graphInterfaceNames {
		x := held{typ: t, inter: inter, method: graphInterfaces[inter][0], signature: graphInterfaces[inter][1]}
		if h.implements(x) {
			fmt.Fprintf(check, "fmt.Println(%q, %s(mk%s()).%s%s)\n", t.name+" as "+inter, inter, t.name, x.method, x.arguments())
		}
	}
}

// meaning returns the declaration of a variable in the program with the final declarations, or
// "" if the variable's method was removed.
func (h *graphHolders) meaning(x held) string {
	t := h.typeOf(x.typ)
	if x.inter != "" {
		if !h.implements(x) {
			return ""
		}
		return fmt.Sprintf("var %s %s = %s", x.name, x.inter, x.value())
	}
	fn, _ := h.find(t, x.method)
	if x.user || x.expr {
		switch {
		case fn == nil || signatureOf(fn) != x.signature:
			return ""
		case x.user:
			return x.function()
		}
		return fmt.Sprintf("var %s = (*%s).%s", x.name, x.typ.use, x.method)
	}
	// A method value belongs to the type that declares the method.
	for _, name := range strings.Split(strings.TrimPrefix(x.path, "."), ".") {
		if name == "" {
			continue
		}
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
		obj, _, _ := types.LookupFieldOrMethod(t, true, h.pkg, name)
		t = obj.Type()
	}
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	fn, index := h.find(t, x.method)
	if fn == nil || len(index) != 1 || signatureOf(fn) != x.signature {
		return ""
	}
	_, pointer := fn.Signature().Recv().Type().(*types.Pointer)
	named, _ := types.Unalias(t).(*types.Named)
	if pointer && !x.pointer || pointer != x.pointer && named.TypeArgs().Len() > 0 {
		return "" // the receiver was copied, and code with a dictionary is not replaced by other code
	}
	return fmt.Sprintf("var %s = v%s%s.%s", x.name, x.typ.name, x.path, x.method)
}

// differing shows the lines that differ.
func differing(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	out := ""
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			out += fmt.Sprintf("got  %s\nwant %s\n", g[i], w[i])
		}
	}
	if len(g) != len(w) {
		out += fmt.Sprintf("got %d lines, want %d", len(g), len(w))
	}
	return out
}
