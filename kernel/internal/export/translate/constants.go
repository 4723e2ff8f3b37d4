package translate

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/naming"
	"github.com/perijove/perijove/kernel/internal/export/source"
)

// A changing is a constant that is declared again while function literals use it. If all its uses in literals allow a variable, they use one
// that has the current value. Else the literals contain code for each value, and a variable selects among them.
type changing struct {
	name     string
	variable bool // all uses in literals allow a variable
	current  selector
	version  selector
}

// A selector is a variable that changes when a constant changes.
type selector struct {
	name             string
	used, isDeclared bool
}

// use returns the name of the variable.
func (v *selector) use(b *translation) string {
	b.again = b.again || !v.isDeclared
	v.used = true
	return v.name
}

// nameChanging chooses the names of the variables.
func (b *translation) nameChanging(names *naming.Set) {
	for _, x := range b.changing {
		x.current.name = names.Pick("current"+strings.ToUpper(x.name[:1])+x.name[1:], b.Idents)
		x.version.name = names.Pick(x.name+"Version", b.Idents)
	}
}

// changingVariables returns functions that write the declarations of the variables at package level.
func (f *file) changingVariables() (list []func()) {
	for _, x := range f.b.changing {
		for _, v := range []*selector{&x.current, &x.version} {
			v.isDeclared, v.used = v.used, false
		}
		if x.current.isDeclared {
			list = append(list, func() {
				f.printf("%s = %s // the newest %s\n", x.current.name, f.b.Constants(x.name)[0].GoName, x.name)
			})
		}
		if x.version.isDeclared {
			list = append(list, func() { f.printf("%s = 1 // selects the value of %s\n", x.version.name, x.name) })
		}
	}
	return list
}

// change writes the assignments for the constants that change between two steps.
func (f *file) change(before, now int) {
	for _, x := range f.b.changing {
		value := f.b.ConstantAt(x.name, now)
		i := slices.Index(f.b.Constants(x.name), value)
		if i <= 0 || value == f.b.ConstantAt(x.name, before) {
			continue
		}
		if x.current.isDeclared {
			f.printf("%s = %s\n", x.current.name, value.GoName)
		}
		if x.version.isDeclared {
			f.printf("%s = %d\n", x.version.name, i+1)
		}
	}
}

// current returns the variable for a constant in a function literal, or nil.
func (c copier) current(r cell.Ref) *selector {
	b := c.f.b
	if len(b.changing) == 0 || c.facts == nil || r.Key && !b.valueKeys[keyAt{c.src, r.Off}] || !c.facts.Follows(c.src, r.Off, c.stmt == nil) {
		return nil
	}
	for _, x := range b.changing {
		if x.name == r.Name && c.resolve(r).Entity == b.Tables[c.at][r.Name] && c.isVariable(x) {
			return &x.current
		}
	}
	return nil
}

// isVariable reports whether the literals of a source use the variable of a constant. They must still follow the
// constant when it gets its last value.
func (c copier) isVariable(x *changing) bool {
	list := c.f.b.Constants(x.name)
	return x.variable && c.f.b.ConstantAt(x.name, c.last) == list[len(list)-1]
}

// findConstants finds the constants that variables can replace in function literals.
func (c *checked) findConstants() {
	if len(c.b.changing) == 0 || c.b.isDecided {
		return
	}
	c.b.isDecided, c.b.again = true, true
	byName := map[string]*changing{}
	for _, x := range c.b.changing {
		x.variable = true
		for _, in := range c.b.Constants(x.name) {
			byName[in.GoName] = x
		}
	}
	typeOf := map[*changing]types.Type{}
	for _, tree := range c.trees {
		var stack []ast.Node
		ast.Inspect(tree, func(n ast.Node) bool {
			if n == nil {
				stack = stack[:len(stack)-1]
				return true
			}
			if id, ok := n.(*ast.Ident); ok {
				if obj, ok := c.info.Uses[id].(*types.Const); ok && obj.Parent() == obj.Pkg().Scope() && byName[id.Name] != nil {
					x := byName[id.Name]
					if typeOf[x] == nil {
						typeOf[x] = types.Default(obj.Type())
					}
					x.variable = x.variable && types.Identical(typeOf[x], types.Default(obj.Type())) && (!source.IsInLiteral(stack) || source.AllowsVariable(c.info, id, typeOf[x], stack))
				}
			}
			stack = append(stack, n)
			return true
		})
	}
}
