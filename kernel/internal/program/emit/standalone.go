package emit

import (
	"fmt"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// standalone adds a file that makes the unit a complete program. An init function, which runs after all others, runs
// the cell. It cannot be main, since the user may have declared main.
func (e *Emitter) standalone() {
	main := e.in.Main
	own := main != nil && main.Kind == cell.Func
	run := "nil"
	switch {
	case len(e.in.Stmts) > 0:
		run = EntryName(e.in.Origin.Cell)
	case own:
		run = main.GoName
	}
	// The name sorts last, so that the compiler takes this file last.
	f := &File{e: e, Imports: map[string]string{}, Name: "zz_standalone.go"}
	e.Files = append(e.Files, f)
	fmt.Fprintf(&f.body, "\nfunc init() { %s.Main(%s) }\n", f.useOwn(e.in.Standalone), run)
	if !e.hasMain() {
		f.body.WriteString("\nfunc main() {}\n")
	}
}

// hasMain reports whether the unit has a function whose generated name is main.
func (e *Emitter) hasMain() bool {
	for _, f := range e.Files {
		for _, r := range f.regions {
			if r.owner != nil && r.owner.GoName == "main" && r.owner.Recv == "" && r.owner.Kind == cell.Func {
				return true
			}
		}
	}
	return false
}
