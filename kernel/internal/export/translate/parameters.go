package translate

import (
	"go/types"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/flags"
	"github.com/perijove/perijove/kernel/internal/export/prose"
	"github.com/perijove/perijove/kernel/internal/notebook"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
)

// A parameter is a variable of the cell tagged "parameters", which a flag sets.
type parameter struct {
	entity *entity
	typ    types.Type
	usage  string
}

// findParameters finds the parameters of the notebook. Each becomes a flag.
func (b *book) findParameters(nb *notebook.Notebook) {
	list, err := nb.Parameters()
	if err != nil {
		return // the cell has an error, which the check reports
	}
	for _, s := range b.steps {
		if !s.params {
			continue
		}
		b.paramStep = s.index
		for _, p := range list {
			e := b.tables[s.index][p.Name]
			if e == nil || e.kind != cell.Var || e.step != s.index || e.typ == nil {
				continue
			}
			usage := strings.TrimPrefix(strings.TrimSpace(trailing(s.cell.Src, e.stmt)), "//")
			if usage == "" {
				usage = strings.ReplaceAll(strings.TrimSpace(prose.Above(s.cell.Src, e.stmt.Pos)), "//", "")
			}
			e.variable().used = true
			b.parameters = append(b.parameters, parameter{e, e.typ, strings.TrimSpace(strings.ReplaceAll(usage, "\n", " "))})
		}
		return
	}
}

// findFlags sets usesFlags if the notebook or a module that it imports may declare flags. It sets hasDisplays, which adds the flag -displays to
// the program, if the notebook imports packages that show pictures or pages and does not read the command line.
func (b *book) findFlags() {
	for _, s := range b.steps {
		for _, im := range s.cell.Imports {
			isShown := strings.HasPrefix(im.Path, "gonum.org/v1/plot") || strings.HasPrefix(im.Path, libraryModule+"/lib/") && !slices.Contains(withoutDisplays, im.Path)
			b.hasDisplays = b.hasDisplays || isShown
			b.usesFlags = b.usesFlags || !isShown && !exportdata.IsStd(im.Path)
		}
	}
	for _, s := range b.steps {
		for _, src := range s.sources() {
			for _, r := range src.Refs {
				t := b.lookup(s.index, r)
				b.usesFlags = b.usesFlags || t.path == "flag" && r.Name != cell.FlagPackage
				if t.path == "flag" || t.path == "os" && r.Sel == "Args" || t.isMember && r.Name == "Args" {
					b.hasDisplays = false
				}
			}
		}
	}
}

// withoutDisplays are packages of the library that show nothing.
var withoutDisplays = []string{libraryModule + "/lib/must", libraryModule + "/lib/mp", stopwatchPackage}

// sources lists the pieces of source of a cell.
func (s *step) sources() []*cell.Source {
	var list []*cell.Source
	for _, st := range s.stmts {
		list = append(list, &st.Source)
	}
	for _, d := range s.cell.Decls {
		list = append(list, &d.Source)
	}
	return list
}

// flags writes the flags of the parameters.
func (f *file) flags() {
	flag := f.pkg("flag")
	if f.b.hasDisplays && !slices.ContainsFunc(f.b.parameters, func(p parameter) bool { return p.entity.name == "displays" }) {
		f.printf("%s.Func(\"displays\", \"write displays to files in the `FOLDER`\", %s.WriteFiles)\n", flag, f.pkg(displayPackage))
	}
	for _, p := range f.b.parameters {
		f.printf("%s\n", flags.Code(p.typ, p.entity.name, p.entity.variable().goName, p.usage, f.pkg))
	}
	f.printf("%s.Parse()\n", flag)
}
