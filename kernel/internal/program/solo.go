package program

import (
	"fmt"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// solo completes a unit to a program. An init function, the last of all, runs
// the cell: main is a name that the user may have declared.
func (e *emitter) solo() {
	main := e.b.fresh["main"]
	own := main != nil && main.Kind == cell.Func
	run := "nil"
	switch {
	case len(e.b.stmts) > 0:
		run = e.b.entryName()
	case own:
		run = main.GoName
	}
	// Named so that the compiler takes it last.
	f := &file{e: e, aliases: map[string]string{}, name: "zz_solo.go"}
	e.order = append(e.order, f)
	fmt.Fprintf(&f.body, "\nfunc init() { %s.Main(%s) }\n", f.useOwn(e.b.p.cfg.Solo), run)
	if !e.hasMain() {
		f.body.WriteString("\nfunc main() {}\n")
	}
}

// hasMain reports whether the unit has a function that Go takes for main.
func (e *emitter) hasMain() bool {
	for _, f := range e.order {
		for _, r := range f.regions {
			if r.owner != nil && r.owner.GoName == "main" && r.owner.Recv == "" && r.owner.Kind == cell.Func {
				return true
			}
		}
	}
	return false
}
