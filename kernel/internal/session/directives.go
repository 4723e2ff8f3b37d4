package session

import (
	"errors"
	"fmt"
	"html"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/python"
	"github.com/perijove/perijove/kernel/internal/spelling"
	"github.com/perijove/perijove/kernel/internal/supervisor"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// A directive describes a line that the session runs and that is not Go, such as %who.
type directive struct {
	names []string
	args  string // the arguments' syntax, for the help
	help  string
	run   func(*run, cell.DirectiveLine) error
}

// A topic is a group of related directives.
type topic struct {
	name string
	list []directive
}

// directives lists the directives of all topics.
func directives() []directive {
	var list []directive
	for _, t := range topics() {
		list = append(list, t.list...)
	}
	return list
}

// topics returns the only list of directives, in the order of %help.
func topics() []topic {
	return append([]topic{
		{"variables and results", []directive{
			{[]string{"%who"}, "[NAME ...]", "list the names of the notebook's variables", (*run).whoDirective},
			{[]string{"%whos"}, "[NAME ...]", "show the notebook's variables with types, sizes and values", (*run).whosDirective},
			{[]string{"%list", "%ls"}, "[NAME ...]", "list what the notebook has declared", (*run).listDirective},
			{[]string{"%remove", "%rm"}, "NAME ...", "remove declarations from the notebook: variables, functions, types, constants", (*run).removeDirective},
			{[]string{"%reset"}, "[out]", "forget everything and start a new process for the cells; %reset out forgets only the results of cells, Out[n]", (*run).resetDirective},
			{[]string{"%restart"}, "", "start a new process for the cells: variables are lost, everything else stays", (*run).restartDirective},
			{[]string{"%replay"}, "[-n] [-without CELL ...]", "after variables were lost, rerun the cells that made and changed them; -n only lists these cells, -without leaves cells out", (*run).replayDirective},
		}},
		{"cells", []directive{
			{[]string{"%history"}, "[N|N-M] ...", "show the text of executed cells: all, or those with these numbers", (*run).historyDirective},
			{[]string{"%load"}, "FILE", "replace the cell's text with that of FILE", (*run).loadDirective},
			{[]string{"%run"}, "FILE", "run a Go file as if it were the cell: its declarations become the notebook's, and its main is called", (*run).runFileDirective},
			{[]string{"%fmt"}, "", "format the cell's text as gofmt does, and run the cell", (*run).fmtDirective},
			{[]string{"%save"}, "DIR", "write the cells that have run without an error as a Go module in folder DIR, as perijove export does", (*run).saveDirective},
			{[]string{"%capture"}, "[-a] FILE", "copy the cell's output to FILE; -a appends", (*run).captureDirective},
			{[]string{"%output"}, "[SIZE|off]", "show or set the limit of the text that a cell may print, such as 500MB (default: 128 MB); the rest is left out", (*run).outputDirective},
			{[]string{"%strict"}, "[on|off]", "let a cell fail if its value is an error, as perijove run --strict does", (*run).strictDirective},
			{[]string{"%traceback"}, "[all|cells]", "show all calls in a traceback, or only those in cells", (*run).tracebackDirective},
		}},
		{"packages", []directive{
			{[]string{"%get"}, "PATH[@VERSION] ...", "add modules, as go get does", (*run).getDirective},
			{[]string{"%autoget", "%noautoget"}, "", "%autoget gets missing packages when a cell imports them; %noautoget only shows how to get them (the default, except in GoNB's notebooks)", (*run).autogetDirective},
		}},
		{"files and programs", []directive{
			{[]string{"!"}, "COMMAND", "run a shell command in the cells' folder", (*run).shellDirective},
			{[]string{"%cd"}, "[DIR]", "change the folder in which cells run", (*run).cdDirective},
			{[]string{"%pwd"}, "", "show the folder in which cells run", (*run).pwdDirective},
			{[]string{"%env"}, "[NAME[[=| ]VALUE]]", "show the environment or one variable, or set a variable, for cells, shell commands and %get", (*run).envDirective},
			{[]string{"%%writefile", "%%file"}, "[-a] FILE", "write the rest of the cell to FILE; -a appends", (*run).writeFileDirective},
			{[]string{"%%bash", "%%sh", "%%script"}, "[PROGRAM] [ARG ...]", "pass the rest of the cell to a shell, or with %%script to PROGRAM, as standard input", (*run).scriptDirective},
			{[]string{"%with_inputs", "%with_password"}, "", "let the next shell command of the cell read what you type; %with_password hides the text", (*run).inputsDirective},
		}},
		{"measurements and tests", measuringDirectives()},
		{"cells as programs", []directive{
			{[]string{"%%", "%main"}, "[ARG ...]", "run the rest of the cell as a program: ARGs become os.Args, and flag.Parse is called", (*run).mainDirective},
			{[]string{"%exec"}, "FUNCTION [ARG ...]", "call FUNCTION as main: ARGs become os.Args, and flag.Parse is called", (*run).execDirective},
			{[]string{"%args"}, "[ARG ...]", "set os.Args for the cells that follow", (*run).argsDirective},
		}},
	}, kernelTopics()...)
}

// kernelTopics returns the last topics of the list.
func kernelTopics() []topic {
	return []topic{
		{"this kernel", []directive{
			{[]string{"%help"}, "[DIRECTIVE]", "show this table, or the help of one directive", (*run).helpDirective},
			{[]string{"%lsmagic"}, "", "list the names of all directives", (*run).lsmagicDirective},
			{[]string{"%version"}, "", "show the versions of this kernel and of Go", (*run).versionDirective},
		}},
		{"GoNB's notebooks", []directive{
			{[]string{"!*"}, "COMMAND", "run a shell command in the module's folder; \"!*go get\" is %get", (*run).moduleShellDirective},
			{[]string{"%goflags"}, "[FLAG ...]", "accepted for GoNB's notebooks, without effect: cells are compiled without go build", (*run).goflagsDirective},
			{[]string{"%track", "%untrack", "%goworkfix"}, "[DIR ...]", "accepted for GoNB's notebooks, without effect: the kernel always watches local packages and reads go.work", (*run).nothingDirective},
			{[]string{"%widgets", "%widgets_hb"}, "", "connect the page for GoNB's widgets and package dom now, instead of at their first use", (*run).widgetsDirective},
			{[]string{"%wasm"}, "", "not supported: in GoNB it compiles a cell for the browser", (*run).wasmDirective},
		}},
	}
}

// measuringDirectives lists the directives that measure and test.
func measuringDirectives() []directive {
	return []directive{
		{[]string{"%time", "%%time"}, "[STATEMENT]", "run STATEMENT, or with %%time the cell, and show the time, the CPU time of all threads, and the allocated memory", (*run).timeDirective},
		{[]string{"%timeit", "%%timeit"}, "[-n N] [-r N] STATEMENT", "repeat STATEMENT, or with %%timeit the rest of the cell after running STATEMENT once, and show the time of a loop: -r runs of -n loops each; the variables that it declares are lost, its changes to the notebook's variables stay", (*run).timeitDirective},
		{[]string{"%%trace"}, "[FOLDER]", "run the cell and show a timeline of its goroutines and processes: when each ran, and what it waited for; FOLDER keeps the traces, for go tool trace", (*run).traceDirective},
		{[]string{"%%prof"}, "[cpu|mem|block|mutex|goroutine] [-o FILE]", "run the cell and show a profile of it: a flame graph, the functions and the lines of the cell with the highest shares; -o writes the profile to FILE, for go tool pprof; the profile includes child processes of package mp", (*run).profDirective},
		{[]string{"%race"}, "[on|off]", "find data races: cells run in a process with Go's race detector, and a cell with a race fails and shows both accesses; variables are lost when the process starts", (*run).raceDirective},
		{[]string{"%test"}, "[-v] [-run RE] [-bench RE] ...", "run the cell's Test, Benchmark, Fuzz and Example functions, as go test does; with flags, run all such functions of the notebook", (*run).testDirective},
		{[]string{"%%bench"}, "[-compare] [-count N] [-benchtime T] [-cpu LIST] [-bench RE]", "measure the rest of the cell as the body of a benchmark's loop, or its Benchmark functions, with package testing: time, bytes and allocations of an operation, with intervals; -bench measures functions of the notebook, -compare compares the last two runs", (*run).benchDirective},
		{[]string{"%goroutines"}, "", "list the goroutines of cells: their state, how long they have been waiting, where, and where they were started", (*run).goroutinesDirective},
		{[]string{"%asm"}, "FUNCTION|TYPE.METHOD", "show the assembly code of a function or method, by source line", (*run).asmDirective},
		{[]string{"%escape"}, "[-v] [FUNCTION|TYPE.METHOD ...]", "show what the compiler decided about functions: which values escape to the heap, what is inlined, which bounds checks are left; -v says how values escape", (*run).escapeDirective},
		{[]string{"%memory"}, "[SIZE|SHARE%|off]", "show the memory in use, or limit it for cells and the processes that they start, such as 4GB or 60%", (*run).memoryDirective},
	}
}

func (r *run) runDirective(d cell.DirectiveLine) *output.Error {
	for _, known := range directives() {
		for _, name := range known.names {
			if name != d.Name {
				continue
			}
			call := known.run
			if known.args == "" && strings.TrimSpace(d.Args) != "" {
				call = takesNoArguments
			}
			if err := call(r, d); err != nil {
				var stopped supervisor.InterruptedError
				if e, ok := err.(*output.Error); ok {
					return e
				} else if errors.As(err, &stopped) {
					return traceback.New(traceback.Interrupted, stopped.Error())
				}
				return traceback.New("DirectiveError", fmt.Sprintf("%s line %d: %s: %v", cell.Name(r.n), d.Pos.Line, d.Name, err))
			}
			return nil
		}
	}
	text := fmt.Sprintf("%s line %d: %s is not a directive", cell.Name(r.n), d.Pos.Line, d.Name)
	if other := python.Magic(d.Name); other != "" {
		text += ": " + other
	} else if near := closestDirective(d.Name); near != "" {
		text += " (did you mean " + near + "?)"
	}
	return traceback.New("DirectiveError", text+"; %help lists all directives")
}

func takesNoArguments(_ *run, d cell.DirectiveLine) error {
	return fmt.Errorf("the directive takes no arguments, but %q follows", strings.TrimSpace(d.Args))
}

// closestDirective returns the directive with the most similar name, or "" if none is
// similar.
func closestDirective(name string) string {
	best, least := "", 3 // edits
	for _, d := range directives() {
		for _, known := range d.names {
			n := spelling.Distance(name, known)
			if strings.HasPrefix(known, name) && len(name) > 2 {
				n = 0
			}
			if n < least && 3*n <= len(name) {
				best, least = known, n
			}
		}
	}
	return best
}

// helpDirective shows a table of the directives by topic, or the help of one directive.
func (r *run) helpDirective(d cell.DirectiveLine) error {
	if name := strings.TrimSpace(d.Args); name != "" {
		if text, ok := directiveHelp(name); ok {
			r.print("%s\n", text)
			return nil
		}
		return fmt.Errorf("%s is not a directive; %%help lists all directives", name)
	}
	var text, page strings.Builder
	page.WriteString("<table>\n")
	for _, t := range topics() {
		fmt.Fprintf(&text, "%s\n", t.name)
		fmt.Fprintf(&page, `<tr><th colspan="2" style="text-align:left">%s</th></tr>`+"\n", html.EscapeString(t.name))
		for _, d := range t.list {
			row(&text, &page, d.usage(), d.help)
		}
		text.WriteString("\n")
	}
	text.WriteString("Go\n")
	page.WriteString(`<tr><th colspan="2" style="text-align:left">Go</th></tr>` + "\n")
	row(&text, &page, "NAME?  NAME??", "show the declaration and the documentation of NAME; NAME?? also shows its source, if the notebook declares it")
	row(&text, &page, "Out[3]  In[3]", "the value that cell 3 has shown; the text of cell 3")
	row(&text, &page, "anything else", "Go code: imports, declarations and statements in any order; the cell shows the value of an expression at its end")
	page.WriteString("</table>")
	r.sink.Display(output.Display{Data: output.Bundle{"text/plain": strings.TrimRight(text.String(), "\n"), "text/html": page.String()}})
	return nil
}

func row(text, page *strings.Builder, usage, help string) {
	fmt.Fprintf(text, "  %-44s %s\n", usage, help)
	fmt.Fprintf(page, `<tr><td style="text-align:left"><code>%s</code></td><td style="text-align:left">%s</td></tr>`+"\n", html.EscapeString(usage), html.EscapeString(help))
}

func (d directive) usage() string {
	return strings.TrimSpace(strings.Join(d.names, ", ") + " " + d.args)
}

// directiveHelp describes one directive.
func directiveHelp(name string) (string, bool) {
	for _, d := range directives() {
		for _, known := range d.names {
			if strings.TrimLeft(known, "%") == strings.TrimLeft(name, "%") {
				return d.usage() + "\n\n" + d.help, true
			}
		}
	}
	return "", false
}

// lsmagicDirective lists the names of all directives.
func (r *run) lsmagicDirective(cell.DirectiveLine) error {
	var names []string
	for _, d := range directives() {
		names = append(names, d.names...)
	}
	r.print("%s\n", strings.Join(names, "  "))
	return nil
}
