package session

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// An initFailure describes how the initialization of a package ended.
type initFailure struct {
	verb, text string // such as "panicked", and the panic value; text may be empty
	place      string // file and line, or ""
	cell       int
	first      *initFailure // the first attempt, if it ended differently
}

// String returns the end of a sentence that begins with "its initialization".
func (f *initFailure) String() string {
	s := f.verb
	if f.cell > 0 {
		s += " in " + cell.Name(f.cell)
	}
	return s + f.rest()
}

func (f *initFailure) rest() (s string) {
	if f.text != "" {
		s = ": " + f.text
	}
	if f.place != "" {
		s += " (" + f.place + ")"
	}
	return s
}

// recordInitialization records which packages are not initialized after a cell. It returns an error if the cell ended
// during the initialization of a package.
func (r *run) recordInitialization(prog *program.Program, out *control.Outcome) *output.Error {
	var failed *output.Error
	if out.Init != nil {
		failed = r.initError(out)
	}
	if len(out.Uninitialized) == 0 && len(r.session.initFailures) == 0 {
		return failed
	}
	list := map[string]symtab.Failure{}
	for path, cause := range out.Uninitialized {
		if f := r.session.initFailures[cause]; f != nil {
			list[path] = symtab.Failure{Package: cause, Reason: f.String()}
		}
	}
	maps.DeleteFunc(r.session.initFailures, func(path string, _ *initFailure) bool { return out.Uninitialized[path] == "" })
	prog.SetUninitialized(list, out.Init != nil)
	return failed
}

// initError returns the error of a cell that ended during the initialization of a package.
func (r *run) initError(out *control.Outcome) *output.Error {
	path := out.Init.Package
	f := describeInit(out)
	f.cell = r.n
	if at := out.Init.At; at != nil {
		f.place = fmt.Sprintf("%s line %d", r.shortPath(at.File), at.Line)
	}
	if old := r.session.initFailures[path]; old != nil && (old.verb != f.verb || old.text != f.text) {
		f.first = old
	} else if old != nil {
		f.first = old.first
	}
	if r.session.initFailures == nil {
		r.session.initFailures = map[string]*initFailure{}
	}
	r.session.initFailures[path] = f
	name := "InitError"
	if out.How == control.Interrupted {
		name = traceback.Interrupted
	}
	value := fmt.Sprintf("the initialization of package %s %s%s", path, f.verb, f.rest())
	lines := append([]string{value}, r.session.style().Calls(out.Frames)...)
	return &output.Error{Name: name, Value: value, Traceback: append(lines, r.initAdvice(out, f)...)}
}

// initAdvice returns lines about the consequences of a failed initialization.
func (r *run) initAdvice(out *control.Outcome, f *initFailure) []string {
	path := out.Init.Package
	var others []string
	for _, p := range slices.Sorted(maps.Keys(out.Uninitialized)) {
		if p != path && out.Uninitialized[p] == path {
			others = append(others, p)
		}
	}
	if len(others) > 3 {
		others = append(others[:3], fmt.Sprintf("%d more", len(others)-3))
	}
	text := "the package cannot be used"
	if len(others) > 0 {
		text = "the package and the packages that need it (" + strings.Join(others, ", ") + ") cannot be used"
	}
	lines := []string{text + " until a cell imports the package again: the import repeats the initialization, with the package's variables as they were before"}
	if f.first != nil {
		lines = []string{
			"an earlier attempt " + f.first.String(),
			"the state that it left in other packages may be the cause of this failure: %restart starts a new process for the cells",
		}
	}
	return lines
}

// describeInit returns how an initialization ended.
func describeInit(out *control.Outcome) *initFailure {
	switch out.How {
	case control.Panicked:
		return &initFailure{verb: "panicked", text: out.Value}
	case control.Exited:
		return &initFailure{verb: fmt.Sprintf("called os.Exit(%d)", out.Code)}
	case control.Goexit:
		return &initFailure{verb: "called runtime.Goexit"}
	case control.Deadlocked:
		return &initFailure{verb: "is blocked forever"}
	}
	f := &initFailure{verb: "was interrupted"}
	switch g := out.Stuck; {
	case g == nil:
	case g.State == "running", g.State == "runnable":
		f.text = "it is inside one long call"
	default:
		f.text = "it is blocked (" + g.State + ") and could not be stopped"
	}
	return f
}

// shortPath returns the path of a file relative to the notebook's folder or module, if it is inside.
func (r *run) shortPath(file string) string {
	for _, dir := range []string{r.session.dir(), r.session.modules.Dir()} {
		if rel, err := filepath.Rel(dir, file); dir != "" && err == nil && filepath.IsLocal(rel) {
			return rel
		}
	}
	return file
}
