package session

import (
	"errors"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/compilerview"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program"
	"github.com/perijove/perijove/kernel/internal/program/compiler"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// listDirective shows the notebook's declarations: the ones that the arguments name, or all.
func (r *run) listDirective(d cell.DirectiveLine) error {
	list := r.session.program.Load().Declarations()
	only := strings.Fields(strings.ReplaceAll(d.Args, ",", " "))
	if len(list) == 0 && len(only) == 0 {
		r.print("the notebook declares nothing yet\n")
	}
	found := map[string]bool{}
	for _, d := range list {
		typeName, _, _ := strings.Cut(d.Name, ".") // for a method, the receiver type
		if len(only) > 0 && !slices.Contains(only, d.Name) && !slices.Contains(only, typeName) {
			continue
		}
		found[d.Name] = true
		where := ""
		if d.Cell > 0 {
			where = "  " + cell.Name(d.Cell)
		}
		if d.Aside != "" {
			where += "  (it no longer compiles: " + d.Aside + ")"
		}
		r.print("%-6s %-20s %s%s\n", d.Kind, d.Name, d.Type, where)
	}
	if len(only) == 0 {
		old, err := r.listDropped()
		if err != nil {
			return err
		}
		for _, line := range old {
			r.print("%s\n", line)
		}
	}
	for _, name := range only {
		if !found[name] {
			return fmt.Errorf("%s is not declared in this notebook", name)
		}
	}
	return nil
}

// sendDropped tells the worker process which variables no name of the notebook refers to any more. The process frees
// their values unless something still uses them.
func (s *Session) sendDropped(w *worker, program *program.Program) {
	list := program.Dropped()
	if slices.Equal(list, w.dropped) {
		return
	}
	if w.Drop(list) == nil {
		w.dropped = list
	}
}

// liveWorker returns the worker process that holds the notebook's state, or nil.
func (r *run) liveWorker() *worker {
	r.session.mu.Lock()
	defer r.session.mu.Unlock()
	if w := r.session.worker; w != nil && !w.IsDead() && !r.session.isStandalone() {
		return w
	}
	return nil
}

// listDropped describes the variables that no name of the notebook refers to any more
// and that are still in use.
func (r *run) listDropped() ([]string, error) {
	w := r.liveWorker()
	if w == nil {
		return nil, nil
	}
	return w.ListDropped(r.ctx)
}

func (r *run) removeDirective(d cell.DirectiveLine) error {
	names, err := splitWords(strings.ReplaceAll(d.Args, ",", " "))
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return errors.New("the name of a declaration is missing: write %rm NAME ...; %list shows the names")
	}
	var errs []error
	needed := map[string][]program.Declaration{}
	for _, name := range names {
		users, err := r.session.program.Load().Remove(name)
		errs = append(errs, err)
		needed[name] = users
	}
	if w := r.liveWorker(); w != nil {
		r.session.sendDropped(w, r.session.program.Load())
	}
	for _, name := range names {
		var list []string
		for _, u := range needed[name] {
			if !slices.Contains(names, u.Name) {
				list = append(list, fmt.Sprintf("%s (cell %d)", u.Name, u.Cell))
			}
		}
		if len(list) > 0 {
			r.print("%s is still used by the loaded code of %s, which cannot be compiled again without it\n", name, strings.Join(list, ", "))
		}
	}
	return errors.Join(errs...)
}

// asmDirective shows the assembly of functions of the notebook.
func (r *run) asmDirective(d cell.DirectiveLine) error {
	names := strings.Fields(d.Args)
	if len(names) != 1 {
		return errors.New("exactly one name is needed: write %asm FUNCTION or %asm TYPE.METHOD")
	}
	found, err := r.functions(names)
	if err != nil {
		return err
	}
	x, err := r.explain(found[0].Cell, "-S")
	if err != nil {
		return err
	}
	var texts []string
	for _, f := range compilerview.ParseAssembly(x.Output) {
		if f.Matches(names[0]) {
			texts = append(texts, f.Assembly(r.lineOf))
		}
	}
	if len(texts) == 0 {
		return fmt.Errorf("the compiler generated no code for %s: a generic function has code only where it is used, and a function that is inlined everywhere may have none", names[0])
	}
	text := strings.TrimSuffix(strings.Join(texts, "\n"), "\n")
	r.sink.Display(output.Display{Data: output.Bundle{"text/plain": text, "text/html": "<pre>" + html.EscapeString(text) + "</pre>"}})
	return nil
}

