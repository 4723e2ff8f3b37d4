package check

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/advice"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// A Result is the result of type-checking the files of a unit.
type Result struct {
	unit   *emit.Emitter
	Fset   *token.FileSet
	Files  []*ast.File
	Texts  []string // texts of the files in Files
	Pkg    *types.Package
	Info   *types.Info
	Faults []Fault
}

// A Fault is an error with its position. Owner is the symbol whose source contains the position, or nil if the error
// is in the cell's statements.
type Fault struct {
	Err   *cell.Error
	Owner *symtab.Symbol
	Pos   token.Pos

	isExplained bool // Explain has added the cause to the message
}

// A Checker type-checks the files of units.
type Checker struct {
	Lang     string // language version, such as "go1.26"
	Importer types.Importer
	Cell     int // number of the cell
	// Origin returns cell n: an executed cell or the cell that is checked. It returns nil if there is none.
	Origin func(n int) *symtab.Origin
	// Explain returns a message and adds the cause of the error if the cause is known.
	Explain func(msg string) string
	// Names returns the names that the notebook declares and the names of packages, for suggestions. If Names is nil,
	// messages contain no suggestions.
	Names func() (declared, packages []string)
}

// Check parses and type-checks the files of an emitter.
func (c *Checker) Check(e *emit.Emitter) (*Result, error) {
	r := &Result{unit: e, Fset: token.NewFileSet(), Info: &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Defs:       map[*ast.Ident]types.Object{},
		Uses:       map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
		Instances:  map[*ast.Ident]types.Instance{},
	}}
	for _, f := range e.Files {
		text := f.CheckedText()
		r.Texts = append(r.Texts, text)
		af, err := parser.ParseFile(r.Fset, f.Name, text, parser.SkipObjectResolution)
		if err != nil {
			var list scanner.ErrorList
			if errors.As(err, &list) {
				for _, e := range list {
					r.Faults = append(r.Faults, Fault{Err: c.ErrorAt(e.Pos, e.Msg)})
				}
				return r, nil
			}
			return nil, err
		}
		r.Files = append(r.Files, af)
	}
	conf := types.Config{
		GoVersion: c.Lang,
		Importer:  c.Importer,
		Sizes:     sizes,
		Error: func(err error) {
			var te types.Error
			if !errors.As(err, &te) {
				return
			}
			f := c.faultAt(r, te)
			if more, ok := strings.CutPrefix(te.Msg, "\t"); ok && len(r.Faults) > 0 { // continues the error before
				r.Faults[len(r.Faults)-1].Err.Msg += fmt.Sprintf(" (%s line %d:%d: %s)", cell.Name(f.Err.Cell), f.Err.Pos.Line, f.Err.Pos.Col, c.clean(more))
				return
			}
			r.Faults = append(r.Faults, f)
		},
	}
	r.Pkg, _ = conf.Check("main", r.Fset, r.Files, r.Info)
	r.Faults = withoutEchoes(r.Faults)
	nameImports(r)
	c.advise(r)
	return r, nil
}

// advise adds suggestions to the messages of r.
func (c *Checker) advise(r *Result) {
	if c.Names == nil {
		return
	}
	s := advice.Source{Files: r.Files, Pkg: r.Pkg, Info: r.Info, Names: c.Names, Import: func(path string) *types.Package {
		pkg, _ := c.Importer.Import(path)
		return pkg
	}}
	for _, f := range r.Faults {
		if f.Err.Cell == c.Cell && !f.isExplained && f.Err.Msg != cellReturns {
			f.Err.Msg = mangle.Demangle(s.On(f.Pos, f.Err.Msg))
		}
	}
}

func (c *Checker) faultAt(r *Result, te types.Error) Fault {
	f := Fault{Pos: te.Pos, Owner: r.Owner(te.Pos), Err: c.ErrorAt(r.Fset.Position(te.Pos), te.Msg)}
	f.isExplained = f.Err.Msg != c.wording(te.Msg)
	if f.Owner == nil && strings.HasPrefix(te.Msg, "too many return values") && r.outsideLiterals(te.Pos) {
		f.Err.Msg = cellReturns
	}
	if f.Owner != nil {
		f.Err.Source = cell.Line(f.Owner.Origin.Source, f.Err.Pos.Line)
	}
	return f
}

