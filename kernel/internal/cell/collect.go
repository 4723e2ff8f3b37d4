package cell

import (
	"go/ast"
	"go/build/constraint"
	"go/token"
	"strings"
)

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
	p.comments()
}

// comments collects the //go:build and //go:linkname lines.
func (p *parse) comments() {
	own := map[*ast.Comment]bool{}
	for _, d := range p.file.Decls {
		if d, ok := d.(*ast.FuncDecl); ok && d.Recv == nil && d.Doc != nil {
			for _, c := range d.Doc.List {
				f := strings.Fields(c.Text)
				own[c] = len(f) > 1 && f[1] == d.Name.Name
			}
		}
	}
	for _, group := range p.file.Comments {
		for _, c := range group.List {
			f := strings.Fields(c.Text)
			at := PosAt(p.cell.Src, p.srcOffset(p.off(c.Pos())))
			switch {
			case constraint.IsGoBuild(c.Text):
				p.cell.Builds = append(p.cell.Builds, BuildLine{strings.TrimSpace(c.Text), at})
			case len(f) > 1 && f[0] == linknameLine:
				l := Linkname{Local: f[1], Text: c.Text, Pos: at, Own: own[c]}
				if len(f) > 2 {
					l.Remote = f[2]
				}
				p.cell.Linknames = append(p.cell.Linknames, l)
			}
		}
	}
}

const linknameLine = "//go:linkname"

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
	out.Nullary = d.Recv == nil && !out.Generic && d.Type.Params.NumFields() == 0 && d.Type.Results.NumFields() == 0
	if d.Doc != nil {
		for _, c := range d.Doc.List {
			f := strings.Fields(c.Text)
			out.Linkname = out.Linkname || len(f) > 0 && f[0] == linknameLine
			out.Directed = out.Directed || strings.HasPrefix(c.Text, "//go:")
		}
	}
	if d.Recv != nil && len(d.Recv.List) > 0 {
		out.Recv, out.PtrRecv, out.Generic = receiver(d.Recv.List[0].Type)
	}
	if d.Body != nil {
		out.Ancestors = localAncestors(d.Body)
	}
	p.refs(d, start, &out.Source)
	out.literals(d, start)
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
			out.Ancestors = ancestors(t)
			p.refs(t, t.Pos(), &out.Source)
			p.cell.Decls = append(p.cell.Decls, out)
		}
	case token.VAR:
		for _, s := range d.Specs {
			v := s.(*ast.ValueSpec)
			out := &Decl{Kind: Var, Keyword: "var", Source: p.source(v.Pos(), v.End()), Body: -1}
			out.Names, out.Var = names(v.Names, v.Pos()), varSpec(v)
			out.Embed = embedPatterns(d, v) != ""
			p.refs(v, v.Pos(), &out.Source)
			out.literals(v, v.Pos())
			p.cell.Decls = append(p.cell.Decls, out)
		}
	}
}

// ancestors lists the names of the types that a type embeds, and of the type that it is defined as.
func ancestors(t *ast.TypeSpec) []string {
	list := []string{baseName(t.Type)} // the definition type S T takes over T's promoted methods
	ast.Inspect(t, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok && len(f.Names) == 0 {
			list = append(list, baseName(f.Type))
		}
		return true
	})
	return list
}

// localAncestors lists the ancestors of the types that a function or statement declares.
func localAncestors(n ast.Node) []string {
	var list []string
	ast.Inspect(n, func(n ast.Node) bool {
		if t, ok := n.(*ast.TypeSpec); ok {
			list = append(list, ancestors(t)...)
		}
		return true
	})
	return list
}

func baseName(x ast.Expr) string {
	name, _, _ := receiver(x)
	return name
}

// embedPatterns returns the patterns of the //go:embed lines above a variable.
func embedPatterns(d *ast.GenDecl, v *ast.ValueSpec) string {
	var out []string
	for _, doc := range []*ast.CommentGroup{d.Doc, v.Doc} {
		if doc == nil || doc == d.Doc && len(d.Specs) > 1 {
			continue
		}
		for _, c := range doc.List {
			if patterns, ok := strings.CutPrefix(c.Text, "//go:embed "); ok {
				out = append(out, strings.TrimSpace(patterns))
			}
		}
	}
	return strings.Join(out, " ")
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
