package query

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// docOf returns the documentation of an object from the file that declares it.
// Export data has the file name and the line.
func docOf(p *exportdata.Packages, obj types.Object) string {
	fset, f, line := sourceOf(p, obj)
	if f == nil {
		return ""
	}
	return strings.TrimSpace(findDoc(fset, f, line, obj.Name()).Text())
}

// sourceOf returns the file that declares an object, and the line of the declaration, or nil if there is no source. The
// line is 0 for predeclared objects.
func sourceOf(p *exportdata.Packages, obj types.Object) (fset *token.FileSet, f *ast.File, line int) {
	at, importPath := p.Fset.Position(obj.Pos()), "builtin"
	if obj.Pkg() == nil { // predeclared: the file has its documentation, but there is no export data with the line
		at = token.Position{Filename: "$GOROOT/src/builtin/builtin.go"}
	} else {
		importPath = obj.Pkg().Path()
	}
	folder := p.SourceFolder(importPath, at.Filename)
	if folder == nil {
		return nil, nil, 0
	}
	src, err := fs.ReadFile(folder, filepath.Base(at.Filename))
	if err != nil {
		return nil, nil, 0
	}
	fset = token.NewFileSet()
	f, err = parser.ParseFile(fset, at.Filename, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, 0
	}
	return fset, f, at.Line
}

// notebookDoc returns the comment above a declaration of the notebook.
func (q query) notebookDoc(obj types.Object) string {
	key := mangle.Demangle(obj.Name())
	if fn, ok := obj.(*types.Func); ok && fn.Signature().Recv() != nil {
		t := fn.Signature().Recv().Type()
		if ptr, ok := t.(*types.Pointer); ok {
			t = ptr.Elem()
		}
		if named, ok := t.(*types.Named); ok {
			key = mangle.Demangle(named.Obj().Name()) + "." + key
		}
	}
	s := q.table.Names[key]
	if s == nil || s.Decl == nil {
		return ""
	}
	above := strings.Split(s.Origin.Source, "\n")[:s.Decl.Pos.Line-1]
	if s.Kind == cell.Func {
		above = strings.Split(strings.TrimSpace(s.Decl.Text[:s.Decl.FuncEnd]), "\n")
	}
	var doc []string
	for _, line := range slices.Backward(above) {
		text, ok := strings.CutPrefix(strings.TrimSpace(line), "//")
		if !ok {
			break
		}
		if !strings.HasPrefix(text, "go:") {
			doc = append([]string{strings.TrimPrefix(text, " ")}, doc...)
		}
	}
	return strings.Join(doc, "\n")
}

// findDoc returns the comment of the declaration of name on a line, or on any line if line is 0.
func findDoc(fset *token.FileSet, f *ast.File, line int, name string) (doc *ast.CommentGroup) {
	on := func(from, to token.Pos) bool {
		return line == 0 || fset.Position(from).Line <= line && fset.Position(to).Line >= line
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if doc != nil {
			return false
		}
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Name.Name == name && on(n.Name.Pos(), n.Name.Pos()) {
				doc = n.Doc
			}
		case *ast.GenDecl:
			for _, s := range n.Specs {
				if d, ok := specDoc(s, name); ok && on(s.Pos(), s.End()) {
					if doc = d; doc == nil {
						doc = n.Doc
					}
				}
			}
		case *ast.Field:
			for _, id := range n.Names {
				if id.Name == name && on(id.Pos(), id.Pos()) {
					if doc = n.Doc; doc == nil {
						doc = n.Comment
					}
				}
			}
		}
		return true
	})
	return doc
}

func specDoc(s ast.Spec, name string) (*ast.CommentGroup, bool) {
	switch s := s.(type) {
	case *ast.TypeSpec:
		return s.Doc, s.Name.Name == name
	case *ast.ValueSpec:
		for _, id := range s.Names {
			if id.Name == name {
				return s.Doc, true
			}
		}
	}
	return nil, false
}

// packageDoc returns the package comment of a package.
func packageDoc(p *exportdata.Packages, pkg *types.Package) string {
	for _, name := range pkg.Scope().Names() {
		folder := p.SourceFolder(pkg.Path(), p.Fset.Position(pkg.Scope().Lookup(name).Pos()).Filename)
		if folder == nil {
			continue
		}
		names, err := fs.Glob(folder, "*.go")
		if err != nil {
			return ""
		}
		for _, name := range names {
			src, err := fs.ReadFile(folder, name)
			if err != nil {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ParseComments|parser.PackageClauseOnly)
			if err == nil && f.Name.Name == pkg.Name() && f.Doc != nil {
				return strings.TrimSpace(f.Doc.Text())
			}
		}
		return ""
	}
	return ""
}
