package instrument

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// TestEndlessCycles: @ marks the positions that endlessCycles returns.
func TestEndlessCycles(t *testing.T) {
	for _, body := range []string{
		`for {@ n++ }`,
		`for {@ }`,
		`for true {@ n++ }`,
		`for ;; n++ {@ }`,
		`for {@ for i := 0; i < 10; i++ { n++ } }`,
		`for { for {@ n++ } }`,
		`if n > 0 { for {@ n++ } }; for {@ n-- }`,
		`for { n++; if n < 0 { break } }`,
		`for { n++; if n < 0 { return } }`,
		`for { n++; if n < 0 { panic("n") } }`,
		`for {@ n++; if off { break } }`,
		`for {@ n++; if off && n > 3 { return } }`,
		`for !off {@ n++ }`,
		`for i := uint(0); i >= 0; i++ {@ n++ }`,
		`for len(s) >= 0 {@ n++ }`,
		`for i := 0; i >= 0; i++ { n++ }`,
		`done := false; for !done {@ n++ }`,
		`done := false; for !done { n++; done = n > 3 }`,
		`done := false; stop := func() { done = true }; for !done { n++; _ = stop }`,
		`done := false; p := &done; for !done { n++; _ = p }`,
		`for n < 0 { n-- }`,
		`L: n++; @goto L`,
		`L: n++; if n < 0 { @goto L }; @goto L`,
		`L: n++; if n < 0 { goto L }`,
		`L: for {@ n++; for { if n < 0 { continue L } } }`,
		`L: for { for { n++; break L } }`,
		`L: switch { default: @goto L }`,
		`goto L; L: n++`,
		`for { select {} }`,
		`for { select { case <-c: } }`,
		`for { select { case <-c: return; default: n++ } }`,
		`for range c { n++ }`,
		`for range 3 { for {@ n++ } }`,
		`for {@ switch n { case 1: break; case 2: n++ } }`,
		`f := func() { for {@ n++ } }; for {@ f() }`,
		`for { f := func() { return }; f(); break }`,
	} {
		src := "package p\nconst off = false\nvar (n int; s []int; c chan int)\nfunc f() {\n" + strings.ReplaceAll(body, "@", "") + "\n}\n"
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "p.go", src, 0)
		if err != nil {
			t.Fatal(body, err)
		}
		info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
		if _, err := (&types.Config{Importer: importer.Default()}).Check("p", fset, []*ast.File{file}, info); err != nil {
			t.Fatal(body, err)
		}
		var at []int
		ast.Inspect(file, func(n ast.Node) bool {
			var b *ast.BlockStmt
			switch n := n.(type) {
			case *ast.FuncDecl:
				b = n.Body
			case *ast.FuncLit:
				b = n.Body
			default:
				return true
			}
			for _, pos := range endlessCycles(b, info) {
				at = append(at, fset.Position(pos).Offset)
			}
			return true
		})
		slices.Sort(at)
		got := src
		for _, off := range slices.Backward(at) {
			got = got[:off] + "@" + got[off:]
		}
		if want := "{\n" + body + "\n}"; !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}
