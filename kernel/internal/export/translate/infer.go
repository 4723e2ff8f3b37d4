package translate

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/source"
)

// A namer returns the text for a name in the source, which means t. It returns "" to leave the name as it is.
type namer func(r cell.Ref, t target) string

// rewrite returns a range of a source with other names. resolve gives their meanings, and overrides has texts for some offsets.
func rewrite(src *cell.Source, from, to int, resolve func(cell.Ref) target, name namer, overrides map[int]string) string {
	texts := map[int]edit{}
	for _, r := range src.Refs {
		if r.Off < from || r.Off >= to || r.Key {
			continue
		}
		if text := name(r, resolve(r)); text != "" && text != r.Name {
			texts[r.Off] = edit{len(r.Name), text}
		}
	}
	for off, text := range overrides {
		n := off
		for n < len(src.Text) && source.IsNameByte(src.Text[n]) {
			n++
		}
		texts[off] = edit{n - off, text}
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
		out.WriteString(src.Text[at:off] + texts[off].text)
		at = off + texts[off].length
	}
	out.WriteString(src.Text[at:to])
	return out.String()
}

type edit struct {
	length int
	text   string
}

// inference is a file with the declarations of all steps, from which the type checker finds the types of variables.
type inference struct {
	b        *book
	text     strings.Builder
	imports  map[string]string // path to name
	written  map[declared]bool
	hasFirst bool // the function for results is written
}

// infer finds the types of variables, and declarations that declare an earlier variable again.
func (b *book) infer() error {
	in := &inference{b: b, imports: map[string]string{}, written: map[declared]bool{}}
	for _, x := range b.all {
		in.declaration(x)
	}
	for _, f := range b.functions {
		in.signature(f)
	}
	vars := b.entities(cell.Var)
	var done *stmt
	for _, e := range vars {
		if e.isResult {
			in.result(e)
		} else if e.stmt != done {
			in.variables(e.stmt)
			done = e.stmt
		}
	}
	head := "package main\n"
	for _, path := range sortedKeys(in.imports) {
		head += fmt.Sprintf("import %s %q\n", in.imports[path], path)
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "infer.go", head+in.text.String(), parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	conf := types.Config{Importer: b.pkgs, Error: func(error) {}}
	pkg, _ := conf.Check("main", fset, []*ast.File{file}, nil) // the program is checked later, with errors
	b.inferred = pkg
	for _, e := range vars {
		if v, ok := pkg.Scope().Lookup(inferredName(e)).(*types.Var); ok {
			e.typ = v.Type()
		}
		if e.step == 0 {
			continue
		}
		old := b.tables[e.step-1][e.name]
		if old != nil && old.kind == cell.Var && old.typ != nil && e.typ != nil && e.stmt.Embed == "" && types.Identical(old.typ, e.typ) {
			e.same = old
		}
	}
	b.declaredTypes(pkg)
	return nil
}

// declaredTypes notes which instances of types the variables' types contain.
func (b *book) declaredTypes(pkg *types.Package) {
	byName := map[string]*instance{}
	for _, x := range b.all {
		if x.entity.kind == cell.Type {
			byName[instanceName(x, x.entity.name)] = x
		}
	}
	for _, e := range b.entities(cell.Var) {
		for _, name := range notebookTypes(e.typ, pkg) {
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
func inferredName(e *entity) string { return fmt.Sprintf("%sʹ%d", e.goBase(), e.id) }

func instanceName(x *instance, name string) string {
	return fmt.Sprintf("%sʹ%d_%d", name, x.entity.id, x.step)
}

// name is the namer of an inference at a step.
func (in *inference) name(k int) namer {
	return func(r cell.Ref, t target) string {
		switch e := t.entity; {
		case t.text != "":
			return t.text
		case t.path != "":
			if in.imports[t.path] == "" {
				in.imports[t.path] = fmt.Sprintf("pkgʹ%d", len(in.imports))
			}
			return in.imports[t.path] + t.selector(r)
		case t.ctx:
			return in.name(k)(r, target{path: "context"}) + ".Background()"
		case e == nil:
			return ""
		case e.kind == cell.Var:
			return inferredName(e)
		case e.kind == cell.Func:
			return functionName(in.b.groupAt(e, k))
		default:
			return instanceName(in.b.instanceAt(e, k), r.Name)
		}
	}
}

func functionName(f *function) string { return fmt.Sprintf("%sʹ%d_%d", f.name, f.first.id, f.step) }

func (in *inference) at(k int) func(cell.Ref) target {
	return func(r cell.Ref) target { return in.b.lookup(k, r) }
}

// declaration writes an instance of a type or constant.
func (in *inference) declaration(x *instance) {
	d := x.entity.decl
	over := map[int]string{}
	for _, n := range d.Names {
		if n.Name != "_" {
			over[n.Off] = instanceName(x, n.Name)
		}
	}
	if at := (declared{d, x.step}); in.written[at] {
		return // another name of a group of constants
	} else {
		in.written[at] = true
	}
	text := rewrite(&d.Source, 0, len(d.Text), in.at(x.step), in.name(x.step), over)
	in.text.WriteString(d.Keyword + " " + text + "\n")
}

// A declared is a declaration with one of its meanings.
type declared struct {
	decl *cell.Decl
	step int
}

// signature writes a function without its body.
func (in *inference) signature(f *function) {
	d := f.first.decl
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
func (in *inference) variables(st *stmt) {
	var names []string
	for i, n := range st.Names {
		e := in.b.tables[st.step.index][n.Name]
		if n.Name == "_" || !st.New[i] || e == nil {
			names = append(names, "_")
			continue
		}
		names = append(names, inferredName(e))
	}
	resolve := func(r cell.Ref) target { return in.b.lookupIn(st, r) }
	part := func(from, to int) string {
		return rewrite(&st.Source, from, to, resolve, in.name(st.step.index), nil)
	}
	text := "var " + strings.Join(names, ", ")
	if st.Var != nil {
		in.text.WriteString(text + " " + part(st.Var.NamesEnd, len(st.Text)) + "\n")
		return
	}
	values := st.Values
	in.text.WriteString(text + " = " + part(values[0].Start, values[len(values)-1].End) + "\n")
}