// outsideLiterals reports whether no function literal contains pos.
func (r *Result) outsideLiterals(pos token.Pos) bool {
	outside := true
	for _, f := range r.Files {
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

// Owner returns the symbol whose source is at pos, or nil.
func (r *Result) Owner(pos token.Pos) *symtab.Symbol {
	raw := r.Fset.PositionFor(pos, false)
	for _, file := range r.unit.Files {
		if file.Name == raw.Filename {
			return file.Owner(raw.Offset)
		}
	}
	return nil
}

// generated matches the names of generated files.
var generated = regexp.MustCompile(`^(cell\d+_\d+|vars|initial)\.go$`)

// ErrorAt returns an error of a cell with the message msg. at is a position in the cell, to which line directives have
// led. ErrorAt replaces generated names in the message by the names of the user.
func (c *Checker) ErrorAt(at token.Position, msg string) *cell.Error {
	e := &cell.Error{Cell: c.Cell, Msg: c.clean(msg)}
	n, ok := cell.Number(at.Filename)
	if !ok {
		if at.IsValid() && !generated.MatchString(at.Filename) { // a //line directive of the user
			e.Msg = fmt.Sprintf("%s:%d: %s", at.Filename, at.Line, e.Msg)
		}
		return e
	}
	o := c.Origin(n)
	e.Cell, e.Pos = n, cell.Pos{Line: at.Line, Col: at.Column}
	if o != nil {
		e.Source = cell.Line(o.Source, at.Line)
	}
	return e
}

// EntryDecl returns the declaration of the function that holds the cell's statements and has this name, or nil.
func (r *Result) EntryDecl(name string) *ast.FuncDecl {
	for _, f := range r.Files {
		for _, d := range f.Decls {
			if fd, ok := d.(*ast.FuncDecl); ok && fd.Recv == nil && fd.Name.Name == name {
				return fd
			}
		}
	}
	return nil
}

// TopLevelVars returns the identifiers of the variables that the statements declare, without the variables of nested
// blocks.
func TopLevelVars(list []ast.Stmt) []*ast.Ident {
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

// IsUnusedAt reports whether the fault is Go's error about an unused variable, and is at one of the positions.
func (f Fault) IsUnusedAt(at map[token.Pos]bool) bool {
	return strings.HasPrefix(f.Err.Msg, "declared and not used") && at[f.Pos]
}

// Errors returns the errors of faults, sorted.
func Errors(list []Fault) cell.Errors {
	var out cell.Errors
	for _, f := range list {
		out = append(out, f.Err)
	}
	return out.Sorted()
}

// CompilerErrors parses the output of the compiler: lines of the form
// "Cell [3]:2:5: message". A line that begins with a tab continues the message above it.
// Other lines are ignored.
func (c *Checker) CompilerErrors(out string) cell.Errors {
	var errs cell.Errors
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n")
		if more, ok := strings.CutPrefix(line, "\t"); ok && len(errs) > 0 {
			errs[len(errs)-1].Msg += " " + c.clean(more)
			continue
		}
		at, msg, ok := splitPosition(line)
		if _, isCell := cell.Number(at.Filename); !ok || !isCell {
			continue
		}
		errs = append(errs, c.ErrorAt(at, msg))
	}
	return errs.Sorted()
}

func splitPosition(line string) (at token.Position, msg string, ok bool) {
	head, msg, ok := strings.Cut(line, ": ")
	if !ok {
		return at, "", false
	}
	name, rest, ok := strings.Cut(head, "]:")
	if !ok {
		return at, "", false
	}
	at.Filename = name + "]"
	ln, col, _ := strings.Cut(rest, ":")
	at.Line, _ = strconv.Atoi(ln)
	at.Column, _ = strconv.Atoi(col)
	return at, msg, at.Line > 0
}

// BodyOf returns the body of a function, or of the function that holds a cell's statements. It returns nil if there
// is no body.
func (r *Result) BodyOf(s *symtab.Symbol) *ast.BlockStmt {
	for _, f := range r.Files {
		for _, d := range f.Decls {
			fd, ok := d.(*ast.FuncDecl)
			if ok && fd.Body != nil && (fd.Name.Name == s.GoName || s.Decl != nil && r.Owner(fd.Name.Pos()) == s) && (s.Decl != nil || fd.Recv == nil) {
				if s.Decl == nil || r.Owner(fd.Name.Pos()) == s {
					return fd.Body
				}
			}
		}
	}
	return nil
}

// Describes reports whether r is the result of checking the current texts of the emitter's files. r may lack the last
// file if only child processes run the code in that file.
func (r *Result) Describes(e *emit.Emitter) bool {
	if len(r.Texts) != len(e.Files) && (len(r.Texts) != len(e.Files)-1 || !e.HasInitial()) {
		return false
	}
	for i, f := range e.Files[:len(r.Texts)] {
		if f.CheckedText() != r.Texts[i] {
			return false
		}
	}
	return true
}

// ImportsPackage reports whether a file of the unit imports the package with this path by a name, not only for its
// side effects.
func (r *Result) ImportsPackage(path string) bool {
	return slices.ContainsFunc(r.unit.Files, func(f *emit.File) bool {
		for _, imported := range f.Imports {
			if imported == path {
				return true
			}
		}
		return false
	})
}