// escapeDirective shows what the compiler has decided about functions of the notebook.
func (r *run) escapeDirective(d cell.DirectiveLine) error {
	names := strings.Fields(d.Args)
	verbose := len(names) > 0 && names[0] == "-v"
	if verbose {
		names = names[1:]
	}
	found, err := r.functions(names)
	if err != nil {
		return err
	}
	var list []compilerview.Decision
	for i, f := range found {
		if i > 0 && slices.ContainsFunc(found[:i], func(other program.Declaration) bool { return other.Cell == f.Cell }) {
			continue // an earlier function of the list is in the same cell, which was compiled for it
		}
		dir := filepath.Join(r.session.scratch.Path, fmt.Sprintf("log%d", time.Now().UnixNano()))
		x, err := r.explain(f.Cell, "-m", "-json=0,file://"+dir)
		if err != nil {
			return err
		}
		files := map[string]string{}
		for _, f := range x.Files {
			files[f.Name] = f.Text
		}
		decisions, err := compilerview.ReadLog(dir, files)
		os.RemoveAll(dir)
		if err != nil {
			return err
		}
		list = append(append(list, decisions...), compilerview.ParseInlined(x.Output)...)
	}
	list = slices.DeleteFunc(list, func(x compilerview.Decision) bool {
		return !slices.ContainsFunc(found, func(f program.Declaration) bool { return r.contains(f, x.File, x.Line) })
	})
	if len(list) == 0 {
		r.print("the compiler reports nothing: nothing escapes, and no bounds check is left\n")
		return nil
	}
	text, page := compilerview.Decisions(compilerview.Sort(list), r.lineOf, verbose)
	r.sink.Display(output.Display{Data: output.Bundle{"text/plain": text, "text/html": page}})
	return nil
}

// functions returns the notebook's functions and methods with these names, or all if names is empty.
func (r *run) functions(names []string) ([]program.Declaration, error) {
	var list []program.Declaration
	found := map[string]bool{}
	for _, d := range r.session.program.Load().Declarations() {
		if d.Kind != "func" && d.Kind != "method" || d.Cell == 0 || d.Aside != "" {
			continue
		}
		if len(names) == 0 || slices.Contains(names, d.Name) {
			found[d.Name] = true
			list = append(list, d)
		}
	}
	for _, name := range names {
		if !found[name] {
			return nil, fmt.Errorf("%s is not a function or method of this notebook; %%list shows the notebook's declarations", name)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("there is nothing to show: the notebook has no functions")
	}
	return list, nil
}

// explain compiles the functions of a cell again, with further flags of the compiler.
func (r *run) explain(n int, flags ...string) (*compiler.Explanation, error) {
	p := r.session.program.Load()
	src, known := p.Source(n)
	c, errs := cell.Parse(n, src)
	if !known || errs != nil {
		return nil, fmt.Errorf("the source of %s is no longer known: run the cell again", cell.Name(n))
	}
	return p.Explain(r.ctx, c, flags...)
}

// lineOf returns a line of a cell, or "" for other files.
func (r *run) lineOf(file string, line int) string {
	n, ok := traceback.CellOf(file)
	if !ok {
		return ""
	}
	src, _ := r.session.program.Load().Source(n)
	return cell.Line(src, line)
}

// contains reports whether a line of a cell is in the declaration of a function.
func (r *run) contains(f program.Declaration, file string, line int) bool {
	if n, ok := traceback.CellOf(file); !ok || n != f.Cell {
		return false
	}
	src, _ := r.session.program.Load().Source(f.Cell)
	c, errs := cell.Parse(f.Cell, src)
	if errs != nil {
		return false
	}
	for _, d := range c.Decls {
		name := d.Names[0].Name
		if d.Recv != "" {
			name = d.Recv + "." + name
		}
		if name == f.Name && d.Kind == cell.Func {
			first := d.PosIn(d.FuncEnd).Line
			return line >= first && line <= d.PosIn(len(d.Text)).Line
		}
	}
	return false
}
