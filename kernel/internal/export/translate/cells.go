package translate

import (
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/prose"
	"github.com/perijove/perijove/kernel/internal/export/source"
	"github.com/perijove/perijove/kernel/internal/gonb"
	"github.com/perijove/perijove/kernel/internal/notebook"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/hoist"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// A step is one code cell in a run of the notebook from the first cell to the last.
type step struct {
	index   int // in book.steps
	cell    *cell.Cell
	stmts   []*stmt // in the order in which they run
	heading string  // of the section
	doc     string  // text of the Markdown cells above it
	params  bool    // it is tagged "parameters"
	raises  bool    // it is tagged "raises-exception"
	alone   bool    // it must be a separate function, because it has a return, a defer or a label at its top level

	inits    []*cell.Decl  // functions named init
	comments []string      // directives that are kept as comments
	before   []func(*file) // write the code for directives, before the statements
}

// A stmt is one statement of a cell.
type stmt struct {
	*cell.Stmt
	step  *step
	facts *source.Facts
}

// readCells parses the code cells of a notebook. It leaves out empty cells, cells tagged "skip-execution", and those in b.skip.
func (b *book) readCells(nb *notebook.Notebook) {
	heading, doc := "", ""
	n := 0
	for _, c := range nb.Cells {
		if c.Type == notebook.MarkdownCell {
			h, text := prose.Markdown(c.Source)
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
		x := &stmt{Stmt: st.Stmt, step: s, facts: source.OfStmt(st.Stmt)}
		b.noteNames(x.facts)
		s.alone = s.alone || x.facts.Control && st.Loop == nil
		s.stmts = append(s.stmts, x)
	}
	for _, src := range s.sources() {
		b.noteNumbered(src.Refs)
	}
}

// noteNames notes the identifiers of a piece of source.
func (b *book) noteNames(f *source.Facts) {
	for name := range f.Names {
		b.idents[name] = true
	}
}

func (b *book) factsOf(d *cell.Decl) *source.Facts {
	f := source.OfDecl(d)
	b.noteNames(f)
	return f
}
