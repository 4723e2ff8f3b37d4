package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
)

// A directive is a line that the session runs, not Go.
type directive struct {
	names []string
	args  string // how its arguments are written in the help
	help  string
	run   func(*run, cell.DirectiveLine) error
}

// directives is the one list of them; %help prints it.
func directives() []directive {
	return []directive{
		{[]string{"%%", "%main"}, "[ARG ...]", "the rest is the program: ARGs become os.Args and flag.Parse is called", (*run).main},
		{[]string{"%exec"}, "FUNCTION [ARG ...]", "call FUNCTION as main: ARGs become os.Args and flag.Parse is called", (*run).exec},
		{[]string{"%args"}, "[ARG ...]", "set os.Args for the cells that follow", (*run).args},
		{[]string{"%get"}, "PATH[@VERSION] ...", "add modules, as go get does", (*run).get},
		{[]string{"%autoget", "%noautoget"}, "", "get missing packages as they are imported, or only say how (at first, unless the notebook is GoNB's)", (*run).autoget},
		{[]string{"%cd"}, "[DIR]", "change the folder in which cells run", (*run).cd},
		{[]string{"%pwd"}, "", "show the folder in which cells run", (*run).pwd},
		{[]string{"%env"}, "NAME[=| ]VALUE", "set an environment variable, for cells, shell commands and %get", (*run).env},
		{[]string{"%memory"}, "[SIZE|SHARE%|off]", "show the memory in use, or limit it for cells and what they start: 4GB, 60%", (*run).memory},
		{[]string{"%traceback"}, "[all|cells]", "show all calls in a traceback, or those in cells alone", (*run).traceback},
		{[]string{"%output"}, "[SIZE|off]", "how much text a cell may print before the rest is left out: 500MB", (*run).output},
		{[]string{"%list", "%ls"}, "[NAME ...]", "list what the notebook has declared", (*run).list},
		{[]string{"%remove", "%rm"}, "NAME ...", "forget declarations", (*run).remove},
		{[]string{"%reset"}, "", "forget everything and start a new worker", (*run).reset},
		{[]string{"%restart"}, "", "start a new worker: variables are lost, the rest stays", (*run).restart},
		{[]string{"%replay"}, "[-n] [-without CELL ...]", "after variables were lost, run the cells again that made them; -n only lists those", (*run).replay},
		{[]string{"%%writefile", "%%file"}, "[-a] FILE", "write the rest of the cell to FILE; -a appends", (*run).writeFile},
		{[]string{"%%bash", "%%sh", "%%script"}, "[PROGRAM] [ARG ...]", "feed the rest of the cell to a shell, or with %%script to PROGRAM", (*run).script},
		{[]string{"%capture"}, "[-a] FILE", "copy the cell's output to FILE; -a appends", (*run).capture},
		{[]string{"!"}, "COMMAND", "run a shell command in the cells' folder", (*run).shell},
		{[]string{"!*"}, "COMMAND", "run a shell command in the module's folder; \"!*go get\" is %get", (*run).moduleShell},
		{[]string{"%with_inputs", "%with_password"}, "", "the next shell command of the cell reads what you type", (*run).inputs},
		{[]string{"%test"}, "[-v] [-run RE] [-bench RE] ...", "run the cell's Test, Benchmark, Fuzz and Example functions, or with flags all of the notebook's, as go test does", (*run).test},
		{[]string{"%time", "%%time"}, "[STATEMENT]", "run STATEMENT, or with %%time the cell, and say what that takes: time, CPU time of all threads, memory", (*run).time},
		{[]string{"%timeit", "%%timeit"}, "[-n N] [-r N] STATEMENT", "repeat STATEMENT, or with %%timeit the rest of the cell after doing STATEMENT once, and say what a loop takes: -n loops in each of -r runs; variables that it defines are its own, what it does to others stays", (*run).timeit},
		{[]string{"%version"}, "", "the versions of this kernel and of Go", (*run).version},
		{[]string{"%goflags"}, "[FLAG ...]", "accepted for GoNB's notebooks, without effect: cells are compiled without go build", (*run).goflags},
		{[]string{"%track", "%untrack", "%goworkfix"}, "", "accepted for GoNB's notebooks: local packages are watched, and go.work is read", (*run).nothing},
		{[]string{"%widgets", "%widgets_hb"}, "", "connect the page now with what GoNB's widgets and package dom need; their use does it, too", (*run).widgets},
		{[]string{"%wasm"}, "", "GoNB's, and not done here", (*run).wasm},
		{[]string{"%help"}, "", "show this list", (*run).help},
	}
}

// A run is one cell on its way through the session.
type run struct {
	*Session
	ctx  context.Context
	n    int
	sink output.Sink

	asks  *asking  // set by %with_inputs
	tests *testRun // set by %test
}

func (r *run) directive(d cell.DirectiveLine) *output.Error {
	for _, known := range directives() {
		for _, name := range known.names {
			if name != d.Name {
				continue
			}
			if err := known.run(r, d); err != nil {
				var stopped waitInterrupted
				if e, ok := err.(*output.Error); ok {
					return e
				} else if errors.As(err, &stopped) {
					return failure(interrupted, stopped.Error())
				}
				return failure("DirectiveError", fmt.Sprintf("%s line %d: %s: %v", cell.Name(r.n), d.Pos.Line, d.Name, err))
			}
			return nil
		}
	}
	text := fmt.Sprintf("%s line %d: %s is not known", cell.Name(r.n), d.Pos.Line, d.Name)
	if near := nearest(d.Name); near != "" {
		text += ", " + near + " is"
	}
	return failure("DirectiveError", text+"; %help lists all directives")
}

