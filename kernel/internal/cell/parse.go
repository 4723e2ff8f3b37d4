package cell

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"strings"
)

// A Cell is the text of one cell, taken apart.
type Cell struct {
	N          int
	Src        string
	Package    bool // has a package clause: a whole file
	Directives []DirectiveLine
	Imports    []ImportSpec
	Decls      []*Decl // in their order; vars too if the cell has no statements
	Stmts      []*Stmt // in their order; vars too if the cell has statements
	Linknames  []Linkname
	Result     int  // index in Stmts of the last statement if it is an expression, or -1
	HideResult bool // a semicolon follows it
}

// A DirectiveLine is a line that the session runs: % and ! commands.
type DirectiveLine struct {
	Pos  Pos
	Name string // first word with its sigil: "%env", "!", "%%writefile"
	Args string // the rest of the line
	Body string // what follows, for a cell magic
}

// An ImportSpec is one import of a cell. Name is empty if it is the package's own.
type ImportSpec struct {
	Name, Path string
	Pos        Pos
}

// A Linkname is a //go:linkname line.
type Linkname struct {
	Local, Text string
}

// A Ref is an identifier that is not declared within the piece that uses it.
type Ref struct {
	Name string
	Off  int    // in the piece's text
	Sel  string // what follows a dot, if anything does
	// Key marks the key of a composite literal: a field or a value.
	Key bool
	// Top marks a variable that the cell's own statements define.
	Top bool
}

// A Source is a piece of a cell's text with the identifiers it needs.
type Source struct {
	Text string
	Pos  Pos // of its first byte
	Refs []Ref
	Sels []string // all names that are selected from something
}

// A Decl is one top-level declaration. Groups of types and vars are taken
// apart; a group of constants, which may repeat expressions, is one Decl.
type Decl struct {
	Source
	Kind    Kind // Func, Type, Const or Var
	Keyword string
	Names   []Ref  // declared names and their places in Text, blanks included
	Recv    string // the receiver's type name, for a method
	PtrRecv bool
	Generic bool // has type parameters, or its receiver has
	Body    int  // offset of a function's body in Text, or -1
	FuncEnd int  // offset in Text where a function begins after its doc comment
	Alias   bool
	Var     *VarSpec // for Var
}

// A VarSpec gives the parts of a variable specification as offsets in Text.
type VarSpec struct {
	NamesEnd             int
	TypeStart, TypeEnd   int // equal if there is no type
	ValueStart, ValueEnd int // equal if there are no values
	Values               []Span
}

// A Span is a range of bytes.
type Span struct{ Start, End int }

// A Stmt is one statement at the top of a cell, or one var specification.
type Stmt struct {
	Source
	Define int    // offset of := at the top level, or -1
	Names  []Ref  // what := or var has on its left, blanks included
	New    []bool // for each of Names, whether the cell declares it here
	Var    *VarSpec
	Values []Span // the right side of :=
	Expr   *Span  // the expression, if that is all there is
	// Literals are the function literals within: their code may outlive the
	// cell. Methods are the names that they select.
	Literals []Span
	Methods  []string
	Call     bool // Expr is a call or a receive, which Go lets stand alone
}

// entryName is the function that holds the statements while they are parsed.
const entryName = "cellʹ"

// Parse takes a cell apart. n is its execution count.
func Parse(n int, src string) (*Cell, Errors) { return parseCell(n, src, false) }

// ParseSequence is Parse, but takes var declarations as statements also where
// a cell has no others: initializers then run in their order and may use an
// older variable of the same name.
func ParseSequence(n int, src string) (*Cell, Errors) { return parseCell(n, src, true) }

func parseCell(n int, src string, sequence bool) (*Cell, Errors) {
	pieces, faults := Split(src)
	if len(faults) > 0 {
		var errs Errors
		for _, f := range faults {
			errs = append(errs, errorAt(n, src, f.Off, f.Msg))
		}
		return nil, errs.Sorted()
	}
	p := &parse{cell: &Cell{N: n, Src: src, Result: -1}, pieces: pieces, sequence: sequence}
	p.compose()
	if errs := p.run(); len(errs) > 0 {
		return nil, errs.Sorted()
	}
	p.collect()
	return p.cell, nil
}

