package translate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/prose"
	"github.com/perijove/perijove/kernel/internal/export/resolve"
)

// write writes the files of the program: main.go, and main_test.go if the notebook has tests.
func (b *translation) write() (main, test *file) {
	b.again = false
	b.nameAll()
	main = &file{b: b, name: "main.go", imports: map[string]map[string]bool{}}
	test = &file{b: b, name: "main_test.go", imports: map[string]map[string]bool{}}
	for p, names := range b.packages {
		if names["_"] {
			main.imports[p] = map[string]bool{"_": true}
		}
	}
	decls := b.declarations()
	main.globals()
	main.mainFunction()
	for k := range b.Steps {
		for _, in := range decls[k] {
			if b.isTest(in) {
				test.declare(in)
			} else {
				main.declare(in)
			}
		}
		if s := b.sectionOf[k]; s != nil && s.steps[0].Index == k && !b.inMain(s) {
			main.sectionFunction(s)
		}
	}
	if test.text.Len() > 0 && b.UsesProcesses() {
		test.printf("func TestMain(m *%s.M) {\n%s.Init()\nm.Run()\n}\n", test.pkg("testing"), test.pkg(resolve.LibraryModule+"/lib/mp"))
	}
	return main, test
}

// inMain reports whether the statements of a section are in main itself.
func (b *translation) inMain(s *section) bool {
	return len(b.sections) == 1 && !s.hasRaises()
}

// declarations lists the instances that are written, by the step of their declaration.
func (b *translation) declarations() map[int][]*resolve.Instance {
	out := map[int][]*resolve.Instance{}
	for _, x := range b.All {
		if x.Used {
			out[x.Entity.Step] = append(out[x.Entity.Step], x)
		}
	}
	for _, list := range out {
		slices.SortStableFunc(list, func(a, b *resolve.Instance) int {
			x, y := a.Entity.Decl.Pos, b.Entity.Decl.Pos
			return cmp.Or(x.Line-y.Line, x.Col-y.Col, a.Step-b.Step)
		})
	}
	return out
}

// isTest reports whether an instance is a function for go test that no other code calls.
func (b *translation) isTest(in *resolve.Instance) bool {
	d := in.Entity.Decl
	if d.Kind != cell.Func || d.Recv != "" || in.Function.Dispatch {
		return false
	}
	name := d.Names[0].Name
	for _, prefix := range []string{"Test", "Benchmark", "Fuzz", "Example"} {
		rest, ok := strings.CutPrefix(name, prefix)
		if ok && (rest == "" || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz", rune(rest[0]))) {
			if prefix == "Example" {
				return d.Nullary && !b.isCalled(in)
			}
			return strings.Contains(d.Text[:max(d.Body, 0)], "*testing.") && !b.isCalled(in)
		}
	}
	return false
}

func (b *translation) isCalled(in *resolve.Instance) bool {
	for _, s := range b.Steps {
		for _, st := range s.Stmts {
			for _, r := range st.Refs {
				if b.LookupIn(st, r).Entity == in.Entity {
					return true
				}
			}
		}
	}
	return false
}

// globals writes the variables at package level.
func (f *file) globals() {
	b := f.b
	if b.ctxName != "" {
		f.printf("var %s = %s.Background()\n\n", b.ctxName, f.pkg("context"))
	}
	var list []func()
	var embedded []*resolve.Entity
	var done *resolve.Stmt
	for _, e := range b.Entities(cell.Var) {
		if e.Same != nil || !b.isGlobal[e] || !e.Used || e.GoName == "" {
			continue
		}
		st := e.Stmt
		if st.Embed != "" {
			embedded = append(embedded, e)
			continue
		}
		if b.isReady(st) {
			if st != done {
				list = append(list, func() { f.readyVariable(st) })
			}
			done = st
			continue
		}
		list = append(list, func() { f.printf("%s %s\n", e.GoName, f.typeText(e)) })
	}
	for _, fn := range b.Functions {
		if fn.Dispatch {
			list = append(list, func() { f.printf("%s = 1 // selects the body of %s\n", fn.Version, fn.GoName) })
		}
	}
	list = append(list, f.changingVariables()...)
	for _, e := range embedded {
		f.embeddedVariable(e)
	}
	switch len(list) {
	case 0:
		return
	case 1:
		f.printf("var ")
		list[0]()
	default:
		f.printf("var (\n")
		for _, write := range list {
			write()
		}
		f.printf(")\n")
	}
	f.printf("\n")
}

