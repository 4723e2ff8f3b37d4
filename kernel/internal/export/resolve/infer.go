package resolve

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/source"
)

// A Namer returns the text that replaces the name r in a source; t is the meaning of the name. It returns ""
// to leave the name as it is.
type Namer func(r cell.Ref, t Target) string

// rewrite returns a range of a source with other names. resolve gives their meanings, and overrides has texts for some offsets.
func rewrite(src *cell.Source, from, to int, resolve func(cell.Ref) Target, name Namer, overrides map[int]string) string {
	texts := map[int]Edit{}
	for _, r := range src.Refs {
		if r.Off < from || r.Off >= to || r.Key {
			continue
		}
		if text := name(r, resolve(r)); text != "" && text != r.Name {
			texts[r.Off] = Edit{len(r.Name), text}
		}
	}
	for off, text := range overrides {
		n := off
		for n < len(src.Text) && source.IsNameByte(src.Text[n]) {
			n++
		}
		texts[off] = Edit{n - off, text}
	}
	var offs []int
	for off := range texts {
		if off >= from && off < to {
			offs = append(offs, off)
		}
	}
	slices.Sort(offs)
	var out strings.Builder
	at := from
	for _, off := range offs {
		out.WriteString(src.Text[at:off] + texts[off].Text)
		at = off + texts[off].Length
	}
	out.WriteString(src.Text[at:to])
	return out.String()
}

// An Edit replaces a number of bytes at an offset by a text.
type Edit struct {
	Length int
	Text   string
}

// An inference is a file with the declarations of all steps, from which the type checker finds the types of variables.
type inference struct {
	b        *Book
	text     strings.Builder
	imports  map[string]string // path to name
	written  map[declared]bool
	hasFirst bool // the function for results is written
}

// infer finds the types of variables, and declarations that declare an earlier variable again.
func (b *Book) infer() error {
	in := &inference{b: b, imports: map[string]string{}, written: map[declared]bool{}}
	for _, x := range b.All {
		in.declaration(x)
	}
	for _, f := range b.Functions {
		in.signature(f)
	}
	vars := b.Entities(cell.Var)
	var done *Stmt
	for _, e := range vars {
		if e.isResult {
			in.result(e)
		} else if e.Stmt != done {
			in.variables(e.Stmt)
			done = e.Stmt
		}
	}
	head := "package main\n"
	for _, path := range slices.Sorted(maps.Keys(in.imports)) {
		head += fmt.Sprintf("import %s %q\n", in.imports[path], path)
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "infer.go", head+in.text.String(), parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("export: cannot parse generated code; this is a bug in Perijove, not in the notebook; please report it: %w", err)
	}
	conf := types.Config{Importer: b.Pkgs, Error: func(error) {}}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	pkg, _ := conf.Check("main", fset, []*ast.File{file}, info) // the program is checked later, with errors
	b.Inferred = pkg
	for _, e := range vars {
		if v, ok := pkg.Scope().Lookup(inferredName(e)).(*types.Var); ok {
			e.Typ = v.Type()
		}
		if e.isResult {
			in.countValues(e, file, info)
		}
		if e.Step == 0 {
			continue
		}
		old := b.Tables[e.Step-1][e.Name]
		if old != nil && old.Kind == cell.Var && old.Typ != nil && e.Typ != nil && e.Stmt.Embed == "" && types.Identical(old.Typ, e.Typ) {
			e.Same = old
		}
	}
	b.declaredTypes(pkg)
	return nil
}

// declaredTypes notes which instances of types the variables' types contain.
func (b *Book) declaredTypes(pkg *types.Package) {
	byName := map[string]*Instance{}
	for _, x := range b.All {
		if x.Entity.Kind == cell.Type {
			byName[InstanceName(x, x.Entity.Name)] = x
		}
	}
	for _, e := range b.Entities(cell.Var) {
		for _, name := range notebookTypes(e.Typ, pkg) {
			if x := byName[name]; x != nil {
				e.types = append(e.types, x)
			}
		}
	}
}

