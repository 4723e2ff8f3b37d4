package program

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"regexp"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// A result is what type-checking a unit's files gave.
type result struct {
	e      *emit.Emitter
	fset   *token.FileSet
	files  []*ast.File
	texts  []string // of files
	pkg    *types.Package
	info   *types.Info
	faults []fault
}

// A fault is an error with the symbol whose source has it: nil for the cell's
// statements.
type fault struct {
	err   *cell.Error
	owner *symtab.Symbol
	pos   token.Pos
}

// check parses and type-checks the files of an emitter.
func (b *builder) check(e *emit.Emitter) (*result, error) {
	r := &result{e: e, fset: token.NewFileSet(), info: &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Defs:       map[*ast.Ident]types.Object{},
		Uses:       map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
		Instances:  map[*ast.Ident]types.Instance{},
	}}
	for _, f := range e.Files {
		text := f.CheckedText()
		r.texts = append(r.texts, text)
		af, err := parser.ParseFile(r.fset, f.Name, text, parser.SkipObjectResolution)
		if err != nil {
			var list scanner.ErrorList
			if errors.As(err, &list) {
				for _, e := range list {
					r.faults = append(r.faults, fault{err: b.errorAt(e.Pos, e.Msg)})
				}
				return r, nil
			}
			return nil, err
		}
		r.files = append(r.files, af)
	}
	conf := types.Config{
		GoVersion: b.p.cfg.Lang,
		Importer:  b.p.pkgs,
		Sizes:     types.SizesFor("gc", "amd64"),
		Error: func(err error) {
			var te types.Error
			if !errors.As(err, &te) {
				return
			}
			f := b.faultAt(r, te)
			if more, ok := strings.CutPrefix(te.Msg, "\t"); ok && len(r.faults) > 0 { // goes on with the one before
				r.faults[len(r.faults)-1].err.Msg += fmt.Sprintf(" (%s line %d:%d: %s)", cell.Name(f.err.Cell), f.err.Pos.Line, f.err.Pos.Col, b.clean(more))
				return
			}
			r.faults = append(r.faults, f)
		},
	}
	r.pkg, _ = conf.Check("main", r.fset, r.files, r.info)
	r.faults = withoutEchoes(r.faults)
	return r, nil
}

func (b *builder) faultAt(r *result, te types.Error) fault {
	f := fault{pos: te.Pos, owner: r.owner(te.Pos), err: b.errorAt(r.fset.Position(te.Pos), te.Msg)}
	if f.owner == nil && strings.HasPrefix(te.Msg, "too many return values") && r.outsideLiterals(te.Pos) {
		f.err.Msg = cellReturns
	}
	if f.owner != nil {
		f.err.Source = cell.Line(f.owner.Origin.Source, f.err.Pos.Line)
	}
	return f
}

// outsideLiterals reports whether no function literal contains pos.
func (r *result) outsideLiterals(pos token.Pos) bool {
	outside := true
	for _, f := range r.files {
		if pos < f.FileStart || pos >= f.FileEnd {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.FuncLit); ok && lit.Pos() <= pos && pos < lit.End() {
				outside = false
			}
			return outside
		})
	}
	return outside
}

// owner returns the symbol whose source is at pos.
func (r *result) owner(pos token.Pos) *symtab.Symbol {
	raw := r.fset.PositionFor(pos, false)
	for _, file := range r.e.Files {
		if file.Name == raw.Filename {
			return file.Owner(raw.Offset)
		}
	}
	return nil
}

// generated matches the names that file and varFile give.
var generated = regexp.MustCompile(`^(cell\d+_\d+|vars|initial)\.go$`)

// errorAt makes a cell's error from a position that line directives have
// adjusted. Messages lose generated names.
func (b *builder) errorAt(at token.Position, msg string) *cell.Error {
	e := &cell.Error{Cell: b.c.N, Msg: b.clean(msg)}
	n, ok := cell.Number(at.Filename)
	if !ok {
		if at.IsValid() && !generated.MatchString(at.Filename) { // a line comment of the user's
			e.Msg = fmt.Sprintf("%s:%d: %s", at.Filename, at.Line, e.Msg)
		}
		return e
	}
	o := b.t.Cells[n]
	if n == b.c.N {
		o = b.o
	}
	e.Cell, e.Pos = n, cell.Pos{Line: at.Line, Col: at.Column}
	if o != nil {
		e.Source = cell.Line(o.Source, at.Line)
	}
	return e
}

// entryDecl finds the function of the cell's statements.
func (r *result) entryDecl(name string) *ast.FuncDecl {
	for _, f := range r.files {
		for _, d := range f.Decls {
			if fd, ok := d.(*ast.FuncDecl); ok && fd.Recv == nil && fd.Name.Name == name {
				return fd
			}
		}
	}
	return nil
}

// topVars collects the identifiers that the statements define at their top.
func topVars(list []ast.Stmt) []*ast.Ident {
	var out []*ast.Ident
	for _, s := range list {
		for {
			l, ok := s.(*ast.LabeledStmt)
			if !ok {
				break
			}
			s = l.Stmt
		}
		switch s := s.(type) {
		case *ast.AssignStmt:
			if s.Tok != token.DEFINE {
				continue
			}
			for _, x := range s.Lhs {
				if id, ok := x.(*ast.Ident); ok {
					out = append(out, id)
				}
			}
		case *ast.DeclStmt:
			for _, sp := range s.Decl.(*ast.GenDecl).Specs {
				if v, ok := sp.(*ast.ValueSpec); ok {
					out = append(out, v.Names...)
				}
			}
		}
	}
	return out
}

// unused reports whether the fault is Go's complaint about an unused variable
// at one of the places.
func (f fault) unused(at map[token.Pos]bool) bool {
	return strings.HasPrefix(f.err.Msg, "declared and not used") && at[f.pos]
}

func faultErrors(list []fault) cell.Errors {
	var out cell.Errors
	for _, f := range list {
		out = append(out, f.err)
	}
	return out.Sorted()
}
