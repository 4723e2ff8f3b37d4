package translate

import (
	"go/types"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/flags"
	"github.com/perijove/perijove/kernel/internal/export/prose"
	"github.com/perijove/perijove/kernel/internal/export/resolve"
	"github.com/perijove/perijove/kernel/internal/notebook"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
)

// A parameter is a variable of the cell tagged "parameters", which a flag sets.
type parameter struct {
	entity *resolve.Entity
	typ    types.Type
	usage  string
}

// findParameters finds the parameters of the notebook. Each becomes a flag.
func (b *translation) findParameters(nb *notebook.Notebook) {
	list, err := nb.Parameters()
	if err != nil {
		return // the cell has an error, which the check reports
	}
	for _, s := range b.Steps {
		if !s.Params {
			continue
		}
		b.paramStep = s.Index
		for _, p := range list {
			e := b.Tables[s.Index][p.Name]
			if e == nil || e.Kind != cell.Var || e.Step != s.Index || e.Typ == nil {
				continue
			}
			usage := strings.TrimPrefix(strings.TrimSpace(trailing(s.Cell.Src, e.Stmt)), "//")
			if usage == "" {
				usage = strings.ReplaceAll(strings.TrimSpace(prose.Above(s.Cell.Src, e.Stmt.Pos)), "//", "")
			}
			e.Variable().Used = true
			b.parameters = append(b.parameters, parameter{e, e.Typ, strings.TrimSpace(strings.ReplaceAll(usage, "\n", " "))})
		}
		return
	}
}

// findFlags sets usesFlags if the notebook or a module that it imports may declare flags. It sets hasDisplays, which adds the flag -displays to
// the program, if the notebook imports packages that show pictures or pages and does not read the command line.
func (b *translation) findFlags() {
	for _, s := range b.Steps {
		for _, im := range s.Cell.Imports {
			isShown := strings.HasPrefix(im.Path, "gonum.org/v1/plot") || strings.HasPrefix(im.Path, resolve.LibraryModule+"/lib/") && !slices.Contains(withoutDisplays, im.Path)
			b.hasDisplays = b.hasDisplays || isShown
			b.usesFlags = b.usesFlags || !isShown && !exportdata.IsStd(im.Path)
		}
	}
	for _, s := range b.Steps {
		for _, src := range s.Sources() {
			for _, r := range src.Refs {
				t := b.Lookup(s.Index, r)
				b.usesFlags = b.usesFlags || t.Path == "flag" && r.Name != cell.FlagPackage
				if t.Path == "flag" || t.Path == "os" && r.Sel == "Args" || t.IsMember && r.Name == "Args" {
					b.hasDisplays = false
				}
			}
		}
	}
}

// withoutDisplays are packages of the library that show nothing.
var withoutDisplays = []string{resolve.LibraryModule + "/lib/must", resolve.LibraryModule + "/lib/mp", stopwatchPackage}

// flags writes the flags of the parameters.
func (f *file) flags() {
	flag := f.pkg("flag")
	if f.b.hasDisplays && !slices.ContainsFunc(f.b.parameters, func(p parameter) bool { return p.entity.Name == "displays" }) {
		f.printf("%s.Func(\"displays\", \"write displays to files in the `FOLDER`\", %s.WriteFiles)\n", flag, f.pkg(resolve.DisplayPackage))
	}
	for _, p := range f.b.parameters {
		f.printf("%s\n", flags.Code(p.typ, p.entity.Name, p.entity.Variable().GoName, p.usage, f.pkg))
	}
	f.printf("%s.Parse()\n", flag)
}
