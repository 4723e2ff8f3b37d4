package translate

import (
	"go/types"
	"os"
	"path/filepath"

	"github.com/perijove/perijove/kernel/internal/embedfiles"
	"github.com/perijove/perijove/kernel/internal/export/prose"
	"github.com/perijove/perijove/kernel/internal/export/resolve"
	"github.com/perijove/perijove/kernel/internal/program/check"
)

// embed finds the files of the variables with //go:embed lines. They are copied to the program's folder, and the variables stand at package
// level.
func (b *translation) embed() {
	for _, s := range b.Steps {
		for _, st := range s.Stmts {
			if st.Embed != "" {
				b.embedIn(s, st)
			}
		}
	}
}

func (b *translation) embedIn(s *resolve.Step, st *resolve.Stmt) {
	e := b.Tables[s.Index][st.Names[0].Name]
	switch {
	case len(st.Names) != 1 || e == nil || e.Stmt != st:
		b.Fail(s, st.Pos, "//go:embed must be above the declaration of one variable")
		return
	case len(st.Var.Values) > 0:
		b.Fail(s, st.Pos, "a variable with //go:embed cannot have a value")
		return
	case e.Typ == nil || !check.CanEmbed(e.Typ):
		b.Fail(s, st.Pos, "//go:embed needs a variable of type string, []byte or embed.FS")
		return
	}
	names, err := embedfiles.Match(os.DirFS(b.opt.Dir), st.Embed)
	if err != nil {
		b.Fail(s, st.Pos, "%v", err)
		return
	}
	if basic, ok := e.Typ.Underlying().(*types.Basic); len(names) != 1 && (ok && basic.Kind() == types.String || isBytes(e.Typ)) {
		b.Fail(s, st.Pos, "//go:embed %s matches %d files, but %s holds only one: use an embed.FS", st.Embed, len(names), e.Name)
		return
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(b.opt.Dir, name))
		if err != nil {
			b.Fail(s, st.Pos, "%v", err)
		}
		b.embedded[filepath.FromSlash(name)] = text
	}
}

func isBytes(t types.Type) bool {
	_, ok := t.Underlying().(*types.Slice)
	return ok
}

// embeddedVariable writes a separate declaration for a variable with a //go:embed line.
func (f *file) embeddedVariable(e *resolve.Entity) {
	typ := f.typeText(e)
	if f.imports["embed"] == nil { // the go command requires the import
		f.imports["embed"] = map[string]bool{"_": true}
	}
	f.printf("%s//go:embed %s\nvar %s %s\n\n", prose.Above(e.Stmt.Step.Cell.Src, e.Stmt.Pos), e.Stmt.Embed, e.GoName, typ)
}