func errorAt(n int, src string, off int, msg string) *Error {
	pos := PosAt(src, off)
	return &Error{Cell: n, Pos: pos, Msg: msg, Source: Line(src, pos.Line)}
}

// parse puts the pieces of a cell into the form of a Go file: declarations
// first, then the statements in a function. marks relate the two texts.
type parse struct {
	cell   *Cell
	pieces []Piece
	text   strings.Builder
	marks  []mark
	file   *ast.File
	// sequence makes statements of var declarations in any case.
	sequence bool
	base     int // token.Pos of the composed text's first byte

	//lint:ignore SA1019 only which identifier is bound where, within one function
	inEntry map[*ast.Object]bool
	free    map[*ast.Ident]bool
}

type mark struct {
	at, src, length int // offsets in the composed text and in the cell
}

func (p *parse) compose() {
	hasStmts := p.sequence
	for _, pc := range p.pieces {
		hasStmts = hasStmts || pc.Kind == Statement
	}
	p.text.WriteString("package main\n")
	for _, pc := range p.pieces {
		if pc.Kind == Import { // wherever it stands, for Go it comes first
			p.put(pc)
		}
	}
	for _, pc := range p.pieces {
		switch pc.Kind {
		case Package:
			p.cell.Package = true
		case Directive:
			p.cell.Directives = append(p.cell.Directives, directive(p.cell.Src, pc))
		case Func, Type, Const:
			p.put(pc)
		case Var:
			if !hasStmts {
				p.put(pc)
			}
		}
	}
	if !hasStmts {
		return
	}
	p.text.WriteString("func " + entryName + "() {\n")
	for _, pc := range p.pieces {
		if pc.Kind == Statement || pc.Kind == Var {
			p.put(pc)
			if pc.Kind == Statement {
				p.cell.HideResult = strings.HasPrefix(p.cell.Src[pc.Stop:], ";")
			}
		}
	}
	p.text.WriteString("}\n")
}

func (p *parse) put(pc Piece) {
	p.marks = append(p.marks, mark{p.text.Len(), pc.Start, pc.End - pc.Start})
	p.text.WriteString(p.cell.Src[pc.Start:pc.End])
	p.text.WriteString("\n")
}

func directive(src string, pc Piece) DirectiveLine {
	d := DirectiveLine{Pos: PosAt(src, pc.Code)}
	text := src[pc.Code:pc.Stop]
	if magicName(text) != "" {
		text, d.Body, _ = strings.Cut(text, "\n")
	}
	text = strings.TrimRight(text, " \t\r\n")
	if text[0] == '!' {
		d.Name, d.Args = "!", text[1:]
		if strings.HasPrefix(text, "!*") {
			d.Name, d.Args = "!*", text[2:]
		}
		return d
	}
	d.Name = text
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		d.Name, d.Args = text[:i], strings.TrimSpace(text[i:])
	}
	return d
}

func (p *parse) run() Errors {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", p.text.String(), parser.ParseComments)
	if err != nil {
		var errs Errors
		list, ok := err.(scanner.ErrorList)
		if !ok {
			return Errors{{Cell: p.cell.N, Msg: err.Error()}}
		}
		for _, e := range list {
			off, msg := p.place(e.Pos.Offset, e.Msg)
			errs = append(errs, errorAt(p.cell.N, p.cell.Src, off, msg))
		}
		return errs
	}
	p.file, p.base = file, int(file.FileStart)
	return nil
}

// srcOffset converts an offset in the composed text to one in the cell. A
// place outside all pieces becomes the end of the piece before it.
func (p *parse) srcOffset(at int) int {
	off := 0
	for _, m := range p.marks {
		if at < m.at {
			break
		}
		off = m.src + min(at-m.at, m.length)
	}
	return off
}

