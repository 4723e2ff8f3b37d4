package translate

import (
	"fmt"
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/forward"
)

// selector writes a function that calls one of its bodies, which a variable selects.
func (f *file) selector(fn *function) {
	d := fn.first.decl
	part := &file{b: f.b, imports: f.imports}
	part.copyDecl(fn.first, fn.bodies()[0].step).write(d.FuncEnd, d.Body, map[int]string{d.Names[0].Off: fn.goName})
	head, call, hasResult, err := forward.Call(part.text.String())
	if err != nil {
		s := f.b.steps[fn.first.step]
		f.b.refuse(s, d.Pos, "%s is declared again: %v", fn.name, err)
		return
	}
	f.printf("%s {\nswitch %s {\n", head, fn.version)
	list := fn.bodies()
	for i, in := range list {
		label := fmt.Sprintf("case %d", i+1)
		if i == len(list)-1 {
			label = "default"
		}
		if hasResult {
			f.printf("%s:\nreturn %s\n", label, call(in.goName))
		} else {
			f.printf("%s:\n%s\n", label, call(in.goName))
		}
	}
	f.printf("}\n}\n\n")
}

// versions writes the assignments that select new bodies and constants at a step. They include those of steps without a section just before it.
func (f *file) versions(s *step) {
	b := f.b
	from := s.index
	for from > 0 && b.sectionOf[from-1] == nil {
		from--
	}
	for _, fn := range b.functions {
		if !fn.dispatch {
			continue
		}
		list := fn.bodies()
		now, before := fn.bodyAt(b, s.index), fn.bodyAt(b, from-1)
		if i := slices.Index(list, now); i > 0 && now != before {
			f.printf("%s = %d\n", fn.version, i+1)
		}
	}
	f.change(from-1, s.index)
}

// bodyAt returns the body of a function at a step, or nil.
func (fn *function) bodyAt(b *book, k int) *instance {
	if k < 0 {
		return nil
	}
	e := b.tables[k][fn.name]
	if e == nil || e.kind != cell.Func || b.groupAt(e, k) != fn {
		return nil
	}
	return b.instanceAt(e, k)
}
