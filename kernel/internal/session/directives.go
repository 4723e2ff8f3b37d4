package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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
		{[]string{"%args"}, "[ARG ...]", "set os.Args for the cells that follow", (*run).args},
		{[]string{"%get"}, "PATH[@VERSION] ...", "add modules, as go get does", (*run).get},
		{[]string{"%autoget", "%noautoget"}, "", "accepted for GoNB's notebooks; a missing import names the %get that brings it", (*run).nothing},
		{[]string{"%cd"}, "[DIR]", "change the folder in which cells run", (*run).cd},
		{[]string{"%env"}, "NAME[=| ]VALUE", "set an environment variable", (*run).env},
		{[]string{"%memory"}, "[SIZE|SHARE%|off]", "show the memory in use, or limit it for cells and what they start: 4GB, 60%", (*run).memory},
		{[]string{"%traceback"}, "[all|cells]", "show all calls in a traceback, or those in cells alone", (*run).traceback},
		{[]string{"%list", "%ls"}, "", "list what the notebook has declared", (*run).list},
		{[]string{"%remove", "%rm"}, "NAME ...", "forget declarations", (*run).remove},
		{[]string{"%reset"}, "", "forget everything and start a new worker", (*run).reset},
		{[]string{"%%writefile", "%%file"}, "[-a] FILE", "write the rest of the cell to FILE; -a appends", (*run).writeFile},
		{[]string{"!"}, "COMMAND", "run a shell command in the cells' folder", (*run).shell},
		{[]string{"!*"}, "COMMAND", "run a shell command in the module's folder; \"!*go get\" is %get", (*run).moduleShell},
		{[]string{"%help"}, "", "show this list", (*run).help},
	}
}

// A run is one cell on its way through the session.
type run struct {
	*Session
	ctx  context.Context
	n    int
	sink output.Sink

	flags []string // command line flags that the cell defines
}

func (r *run) directive(d cell.DirectiveLine) *output.Error {
	for _, known := range directives() {
		for _, name := range known.names {
			if name != d.Name {
				continue
			}
			if err := known.run(r, d); err != nil {
				return failure("DirectiveError", fmt.Sprintf("%s line %d: %s: %v", cell.Name(r.n), d.Pos.Line, d.Name, err))
			}
			return nil
		}
	}
	return failure("DirectiveError", fmt.Sprintf("%s line %d: %s is not known; %%help lists what is", cell.Name(r.n), d.Pos.Line, d.Name))
}

func (r *run) print(format string, args ...any) {
	r.sink.Stream(output.Stdout, fmt.Sprintf(format, args...))
}

func (r *run) nothing(cell.DirectiveLine) error { return nil }

func (r *run) help(cell.DirectiveLine) error {
	for _, d := range directives() {
		r.print("%-44s %s\n", strings.TrimSpace(strings.Join(d.names, ", ")+" "+d.args), d.help)
	}
	r.print("\nEverything else is Go: imports, declarations and statements in any order.\n")
	return nil
}

// main sets the arguments; parseFlags has put the call of flag.Parse in the
// directive's place.
func (r *run) main(d cell.DirectiveLine) error { return r.args(d) }

func (r *run) args(d cell.DirectiveLine) error {
	args, err := words(d.Args)
	if err != nil {
		return err
	}
	r.setup.Args = append([]string{"notebook"}, args...)
	return r.applySetup(control.Message{Args: r.setup.Args, Flags: r.flags})
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
	if err := r.applySetup(control.Message{Dir: dir}); err != nil {
		return err
	}
	r.setup.Dir = dir
	r.print("%s\n", dir)
	return nil
}

// dir is the folder in which cells run.
func (s *Session) dir() string {
	if s.setup.Dir != "" {
		return s.setup.Dir
	}
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
	v := arg[:i] + "=" + strings.TrimSpace(arg[i+1:])
	if err := r.applySetup(control.Message{Env: []string{v}}); err != nil {
		return err
	}
	r.setup.Env = append(r.setup.Env, v)
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
	said, err := r.modules.Get(r.ctx, paths)
	if said != "" {
		r.sink.Stream(output.Stderr, said)
	}
	return err
}

func (r *run) list(cell.DirectiveLine) error {
	list := r.program.Load().Declarations()
	if len(list) == 0 {
		r.print("nothing is declared yet\n")
	}
	for _, d := range list {
		aside := ""
		if d.Aside != "" {
			aside = "  (set aside: " + d.Aside + ")"
		}
		r.print("%-6s %-20s %s  %s%s\n", d.Kind, d.Name, d.Type, cell.Name(d.Cell), aside)
	}
	return nil
}

func (r *run) remove(d cell.DirectiveLine) error {
	names, err := words(strings.ReplaceAll(d.Args, ",", " "))
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return errors.New("write %rm NAME ...; %list shows the names")
	}
	var errs []error
	for _, name := range names {
		errs = append(errs, r.program.Load().Remove(name))
	}
	return errors.Join(errs...)
}

func (r *run) reset(cell.DirectiveLine) error {
	r.mu.Lock()
	w := r.worker
	r.worker = nil
	r.mu.Unlock()
	if w != nil {
		w.kill()
	}
	r.program.Swap(r.newProgram()).Close()
	_, err := r.ready()
	return err
}

func (r *run) writeFile(d cell.DirectiveLine) error {
	file, appending := strings.CutPrefix(strings.TrimSpace(d.Args), "-a ")
	file = strings.TrimSpace(file)
	if file == "" {
		return errors.New("name a file")
	}
	path := file
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.dir(), path)
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if appending {
		flags = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(d.Body)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	r.print("wrote %d bytes to %s\n", len(d.Body), file)
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

var (
	flagDefinition = regexp.MustCompile(`\bflag\.(?:Bool|Duration|Float64|Func|Int|Int64|String|Text|Uint|Uint64|BoolFunc)(?:Var)?\(\s*(?:&?[\w.]+\s*,\s*)?"([^"]+)"|\bflag\.Var\([^,]+,\s*"([^"]+)"`)
	mainLine       = regexp.MustCompile(`(?m)^[ \t]*(?:%%|%main)(?:[ \t].*)?$`)
)

// definedFlags lists the command line flags that a cell's text defines: they
// must not be in the set already when it runs again.
func definedFlags(src string) []string {
	var list []string
	for _, m := range flagDefinition.FindAllStringSubmatch(src, -1) {
		list = append(list, m[1]+m[2])
	}
	return list
}

// parseFlags makes a %% line a call of flag.Parse: flags that the lines before
// it define are parsed, and the lines after it see the values.
func parseFlags(src string) string {
	return mainLine.ReplaceAllString(src, "flag.Parse()")
}
