package query

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/token"
	"go/types"
	"strings"

	"github.com/perijove/perijove/kernel/internal/program/exportdata"
)

// typeSource returns the declaration of a struct or interface type of a package as the package's source has it, with
// the comments of its fields and methods, but without those that are not exported. It returns false if obj is no such
// type, or if there is no source.
func typeSource(p *exportdata.Packages, obj types.Object) (string, bool) {
	name, ok := obj.(*types.TypeName)
	if !ok || name.IsAlias() || name.Pkg() == nil {
		return "", false
	}
	fset, f, line := sourceOf(p, obj)
	if f == nil {
		return "", false
	}
	for _, d := range f.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.TYPE {
			continue
		}
		for _, s := range decl.Specs {
			spec := s.(*ast.TypeSpec)
			if spec.Name.Name == obj.Name() && fset.Position(spec.Pos()).Line <= line && line <= fset.Position(spec.End()).Line {
				return exportedPart(name, spec)
			}
		}
	}
	return "", false
}

// exportedPart returns the text of a declaration with its exported fields or methods.
func exportedPart(name *types.TypeName, spec *ast.TypeSpec) (string, bool) {
	word, list, what := "struct", (*ast.FieldList)(nil), "fields"
	switch t := spec.Type.(type) {
	case *ast.StructType:
		list = t.Fields
	case *ast.InterfaceType:
		word, list, what = "interface", t.Methods, "methods"
	default:
		return "", false
	}
	var b strings.Builder
	fmt.Fprintf(&b, "package p\ntype %s", name.Name())
	if spec.TypeParams != nil {
		fmt.Fprintf(&b, "[%s]", typeParams(spec.TypeParams))
	}
	fmt.Fprintf(&b, " %s {\n", word)
	hidden := false
	for _, field := range list.List {
		names := exportedNames(field)
		if hidden = hidden || len(names) < max(1, len(field.Names)); len(names) == 0 {
			continue
		}
		if field.Doc != nil && !strings.HasSuffix(b.String(), "{\n") {
			b.WriteString("\n")
		}
		writeComment(&b, field.Doc)
		if len(field.Names) > 0 {
			b.WriteString(strings.Join(names, ", ") + " ")
		}
		text := types.ExprString(field.Type)
		if _, ok := field.Type.(*ast.FuncType); ok && word == "interface" && len(field.Names) > 0 {
			text = strings.TrimPrefix(text, "func")
		}
		b.WriteString(text)
		if field.Comment != nil {
			b.WriteString(" // " + strings.Join(strings.Fields(field.Comment.Text()), " "))
		}
		b.WriteString("\n")
	}
	if hidden {
		if !strings.HasSuffix(b.String(), "{\n") {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "// %s that are not exported\n", what)
	}
	text, err := format.Source([]byte(b.String() + "}\n"))
	if err != nil {
		return "", false
	}
	_, text2, _ := strings.Cut(string(text), "type ")
	return "type " + name.Pkg().Name() + "." + strings.TrimSpace(text2), true
}

// exportedNames returns the exported names of a field. An embedded field, or an element of an interface without a
// name, has its type as its name.
func exportedNames(field *ast.Field) (names []string) {
	for _, id := range field.Names {
		if id.IsExported() {
			names = append(names, id.Name)
		}
	}
	if len(field.Names) == 0 {
		text := types.ExprString(field.Type)
		if last := text[strings.LastIndexAny(text, "*.")+1:]; ast.IsExported(last) || strings.ContainsAny(text, "~| ") || types.Universe.Lookup(text) != nil {
			names = []string{text}
		}
	}
	return names
}

func typeParams(list *ast.FieldList) string {
	var parts []string
	for _, f := range list.List {
		var names []string
		for _, id := range f.Names {
			names = append(names, id.Name)
		}
		parts = append(parts, strings.Join(names, ", ")+" "+types.ExprString(f.Type))
	}
	return strings.Join(parts, ", ")
}

func writeComment(b *strings.Builder, c *ast.CommentGroup) {
	if c == nil {
		return
	}
	for line := range strings.SplitSeq(strings.TrimSpace(c.Text()), "\n") {
		b.WriteString("// " + line + "\n")
	}
}
