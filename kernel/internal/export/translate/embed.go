package translate

import (
	"go/types"
	"os"
	"path/filepath"

	"github.com/perijove/perijove/kernel/internal/embedfiles"
	"github.com/perijove/perijove/kernel/internal/export/prose"
	"github.com/perijove/perijove/kernel/internal/program/check"
)

// embed finds the files of the variables with //go:embed lines. They are copied to the program's folder, and the variables stand at package
// level.
func (b *book) embed() {
	for _, s := range b.steps {
		for _, st := range s.stmts {
			if st.Embed != "" {
				b.embedIn(s, st)
			}
		}
	}
}

func (b *book) embedIn(s *step, st *stmt) {
	e := b.tables[s.index][st.Names[0].Name]
	switch {
	case len(st.Names) != 1 || e == nil || e.stmt != st:
		b.refuse(s, st.Pos, "//go:embed must be above the declaration of one variable")
		return
	case len(st.Var.Values) > 0:
		b.refuse(s, st.Pos, "a variable with //go:embed cannot have a value")
		return
	case e.typ == nil || !check.CanEmbed(e.typ):
		b.refuse(s, st.Pos, "//go:embed fills a string, a []byte or an embed.FS")
		return
	}
	names, err := embedfiles.Match(os.DirFS(b.opt.Dir), st.Embed)
	if err != nil {
		b.refuse(s, st.Pos, "%v", err)
		return
	}
	if basic, ok := e.typ.Underlying().(*types.Basic); len(names) != 1 && (ok && basic.Kind() == types.String || isBytes(e.typ)) {
		b.refuse(s, st.Pos, "//go:embed %s: matches %d files, and %s holds only one: use an embed.FS", st.Embed, len(names), e.name)
		return
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(b.opt.Dir, name))
		if err != nil {
			b.refuse(s, st.Pos, "%v", err)
		}
		b.embedded[filepath.FromSlash(name)] = text
	}
}

func isBytes(t types.Type) bool {
	_, ok := t.Underlying().(*types.Slice)
	return ok
}

// embeddedVariable writes a separate declaration for a variable with a //go:embed line.
func (f *file) embeddedVariable(e *entity) {
	typ := f.typeText(e)
	if f.imports["embed"] == nil { // the go command requires the import
		f.imports["embed"] = map[string]bool{"_": true}
	}
	f.printf("%s//go:embed %s\nvar %s %s\n\n", prose.Above(e.stmt.step.cell.Src, e.stmt.Pos), e.stmt.Embed, e.goName, typ)
}