// place converts the place of a syntax error. One behind the end of a piece is
// about our own text: it moves to the end of the piece's.
func (p *parse) place(at int, msg string) (int, string) {
	off := p.srcOffset(at)
	for i, m := range p.marks {
		inside := at >= m.at && at < m.at+m.length
		last := i == len(p.marks)-1 || at < p.marks[i+1].at
		if at < m.at || inside || !last {
			continue
		}
		text := strings.TrimRight(p.cell.Src[:m.src+m.length], " \t\r\n")
		if head, _, ok := strings.Cut(msg, ", found "); ok {
			msg = head + ", found the end of the cell"
		}
		return len(text), msg
	}
	return off, msg
}

func (p *parse) off(pos token.Pos) int { return int(pos) - p.base }

// source cuts a piece out of the composed text.
func (p *parse) source(start, end token.Pos) Source {
	text := p.text.String()
	from := p.off(start)
	return Source{
		Text: text[from:min(p.off(end), len(text))],
		Pos:  PosAt(p.cell.Src, p.srcOffset(from)),
	}
}

func (p *parse) collect() {
	p.free = make(map[*ast.Ident]bool, len(p.file.Unresolved))
	for _, id := range p.file.Unresolved {
		p.free[id] = true
	}
	//lint:ignore SA1019 see inEntry
	p.inEntry = map[*ast.Object]bool{}
	for _, d := range p.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.Name == entryName {
				p.statements(d.Body.List)
				continue
			}
			p.funcDecl(d)
		case *ast.GenDecl:
			p.genDecl(d)
		}
	}
	for _, group := range p.file.Comments {
		for _, c := range group.List {
			if f := strings.Fields(c.Text); len(f) > 1 && f[0] == "//go:linkname" {
				p.cell.Linknames = append(p.cell.Linknames, Linkname{f[1], c.Text})
			}
		}
	}
}

func (p *parse) funcDecl(d *ast.FuncDecl) {
	start := d.Pos()
	if d.Doc != nil {
		start = d.Doc.Pos()
	}
	out := &Decl{Kind: Func, Source: p.source(start, d.End()), Body: -1, FuncEnd: int(d.Pos() - start)}
	if d.Body != nil {
		out.Body = int(d.Body.Pos() - start)
	}
	out.Names = []Ref{{Name: d.Name.Name, Off: int(d.Name.Pos() - start)}}
	out.Generic = d.Type.TypeParams != nil
	if d.Recv != nil && len(d.Recv.List) > 0 {
		out.Recv, out.PtrRecv, out.Generic = receiver(d.Recv.List[0].Type)
	}
	p.refs(d, start, &out.Source)
	p.cell.Decls = append(p.cell.Decls, out)
}

func receiver(t ast.Expr) (name string, ptr, generic bool) {
	for {
		switch x := t.(type) {
		case *ast.ParenExpr:
			t = x.X
		case *ast.StarExpr:
			t, ptr = x.X, true
		case *ast.IndexExpr:
			t, generic = x.X, true
		case *ast.IndexListExpr:
			t, generic = x.X, true
		case *ast.Ident:
			return x.Name, ptr, generic
		default:
			return "", ptr, generic
		}
	}
}

func (p *parse) genDecl(d *ast.GenDecl) {
	switch d.Tok {
	case token.IMPORT:
		for _, s := range d.Specs {
			p.importSpec(s.(*ast.ImportSpec))
		}
	case token.CONST:
		out := &Decl{Kind: Const, Source: p.source(d.Pos(), d.End()), Body: -1}
		for _, s := range d.Specs {
			out.Names = append(out.Names, names(s.(*ast.ValueSpec).Names, d.Pos())...)
		}
		p.refs(d, d.Pos(), &out.Source)
		p.cell.Decls = append(p.cell.Decls, out)
	case token.TYPE:
		for _, s := range d.Specs {
			t := s.(*ast.TypeSpec)
			out := &Decl{Kind: Type, Keyword: "type", Source: p.source(t.Pos(), t.End()), Body: -1}
			out.Names = names([]*ast.Ident{t.Name}, t.Pos())
			out.Generic, out.Alias = t.TypeParams != nil, t.Assign.IsValid()
			p.refs(t, t.Pos(), &out.Source)
			p.cell.Decls = append(p.cell.Decls, out)
		}
	case token.VAR:
		for _, s := range d.Specs {
			v := s.(*ast.ValueSpec)
			out := &Decl{Kind: Var, Keyword: "var", Source: p.source(v.Pos(), v.End()), Body: -1}
			out.Names, out.Var = names(v.Names, v.Pos()), varSpec(v)
			p.refs(v, v.Pos(), &out.Source)
			p.cell.Decls = append(p.cell.Decls, out)
		}
	}
}

