package translate

import (
	"fmt"
	"go/types"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/prose"
	"github.com/perijove/perijove/kernel/internal/notebook"
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

// flagFunctions are the functions of package flag for the types of parameters.
var flagFunctions = map[string]string{
	"int": "IntVar", "int64": "Int64Var", "uint": "UintVar", "uint64": "Uint64Var", "float64": "Float64Var",
	"string": "StringVar", "bool": "BoolVar", "time.Duration": "DurationVar",
}

// elementParsers read one element of a parameter that is a slice.
var elementParsers = map[string]string{
	"int": "Atoi(%s)", "float64": "ParseFloat(%s, 64)", "bool": "ParseBool(%s)", "int64": "ParseInt(%s, 10, 64)",
}

// flags writes the flags of the parameters.
func (f *file) flags() {
	flag := f.pkg("flag")
	for _, p := range f.b.parameters {
		name, usage := p.entity.name, p.usage
		v := p.entity.variable().goName
		if fn := flagFunctions[types.TypeString(p.typ, nil)]; fn != "" {
			f.printf("%s.%s(&%s, %q, %s, %q)\n", flag, fn, v, name, v, usage)
			continue
		}
		f.sliceFlag(flag, name, v, usage, p)
	}
	f.printf("%s.Parse()\n", flag)
}

// sliceFlag writes a flag whose value has commas between its elements.
func (f *file) sliceFlag(flag, name, v, usage string, p parameter) {
	slice, ok := p.typ.(*types.Slice)
	elem := ""
	if ok {
		elem = slice.Elem().String()
	}
	if usage == "" {
		usage = "values, separated by commas"
	}
	head := fmt.Sprintf("%s.Func(%q, %q, func(text string) error {\n", flag, name, usage)
	switch {
	case elem == "string":
		f.printf("%s%s = %s.Split(text, \",\")\nreturn nil\n})\n", head, v, f.pkg("strings"))
	case elementParsers[elem] != "":
		f.printf("%s%s = nil\nfor word := range %s.SplitSeq(text, \",\") {\nx, err := %s.%s\nif err != nil {\nreturn err\n}\n%[2]s = append(%[2]s, x)\n}\nreturn nil\n})\n",
			head, v, f.pkg("strings"), f.pkg("strconv"), fmt.Sprintf(elementParsers[elem], f.pkg("strings")+".TrimSpace(word)"))
	default:
		f.printf("// %s has the type %s, which no flag sets.\n", name, types.TypeString(p.typ, nil))
	}
}