// readyVariable writes a variable with its initial value.
func (f *file) readyVariable(st *resolve.Stmt) {
	c := f.copyStmt(st)
	f.printf("%s", prose.Above(st.Step.Cell.Src, st.Pos))
	if st.Var != nil {
		c.write(0, len(st.Text), nil)
	} else {
		c.write(0, st.Define, nil)
		f.printf(" = ")
		c.write(st.Define+len(":="), len(st.Text), nil)
	}
	f.printf("%s\n", trailing(st.Step.Cell.Src, st))
}

// declare writes a type, a constant or a function.
func (f *file) declare(in *resolve.Instance) {
	d := in.Entity.Decl
	c := f.copyDecl(in.Entity, in.Step)
	src := f.b.Steps[in.Entity.Step].Cell.Src
	switch d.Kind {
	case cell.Func:
		f.function(in)
		return
	case cell.Const:
		if !f.firstOfGroup(in) {
			return
		}
		over := map[int]string{}
		for _, n := range d.Names {
			over[n.Off] = cmp.Or(f.b.constName(in, n.Name), "_")
		}
		f.printf("%s", prose.Above(src, d.Pos))
		c.write(0, len(d.Text), over)
	default:
		if hasOtherName(in) {
			f.printf("// %s is %s of %s. %%T and %%#v of its values print %[1]s.\n", in.GoName, in.Entity.Name, cell.Name(f.b.Steps[in.Entity.Step].Cell.N))
		}
		f.printf("%s%s ", prose.Above(src, d.Pos), d.Keyword)
		over := map[int]string{}
		if d.Names[0].Name != "_" {
			over[d.Names[0].Off] = in.GoName
		}
		c.write(0, len(d.Text), over)
	}
	f.printf("%s\n\n", prose.After(src, &d.Source))
}

// constName returns the name of a constant of a group in the program, or "" if nothing uses it.
func (b *translation) constName(in *resolve.Instance, name string) string {
	for _, x := range b.All {
		if x.Entity.Decl == in.Entity.Decl && x.Step == in.Step && x.Entity.Name == name && x.Used {
			return x.GoName
		}
	}
	return ""
}

// firstOfGroup reports whether an instance is the first of its group of constants that is used.
func (f *file) firstOfGroup(in *resolve.Instance) bool {
	for _, x := range f.b.All {
		if x.Entity.Decl == in.Entity.Decl && x.Step == in.Step && x.Used {
			return x == in
		}
	}
	return true
}

// function writes one body of a function, and before the first body the function that selects one.
func (f *file) function(in *resolve.Instance) {
	fn, d := in.Function, in.Entity.Decl
	if name := d.Names[0].Name; name == "init" && d.Recv == "" {
		return // its section calls it
	}
	if fn.Dispatch && in == fn.Bodies()[0] {
		f.selector(fn)
	}
	over := map[int]string{}
	name := d.Names[0].Name
	if in.GoName != "" && in.GoName != name {
		over[d.Names[0].Off] = in.GoName
		if strings.HasPrefix(d.Text, "// "+name+" ") {
			over[len("// ")] = in.GoName
		}
	}
	if d.Text[:min(1, len(d.Text))] != "/" {
		f.printf("%s", prose.Above(f.b.Steps[in.Entity.Step].Cell.Src, d.Pos))
	}
	f.copyDecl(in.Entity, in.Step).write(0, len(d.Text), over)
	f.printf("\n\n")
}