func (p *parse) importSpec(s *ast.ImportSpec) {
	path := strings.Trim(s.Path.Value, "\"`")
	im := ImportSpec{Path: path, Pos: PosAt(p.cell.Src, p.srcOffset(p.off(s.Path.Pos())))}
	if s.Name != nil {
		im.Name = s.Name.Name
	}
	p.cell.Imports = append(p.cell.Imports, im)
}

func names(ids []*ast.Ident, start token.Pos) []Ref {
	var out []Ref
	for _, id := range ids {
		out = append(out, Ref{Name: id.Name, Off: int(id.Pos() - start)})
	}
	return out
}

func varSpec(v *ast.ValueSpec) *VarSpec {
	at := func(pos token.Pos) int { return int(pos - v.Pos()) }
	out := &VarSpec{NamesEnd: at(v.Names[len(v.Names)-1].End())}
	if v.Type != nil {
		out.TypeStart, out.TypeEnd = at(v.Type.Pos()), at(v.Type.End())
	}
	for _, x := range v.Values {
		out.Values = append(out.Values, Span{at(x.Pos()), at(x.End())})
	}
	if n := len(out.Values); n > 0 {
		out.ValueStart, out.ValueEnd = out.Values[0].Start, out.Values[n-1].End
	}
	return out
}

func (p *parse) statements(list []ast.Stmt) {
	for _, s := range list {
		p.declareTop(s)
	}
	for _, s := range list {
		switch s := s.(type) {
		case *ast.EmptyStmt:
		case *ast.DeclStmt:
			for _, spec := range s.Decl.(*ast.GenDecl).Specs {
				if v, ok := spec.(*ast.ValueSpec); ok {
					p.varStmt(v)
				}
			}
		default:
			p.stmt(s)
			p.cell.Result = -1
			if n := len(p.cell.Stmts) - 1; p.cell.Stmts[n].Expr != nil {
				p.cell.Result = n
			}
		}
	}
}

// declareTop notes the objects that a statement at the top of a cell defines.
func (p *parse) declareTop(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.LabeledStmt:
		p.declareTop(s.Stmt)
	case *ast.AssignStmt:
		if s.Tok != token.DEFINE {
			return
		}
		for _, x := range s.Lhs {
			if id, ok := x.(*ast.Ident); ok && id.Obj != nil {
				p.inEntry[id.Obj] = true
			}
		}
	case *ast.DeclStmt:
		for _, spec := range s.Decl.(*ast.GenDecl).Specs {
			if v, ok := spec.(*ast.ValueSpec); ok {
				for _, id := range v.Names {
					p.inEntry[id.Obj] = id.Obj != nil
				}
			}
		}
	}
}

func (p *parse) varStmt(v *ast.ValueSpec) {
	out := &Stmt{Source: p.source(v.Pos(), v.End()), Define: -1, Var: varSpec(v)}
	out.Names = names(v.Names, v.Pos())
	for _, id := range v.Names {
		out.New = append(out.New, id.Name != "_")
	}
	p.refs(v, v.Pos(), &out.Source)
	out.literals(v, v.Pos())
	p.cell.Stmts = append(p.cell.Stmts, out)
}