func (r *run) print(format string, args ...any) {
	r.sink.Stream(output.Stdout, fmt.Sprintf(format, args...))
}

func (r *run) nothing(cell.DirectiveLine) error { return nil }

func (r *run) help(cell.DirectiveLine) error {
	for _, d := range directives() {
		r.print("%-44s %s\n", strings.TrimSpace(strings.Join(d.names, ", ")+" "+d.args), d.help)
	}
	r.print("%-44s %s\n", "NAME?  NAME??", "what NAME is, with its documentation; where the notebook declares it")
	r.print("\nEverything else is Go: imports, declarations and statements in any order.\n")
	return nil
}

// main sets the arguments; the call of flag.Parse is a statement of the cell.
func (r *run) main(d cell.DirectiveLine) error { return r.args(d) }

func (r *run) args(d cell.DirectiveLine) error {
	args, err := words(d.Args)
	if err != nil {
		return err
	}
	r.setup.Args = append([]string{"notebook"}, args...)
	return r.applySetup(r.ctx, control.Setup{Args: r.setup.Args})
}

func (r *run) traceback(d cell.DirectiveLine) error {
	switch strings.TrimSpace(d.Args) {
	case "all":
		r.allFrames.Store(true)
	case "cells", "":
		r.allFrames.Store(false)
	default:
		return errors.New("write %traceback all or %traceback cells")
	}
	return nil
}

func (r *run) cd(d cell.DirectiveLine) error {
	dir := strings.TrimSpace(d.Args)
	if home, err := os.UserHomeDir(); err == nil && (dir == "" || dir == "~" || strings.HasPrefix(dir, "~/")) {
		dir = filepath.Join(home, strings.TrimPrefix(strings.TrimPrefix(dir, "~"), "/"))
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(r.dir(), dir)
	}
	if st, err := os.Stat(dir); err != nil {
		return err
	} else if !st.IsDir() {
		return fmt.Errorf("%s is not a folder", dir)
	}
	if err := r.applySetup(r.ctx, control.Setup{Dir: dir}); err != nil {
		return err
	}
	r.setup.Dir = dir
	r.modules.SetFolder(dir)
	r.print("%s\n", dir)
	return nil
}

func (r *run) pwd(cell.DirectiveLine) error {
	r.print("%s\n", r.dir())
	return nil
}

// dir is the folder in which cells run.
func (s *Session) dir() string {
	if s.setup.Dir != "" {
		return s.setup.Dir
	}
	return s.startDir()
}

// startDir is the folder in which a new worker starts.
func (s *Session) startDir() string {
	dir, err := filepath.Abs(s.cfg.Dir)
	if err != nil {
		return s.cfg.Dir
	}
	return dir
}

func (r *run) env(d cell.DirectiveLine) error {
	arg := strings.TrimSpace(d.Args)
	i := strings.IndexAny(arg, "= \t")
	if i <= 0 {
		return errors.New("write %env NAME=VALUE")
	}
	name, value := arg[:i], strings.TrimSpace(arg[i+1:])
	v := name + "=" + value
	if err := r.applySetup(r.ctx, control.Setup{Env: []string{v}}); err != nil {
		return err
	}
	r.setup.Env = append(r.setup.Env, v)
	if !r.modules.Setenv(name, value) && strings.HasPrefix(name, "GO") {
		r.sink.Stream(output.Stderr, name+" is set for cells and what they start; packages are compiled with what it was when the kernel started\n")
	}
	return nil
}

func (r *run) get(d cell.DirectiveLine) error {
	paths, err := words(d.Args)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return errors.New("write %get PATH or %get PATH@VERSION")
	}
	line := r.progress()
	getting := "getting " + strings.Join(paths, ", ")
	line.set(getting, getting)
	said, err := r.modules.Get(r.ctx, paths)
	line.end()
	if said != "" {
		r.sink.Stream(output.Stderr, said)
	}
	return err
}

func (r *run) reset(d cell.DirectiveLine) error {
	if d.Args != "" && d.Args != "-f" {
		return errors.New("write %reset alone, it forgets everything; %rm forgets one name, %restart the variables")
	}
	if w := r.dropWorker(); w != nil {
		w.kill()
	}
	r.program.Swap(r.newProgram()).Compiler.Close()
	if !r.solo() {
		if _, err := r.ready(r.ctx); err != nil {
			return err
		}
	}
	r.print("everything that the notebook has declared and imported is forgotten\n")
	return nil
}

func (r *run) writeFile(d cell.DirectiveLine) error {
	path, appending, err := r.fileArgument(d.Args)
	if err != nil {
		return err
	}
	f, err := openOutput(path, appending)
	if err != nil {
		return err
	}
	_, err = f.WriteString(d.Body)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	name := path
	if rel, err := filepath.Rel(r.dir(), path); err == nil && filepath.IsLocal(rel) {
		name = rel
	}
	r.print("wrote %d bytes to %s\n", len(d.Body), name)
	return nil
}

// words splits arguments as a shell does for plain and quoted words.
func words(s string) ([]string, error) {
	var list []string
	var b strings.Builder
	in, quote := false, rune(0)
	for _, c := range s {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, in = c, true
		case quote == 0 && (c == ' ' || c == '\t' || c == '\n' || c == '\\'):
			if in {
				list = append(list, b.String())
				b.Reset()
				in = false
			}
		default:
			b.WriteRune(c)
			in = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quotation mark %c is not closed", quote)
	}
	if in {
		list = append(list, b.String())
	}
	return list, nil
}
