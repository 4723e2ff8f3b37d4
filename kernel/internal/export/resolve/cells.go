package resolve

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

// A Step is one code cell in a run of the notebook from the first cell to the last.
type Step struct {
	Index   int // index of the step in Book.Steps
	Cell    *cell.Cell
	Stmts   []*Stmt // in the order in which they run
	Heading string  // heading of the section that contains the cell
	Doc     string  // text of the Markdown cells above the cell
	Params  bool    // the cell is tagged "parameters"
	Raises  bool    // the cell is tagged "raises-exception"
	LeftOut string  // why the program does not have the code of the cell
	Alone   bool    // the code must be a separate function, since it has a return, a defer or a label at its top level

	Inits []*cell.Decl // the functions init of the cell
}

// A Stmt is one statement of a cell.
type Stmt struct {
	*cell.Stmt
	Step  *Step
	Facts *source.Facts
}

// ReadCells parses the code cells of a notebook. It leaves out empty cells, questions about names, and cells tagged "skip-execution". It also
// leaves out the code of the cells that were passed to NewBook as skip.
func (b *Book) ReadCells(nb *notebook.Notebook) {
	heading, doc := "", ""
	n := 0
	for _, c := range nb.Cells {
		if c.Type == notebook.MarkdownCell {
			h, text := prose.Markdown(c.Source)
			if h != "" {
				heading, doc = h, ""
			}
			doc = strings.TrimSpace(doc + "\n\n" + text)
			if b.Title == "" && n == 0 {
				b.Title = h
			}
			continue
		}
		if c.Type != notebook.CodeCell || c.HasTag(notebook.TagSkip) || strings.TrimSpace(c.Source) == "" {
			continue
		}
		n++
		if _, _, ok := cell.Question(c.Source); ok {
			continue // it shows documentation and changes nothing
		}
		number := n
		if b.stored {
			number = c.ExecutionCount
		}
		b.MayFail[number] = c.HasTag(notebook.TagRaises)
		text := c.Source
		if b.skip[number] != "" {
			text = ""
		}
		parsed, errs := cell.Parse(number, text)
		if errs != nil {
			b.Errs = append(b.Errs, errs...)
			continue
		}
		b.IsGoNB = b.IsGoNB || gonb.IsWrittenFor(parsed)
		if b.IsGoNB {
			parsed = parsed.WithInits()
		}
		s := &Step{
			Index: len(b.Steps), Cell: parsed.Sequence(), Heading: heading, Doc: doc,
			Params: c.HasTag(notebook.TagParameters), Raises: c.HasTag(notebook.TagRaises) && b.skip[number] == "", LeftOut: b.skip[number],
		}
		doc = ""
		b.Steps = append(b.Steps, s)
		b.addStatements(s)
	}
}

// addStatements puts the statements of a cell in the order in which they run.
func (b *Book) addStatements(s *Step) {
	decls, methods := map[string]*symtab.Symbol{}, map[string][]*symtab.Symbol{}
	for _, d := range s.Cell.Decls {
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
	for i, st := range s.Cell.Stmts {
		list = append(list, &emit.Stmt{Stmt: st, IsResult: i == s.Cell.Result})
	}
	for _, st := range hoist.Hoist(list, decls, methods) {
		x := &Stmt{Stmt: st.Stmt, Step: s, Facts: source.OfStmt(st.Stmt)}
		b.noteNames(x.Facts)
		s.Alone = s.Alone || x.Facts.Control && st.Loop == nil
		s.Stmts = append(s.Stmts, x)
	}
	for _, src := range s.Sources() {
		b.noteNumbered(src.Refs)
	}
}

// noteNames notes the identifiers of a piece of source.
func (b *Book) noteNames(f *source.Facts) {
	for name := range f.Names {
		b.Idents[name] = true
	}
}

func (b *Book) factsOf(d *cell.Decl) *source.Facts {
	f := source.OfDecl(d)
	b.noteNames(f)
	return f
}

// StartsWatch reports whether a measurement of %time or %%time begins before the statement.
func (st *Stmt) StartsWatch() bool { return st.Starts || st.Step.Cell.Timed && st == st.Step.Stmts[0] }

// StopsWatch reports whether a measurement of %time or %%time ends after the statement.
func (st *Stmt) StopsWatch() bool {
	return st.Stops || st.Step.Cell.Timed && st == st.Step.Stmts[len(st.Step.Stmts)-1]
}

// isMeasured reports whether the time of a cell is printed before its value.
func (s *Step) isMeasured() bool {
	n := len(s.Stmts)
	return s.Cell.Timed || n > 0 && s.Stmts[n-1].Stops
}

// Sources lists the pieces of source of a cell.
func (s *Step) Sources() []*cell.Source {
	var list []*cell.Source
	for _, st := range s.Stmts {
		list = append(list, &st.Source)
	}
	for _, d := range s.Cell.Decls {
		list = append(list, &d.Source)
	}
	return list
}

// MainFunction returns the function main that a cell declares, or nil. The function runs at the end of the cell.
func (b *Book) MainFunction(s *Step) *Entity {
	for _, d := range s.Cell.Decls {
		if d.Kind == cell.Func && d.Recv == "" && d.Names[0].Name == "main" {
			return b.Tables[s.Index]["main"]
		}
	}
	return nil
}

// IsResult reports whether a statement is the last expression of its cell.
func (st *Stmt) IsResult() bool {
	c := st.Step.Cell
	return c.Result >= 0 && c.Stmts[c.Result] == st.Stmt
}