func (p *parse) stmt(s ast.Stmt) {
	start := s.Pos()
	out := &Stmt{Source: p.source(start, s.End()), Define: -1}
	inner := s
	for {
		l, ok := inner.(*ast.LabeledStmt)
		if !ok {
			break
		}
		inner = l.Stmt
	}
	switch x := inner.(type) {
	case *ast.AssignStmt:
		if x.Tok == token.DEFINE {
			out.Define = int(x.TokPos - start)
			p.defines(out, x, start)
		}
	case *ast.ExprStmt:
		out.Expr = &Span{int(x.X.Pos() - start), int(x.X.End() - start)}
		out.Call = isCall(x.X)
	}
	p.refs(s, start, &out.Source)
	out.literals(s, start)
	p.cell.Stmts = append(p.cell.Stmts, out)
}

func (p *parse) defines(out *Stmt, x *ast.AssignStmt, start token.Pos) {
	for _, lhs := range x.Lhs {
		id, ok := lhs.(*ast.Ident)
		if !ok {
			continue
		}
		out.Names = append(out.Names, Ref{Name: id.Name, Off: int(id.Pos() - start)})
		out.New = append(out.New, id.Obj != nil && id.Obj.Pos() == id.Pos())
	}
	for _, v := range x.Rhs {
		out.Values = append(out.Values, Span{int(v.Pos() - start), int(v.End() - start)})
	}
}

// literals notes the function literals under n.
func (s *Stmt) literals(n ast.Node, start token.Pos) {
	ast.Inspect(n, func(n ast.Node) bool {
		lit, ok := n.(*ast.FuncLit)
		if !ok {
			return true
		}
		s.Literals = append(s.Literals, Span{int(lit.Pos() - start), int(lit.End() - start)})
		ast.Inspect(lit, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				s.Methods = append(s.Methods, sel.Sel.Name)
			}
			return true
		})
		return false
	})
}

// InLiteral reports whether an offset is within a function literal.
func (s *Stmt) InLiteral(off int) bool {
	for _, l := range s.Literals {
		if off >= l.Start && off < l.End {
			return true
		}
	}
	return false
}

// isCall reports whether Go lets the expression stand as a statement. Calls
// may turn out to be conversions.
func isCall(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.ParenExpr:
		return isCall(x.X)
	case *ast.CallExpr:
		return true
	case *ast.UnaryExpr:
		return x.Op == token.ARROW
	}
	return false
}

// refs collects the identifiers under n that are not local to it.
func (p *parse) refs(n ast.Node, start token.Pos, src *Source) {
	var out []Ref
	sels := map[*ast.Ident]string{}
	keys, fields := map[*ast.Ident]bool{}, map[*ast.Ident]bool{}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			src.Sels = append(src.Sels, n.Sel.Name)
			if id, ok := n.X.(*ast.Ident); ok {
				sels[id] = n.Sel.Name
			}
		case *ast.CompositeLit:
			for _, e := range n.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					if id, ok := kv.Key.(*ast.Ident); ok {
						keys[id] = true
						fields[id] = !valueKeys(n.Type)
					}
				}
			}
		case *ast.Ident:
			ref := Ref{Name: n.Name, Off: int(n.Pos() - start), Sel: sels[n], Key: fields[n]}
			switch {
			case n.Name == "_":
			case n.Obj == nil && (p.free[n] || keys[n]):
				out = append(out, ref)
			case n.Obj != nil && p.inEntry[n.Obj]:
				ref.Top = true
				out = append(out, ref)
			case n.Obj != nil && p.file.Scope.Lookup(n.Name) == n.Obj:
				out = append(out, ref)
			}
		}
		return true
	})
	src.Refs = out
}

// valueKeys reports whether keys in a literal of this type are values for
// sure: fields are possible where a type is named or left out.
func valueKeys(t ast.Expr) bool {
	switch t.(type) {
	case *ast.MapType, *ast.ArrayType:
		return true
	}
	return false
}

// String gives a cell's shape, for tests and debugging.
func (c *Cell) String() string {
	return fmt.Sprintf("%s: %d imports, %d declarations, %d statements, %d directives",
		Name(c.N), len(c.Imports), len(c.Decls), len(c.Stmts), len(c.Directives))
}