// mainFunction writes main.
func (f *file) mainFunction() {
	b := f.b
	f.printf("func main() {\n")
	if b.UsesProcesses() {
		f.printf("%s.Init()\n", f.pkg(resolve.LibraryModule+"/lib/mp"))
	}
	flagged := false
	if b.hasDisplays && b.parameters == nil {
		f.flags()
		flagged = true
	}
	if len(b.sections) == 1 && b.inMain(b.sections[0]) {
		f.sectionBody(b.sections[0])
		f.printf("}\n\n")
		return
	}
	for _, s := range b.sections {
		if !flagged && b.parameters != nil && s.steps[0].Index > b.paramStep {
			f.flags()
			flagged = true
		}
		switch {
		case !f.hasBody(s):
		case s.hasRaises():
			f.printf("try(%s)\n", s.name)
		default:
			f.printf("%s()\n", s.name)
		}
	}
	f.printf("}\n\n")
	if slices.ContainsFunc(b.sections, (*section).hasRaises) {
		f.printf("// try calls a function that may panic.\nfunc try(f func()) {\ndefer func() {\nif r := recover(); r != nil {\n%s.Fprintln(%s.Stderr, \"panic:\", r)\n}\n}()\nf()\n}\n\n", f.pkg("fmt"), f.pkg("os"))
	}
}

// hasBody reports whether a section has statements in the program: a variable that gets its initial value at package
// level leaves none.
func (f *file) hasBody(s *section) bool {
	part := &file{b: f.b, imports: map[string]map[string]bool{}}
	again := f.b.again
	part.sectionBody(s)
	f.b.again = again
	return strings.TrimSpace(part.text.String()) != ""
}

func (f *file) sectionFunction(s *section) {
	if !f.hasBody(s) {
		return
	}
	for line := range strings.Lines(docText(s)) {
		f.printf("// %s\n", strings.TrimRight(line, "\n"))
	}
	f.printf("func %s() {\n", s.name)
	f.sectionBody(s)
	f.printf("}\n\n")
}

// docText returns the comment of a section's function.
func docText(s *section) string {
	text := strings.TrimSpace(s.doc)
	if s.heading != "" {
		text = strings.TrimSpace(s.name + " is the section “" + s.heading + "”.\n\n" + text)
	}
	return prose.Wrap(text, 100)
}

func (f *file) sectionBody(s *section) {
	begin := f.text.Len()
	for _, st := range s.steps {
		if f.text.Len() > begin && !strings.HasSuffix(f.text.String(), "\n\n") {
			f.printf("\n")
		}
		f.versions(st)
		f.stepBody(st)
	}
}

func (f *file) stepBody(s *resolve.Step) {
	onlyVars := !slices.ContainsFunc(s.Stmts, func(st *resolve.Stmt) bool { return st.Var == nil })
	if !onlyVars {
		f.inits(s)
	}
	for _, write := range f.b.before[s] {
		write(f)
	}
	for _, c := range f.b.comments[s] {
		f.printf("// %s\n", strings.ReplaceAll(c, "\n", "\n// "))
	}
	for _, st := range s.Stmts {
		f.statement(st)
	}
	if onlyVars {
		f.inits(s)
	}
	if e := f.b.MainFunction(s); e != nil {
		f.printf("%s()\n", f.namer(s.Index)(cell.Ref{Name: "main"}, resolve.Target{Entity: e}))
	}
}

// inits calls the functions named init of a cell.
func (f *file) inits(s *resolve.Step) {
	for _, d := range s.Inits {
		c := copier{f: f, src: &d.Source, step: s, at: s.Index, resolve: func(r cell.Ref) resolve.Target { return f.b.Lookup(s.Index, r) }}
		f.printf("func() ")
		c.write(d.Body, len(d.Text), nil)
		f.printf("()\n")
	}
}
