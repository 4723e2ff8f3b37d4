package translate

import (
	"fmt"
	"slices"

	"github.com/perijove/perijove/kernel/internal/export/forward"
	"github.com/perijove/perijove/kernel/internal/export/resolve"
)

// selector writes a function that calls one of its bodies, which a variable selects.
func (f *file) selector(fn *resolve.Function) {
	d := fn.First.Decl
	part := &file{b: f.b, imports: f.imports}
	part.copyDecl(fn.First, fn.Bodies()[0].Step).write(d.FuncEnd, d.Body, map[int]string{d.Names[0].Off: fn.GoName})
	head, call, hasResult, err := forward.Call(part.text.String())
	if err != nil {
		s := f.b.Steps[fn.First.Step]
		f.b.Refuse(s, d.Pos, "%s is declared again: %v", fn.Name, err)
		return
	}
	f.printf("%s {\nswitch %s {\n", head, fn.Version)
	list := fn.Bodies()
	for i, in := range list {
		label := fmt.Sprintf("case %d", i+1)
		if i == len(list)-1 {
			label = "default"
		}
		if hasResult {
			f.printf("%s:\nreturn %s\n", label, call(in.GoName))
		} else {
			f.printf("%s:\n%s\n", label, call(in.GoName))
		}
	}
	f.printf("}\n}\n\n")
}

// versions writes the assignments that select new bodies and constants at a step. They include the assignments for the
// steps without a section directly before this step.
func (f *file) versions(s *resolve.Step) {
	b := f.b
	from := s.Index
	for from > 0 && b.sectionOf[from-1] == nil {
		from--
	}
	for _, fn := range b.Functions {
		if !fn.Dispatch {
			continue
		}
		list := fn.Bodies()
		now, before := fn.BodyAt(b.Book, s.Index), fn.BodyAt(b.Book, from-1)
		if i := slices.Index(list, now); i > 0 && now != before {
			f.printf("%s = %d\n", fn.Version, i+1)
		}
	}
	f.change(from-1, s.Index)
}
