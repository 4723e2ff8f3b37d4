package export

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/gonb"
	"github.com/perijove/perijove/kernel/internal/notebook"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/hoist"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// A step is one code cell, at its place in a run from the first cell to the last.
type step struct {
	index   int // in book.steps
	cell    *cell.Cell
	stmts   []*stmt // in the order in which they run
	heading string  // of the section
	doc     string  // text of the Markdown cells above it
	params  bool    // it is tagged "parameters"
	raises  bool    // it is tagged "raises-exception"
	alone   bool    // it needs its own function: it returns, defers or has labels at its top level

	inits    []*cell.Decl  // functions named init
	comments []string      // directives that are kept as comments
	before   []func(*file) // writes what directives do
}

// A stmt is one statement of a cell.
type stmt struct {
	*cell.Stmt
	step  *step
	facts *facts
}

// readCells parses the code cells of a notebook. Cells that a run leaves out are left out.
func (b *book) readCells(nb *notebook.Notebook) {
	heading, doc := "", ""
	n := 0
	for _, c := range nb.Cells {
		if c.Type == notebook.MarkdownCell {
			h, text := plainMarkdown(c.Source)
			if h != "" {
				heading, doc = h, ""
			}
			doc = strings.TrimSpace(doc + "\n\n" + text)
			if b.title == "" && n == 0 {
				b.title = h
			}
			continue
		}
		if c.Type != notebook.CodeCell || c.HasTag(notebook.TagSkip) || strings.TrimSpace(c.Source) == "" {
			continue
		}
		n++
		number := n
		if b.opt.Stored {
			number = c.ExecutionCount
		}
		b.mayFail[number] = c.HasTag(notebook.TagRaises)
		if b.skip[number] {
			continue
		}
		parsed, errs := cell.Parse(number, c.Source)
		if errs != nil {
			b.errs = append(b.errs, errs...)
			continue
		}
		b.isGoNB = b.isGoNB || gonb.IsWrittenFor(parsed)
		if b.isGoNB {
			parsed = parsed.WithInits()
		}
		s := &step{
			index: len(b.steps), cell: parsed.Sequence(), heading: heading, doc: doc,
			params: c.HasTag(notebook.TagParameters), raises: c.HasTag(notebook.TagRaises),
		}
		doc = ""
		b.steps = append(b.steps, s)
		b.addStatements(s)
	}
}

// addStatements puts the statements of a cell in the order in which they run.
func (b *book) addStatements(s *step) {
	decls, methods := map[string]*symtab.Symbol{}, map[string][]*symtab.Symbol{}
	for _, d := range s.cell.Decls {
		sym := &symtab.Symbol{Kind: d.Kind, Decl: d, Recv: d.Recv, Key: d.Names[0].Name}
		if d.Recv != "" {
			sym.Key = d.Recv + "." + sym.Key
			methods[d.Recv] = append(methods[d.Recv], sym)
			continue
		}
		for _, n := range d.Names {
			decls[n.Name] = sym
		}
	}
	var list []*emit.Stmt
	for i, st := range s.cell.Stmts {
		list = append(list, &emit.Stmt{Stmt: st, IsResult: i == s.cell.Result})
	}
	for _, st := range hoist.Hoist(list, decls, methods) {
		code, at := stmtCode(st.Stmt)
		x := &stmt{Stmt: st.Stmt, step: s, facts: b.factsOf(&st.Source, code, at)}
		s.alone = s.alone || x.facts.control
		s.stmts = append(s.stmts, x)
	}
}

// stmtCode returns the Go file that holds a statement, and the offset of the statement in it.
func stmtCode(s *cell.Stmt) (string, int) {
	switch {
	case s.Var != nil:
		return "package p\nfunc _() {\nvar " + s.Text + "\n}", len("package p\nfunc _() {\nvar ")
	case s.Expr != nil && !s.Call:
		return "package p\nfunc _() {\n_(" + s.Text + ")\n}", len("package p\nfunc _() {\n_(")
	}
	return "package p\nfunc _() {\n" + s.Text + "\n}", len("package p\nfunc _() {\n")
}

// facts are properties of a declaration or statement that package cell does not collect.
type facts struct {
	started []cell.Span  // calls after go, which may run after the cell has ended
	called  map[int]bool // offsets of names that are called immediately
	control bool         // a statement returns, defers or has a label at the top level
	exits   []int        // offsets of uses of os.Exit with a code that may be 0, and of runtime.Goexit
}

// factsOf examines a piece of source. code is a Go file that holds src at the offset at.
func (b *book) factsOf(src *cell.Source, code string, at int) *facts {
	f := &facts{called: map[int]bool{}}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", code, parser.SkipObjectResolution)
	if err != nil {
		return f
	}
	offset := func(p token.Pos) int { return int(p-file.FileStart) - at }
	for id := range identifiers(file) {
		b.idents[id] = true
	}
	f.top(file)
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			f.started = append(f.started, cell.Span{Start: offset(n.Call.Pos()), End: offset(n.Call.End())})
		case *ast.CallExpr:
			f.call(n, offset)
		}
		return true
	})
	return f
}

func (f *facts) call(n *ast.CallExpr, offset func(token.Pos) int) {
	fun := ast.Unparen(n.Fun)
	switch x := fun.(type) {
	case *ast.IndexExpr:
		fun = x.X
	case *ast.IndexListExpr:
		fun = x.X
	}
	if id, ok := fun.(*ast.Ident); ok {
		f.called[offset(id.Pos())] = true
	}
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	x, _ := sel.X.(*ast.Ident)
	if x == nil {
		return
	}
	switch x.Name + "." + sel.Sel.Name {
	case "os.Exit":
		if code, ok := n.Args[0].(*ast.BasicLit); len(n.Args) == 1 && (!ok || code.Value == "0") {
			f.exits = append(f.exits, offset(n.Pos()))
		}
	case "runtime.Goexit":
		f.exits = append(f.exits, offset(n.Pos()))
	}
}

// top finds statements that concern the function around them.
func (f *facts) top(file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt, *ast.DeferStmt, *ast.LabeledStmt:
			f.control = true
		}
		return true
	})
}

func identifiers(file *ast.File) map[string]bool {
	all := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			all[id.Name] = true
		}
		return true
	})
	return all
}

// isStarted reports whether the name at an offset is part of a call in a go statement.
func (f *facts) isStarted(off int) bool {
	for _, s := range f.started {
		if off >= s.Start && off < s.End {
			return true
		}
	}
	return false
}
