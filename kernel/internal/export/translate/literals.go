package translate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/resolve"
	"github.com/perijove/perijove/kernel/internal/export/source"
)

// A meaning has the constants that a function literal uses from a step on.
type meaning struct {
	step      int
	constants map[*changing]*resolve.Instance
}

// meanings lists the meanings of a function literal, beginning with the step at which its source runs.
func (c copier) meanings(l source.Literal) []meaning {
	var uses []*changing
	for _, r := range c.src.Refs {
		at := c.facts.LiteralAt(r.Off)
		if at == nil || at.Span != l.Span || r.Key && !c.f.b.valueKeys[keyAt{c.src, r.Off}] || !c.facts.Follows(c.src, r.Off, c.stmt == nil) {
			continue
		}
		for _, x := range c.f.b.changing {
			if x.name == r.Name && !c.isVariable(x) && !slices.Contains(uses, x) {
				uses = append(uses, x)
			}
		}
	}
	var list []meaning
	for k := c.at; k <= c.last && len(uses) > 0; k++ {
		now := meaning{k, map[*changing]*resolve.Instance{}}
		changes := len(list) == 0
		for _, x := range uses {
			now.constants[x] = c.f.b.ConstantAt(x.name, k)
			if now.constants[x] == nil {
				return list
			}
			changes = changes || list[len(list)-1].constants[x] != now.constants[x]
		}
		if changes {
			list = append(list, now)
		}
	}
	return list
}

// following returns the first function literal in a range that has several meanings.
func (c copier) following(from, to int) (source.Literal, []meaning) {
	if len(c.f.b.changing) > 0 && c.facts != nil {
		for _, l := range c.facts.Literals {
			if l.Start >= from && l.End <= to && !l.Once {
				if list := c.meanings(l); len(list) > 1 {
					return l, list
				}
			}
		}
	}
	return source.Literal{}, nil
}

// cases writes the body of a function literal once for each of its meanings.
func (c copier) cases(l source.Literal, list []meaning) {
	f := c.f
	var varying []*changing
	for _, x := range f.b.changing {
		if list[0].constants[x] != list[len(list)-1].constants[x] {
			varying = append(varying, x)
		}
	}
	tag := ""
	if len(varying) == 1 {
		tag = varying[0].version.use(f.b)
	}
	f.printf("\nswitch %s {\n", tag)
	for i, m := range list {
		switch {
		case i == len(list)-1:
			f.printf("default:\n")
		case tag != "":
			f.printf("case %d:\n", f.b.number(varying[0], m))
		default:
			var conditions []string
			for _, x := range varying {
				conditions = append(conditions, fmt.Sprintf("%s == %d", x.version.use(f.b), f.b.number(x, m)))
			}
			f.printf("case %s:\n", strings.Join(conditions, " && "))
		}
		c.body(l, m.step)
		f.endLine()
	}
	f.printf("}\n")
}

func (b *translation) number(x *changing, m meaning) int {
	return slices.Index(b.Constants(x.name), m.constants[x]) + 1
}

// body writes the body of a function literal with the names of a step.
func (c copier) body(l source.Literal, at int) {
	if at != c.at {
		c.at, c.resolve = at, func(r cell.Ref) resolve.Target { return c.f.b.Lookup(at, r) }
	}
	if !l.Labels {
		c.write(l.Lbrace+1, l.Rbrace, nil)
		return
	}
	if l.Result {
		c.f.printf("return ")
	}
	c.f.printf("func()") // a function cannot have two labels with the same name
	c.write(l.Params, l.Lbrace, nil)
	c.f.printf("{")
	c.write(l.Lbrace+1, l.Rbrace, nil)
	c.f.printf("}()")
}