// notebookTypes lists the names of the types in t that a package declares.
func notebookTypes(t types.Type, pkg *types.Package) []string {
	var list []string
	if t != nil {
		text := types.TypeString(t, func(p *types.Package) string {
			if p == pkg {
				return "ʹ"
			}
			return p.Path()
		})
		for _, part := range strings.Split(text, "ʹ.")[1:] {
			n := 0
			for n < len(part) && source.IsNameByte(part[n]) {
				n++
			}
			list = append(list, part[:n])
		}
	}
	return list
}

// inferredName returns the name of a variable in an inference.
func inferredName(e *Entity) string { return fmt.Sprintf("%sʹ%d", e.GoBase(), e.id) }

// InstanceName returns the name of an instance in the source that is checked to infer types.
func InstanceName(x *Instance, name string) string {
	return fmt.Sprintf("%sʹ%d_%d", name, x.Entity.id, x.Step)
}

// name returns the Namer of an inference for a step.
func (in *inference) name(k int) Namer {
	return func(r cell.Ref, t Target) string {
		switch e := t.Entity; {
		case t.Text != "":
			return t.Text
		case t.Path != "":
			if in.imports[t.Path] == "" {
				in.imports[t.Path] = fmt.Sprintf("pkgʹ%d", len(in.imports))
			}
			return in.imports[t.Path] + t.Selector(r)
		case t.Ctx:
			return in.name(k)(r, Target{Path: "context"}) + ".Background()"
		case e == nil:
			return ""
		case e.Kind == cell.Var:
			return inferredName(e)
		case e.Kind == cell.Func:
			return functionName(in.b.GroupAt(e, k))
		default:
			return InstanceName(in.b.InstanceAt(e, k), r.Name)
		}
	}
}

func functionName(f *Function) string { return fmt.Sprintf("%sʹ%d_%d", f.Name, f.First.id, f.step) }

func (in *inference) at(k int) func(cell.Ref) Target {
	return func(r cell.Ref) Target { return in.b.Lookup(k, r) }
}

// declaration writes an instance of a type or constant.
func (in *inference) declaration(x *Instance) {
	d := x.Entity.Decl
	over := map[int]string{}
	for _, n := range d.Names {
		if n.Name != "_" {
			over[n.Off] = InstanceName(x, n.Name)
		}
	}
	if at := (declared{d, x.Step}); in.written[at] {
		return // another name of a group of constants
	} else {
		in.written[at] = true
	}
	text := rewrite(&d.Source, 0, len(d.Text), in.at(x.Step), in.name(x.Step), over)
	in.text.WriteString(d.Keyword + " " + text + "\n")
}

// A declared is a declaration with one of its meanings.
type declared struct {
	decl *cell.Decl
	step int
}

// signature writes a function without its body.
func (in *inference) signature(f *Function) {
	d := f.First.Decl
	if d.Body < 0 || d.Names[0].Name == "_" || d.Names[0].Name == "init" {
		return
	}
	over := map[int]string{}
	if d.Recv == "" {
		over[d.Names[0].Off] = functionName(f)
	}
	in.text.WriteString(rewrite(&d.Source, d.FuncEnd, d.Body, in.at(f.step), in.name(f.step), over) + "{ panic(0) }\n")
}

// variables writes a statement that declares variables as a declaration.
func (in *inference) variables(st *Stmt) {
	var names []string
	for i, n := range st.Names {
		e := in.b.Tables[st.Step.Index][n.Name]
		if n.Name == "_" || !st.New[i] || e == nil {
			names = append(names, "_")
			continue
		}
		names = append(names, inferredName(e))
	}
	resolve := func(r cell.Ref) Target { return in.b.LookupIn(st, r) }
	part := func(from, to int) string {
		return rewrite(&st.Source, from, to, resolve, in.name(st.Step.Index), nil)
	}
	text := "var " + strings.Join(names, ", ")
	if st.Var != nil {
		in.text.WriteString(text + " " + part(st.Var.NamesEnd, len(st.Text)) + "\n")
		return
	}
	values := st.Values
	in.text.WriteString(text + " = " + part(values[0].Start, values[len(values)-1].End) + "\n")
}
