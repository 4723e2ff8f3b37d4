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
			{[]string{"%reset"}, "[out]", "forget everything and start a new worker; %reset out drops only the results of cells, Out[n]", (*run).resetDirective},
			{[]string{"%restart"}, "", "start a new worker: variables are lost, the rest stays", (*run).restartDirective},
			{[]string{"%replay"}, "[-n] [-without CELL ...]", "after variables were lost, run again the cells that made them; -n only lists these cells", (*run).replayDirective},
		}},
		{"cells", []directive{
			{[]string{"%history"}, "[N|N-M] ...", "show the text of executed cells: all, or those with these numbers", (*run).historyDirective},
			{[]string{"%load"}, "FILE", "replace the cell's text with that of FILE", (*run).loadDirective},
			{[]string{"%run"}, "FILE", "run a Go file as if it were the cell: its declarations become the notebook's, and its main is called", (*run).runFileDirective},
			{[]string{"%fmt"}, "", "replace the cell's text with its form by gofmt, and run it", (*run).fmtDirective},
			{[]string{"%save"}, "DIR", "write the cells that have run without an error as a Go module in folder DIR, as perijove export does", (*run).saveDirective},
			{[]string{"%capture"}, "[-a] FILE", "copy the cell's output to FILE; -a appends", (*run).captureDirective},
			{[]string{"%output"}, "[SIZE|off]", "how much text a cell may print before the rest is left out, such as 500MB; 128 MB by default", (*run).outputDirective},
			{[]string{"%strict"}, "[on|off]", "a cell whose value is an error fails, as with perijove run --strict", (*run).strictDirective},
			{[]string{"%traceback"}, "[all|cells]", "show all calls in a traceback, or only those in cells", (*run).tracebackDirective},
		}},
		{"packages", []directive{
			{[]string{"%get"}, "PATH[@VERSION] ...", "add modules, as go get does", (*run).getDirective},
			{[]string{"%autoget", "%noautoget"}, "", "get missing packages when a cell imports them, or only say how to (the default, except in GoNB's notebooks)", (*run).autogetDirective},
		}},
		{"files and programs", []directive{
			{[]string{"!"}, "COMMAND", "run a shell command in the cells' folder", (*run).shellDirective},
			{[]string{"%cd"}, "[DIR]", "change the folder in which cells run", (*run).cdDirective},
			{[]string{"%pwd"}, "", "show the folder in which cells run", (*run).pwdDirective},
			{[]string{"%env"}, "[NAME[[=| ]VALUE]]", "show the environment or one variable, or set a variable, for cells, shell commands and %get", (*run).envDirective},
			{[]string{"%%writefile", "%%file"}, "[-a] FILE", "write the rest of the cell to FILE; -a appends", (*run).writeFileDirective},
			{[]string{"%%bash", "%%sh", "%%script"}, "[PROGRAM] [ARG ...]", "feed the rest of the cell to a shell, or with %%script to PROGRAM", (*run).scriptDirective},
			{[]string{"%with_inputs", "%with_password"}, "", "the next shell command of the cell reads what you type", (*run).inputsDirective},
		}},
		{"measurements and tests", measuringDirectives()},
		{"programs as cells", []directive{
			{[]string{"%%", "%main"}, "[ARG ...]", "the rest is the program: ARGs become os.Args and flag.Parse is called", (*run).mainDirective},
			{[]string{"%exec"}, "FUNCTION [ARG ...]", "call FUNCTION as main: ARGs become os.Args and flag.Parse is called", (*run).execDirective},
			{[]string{"%args"}, "[ARG ...]", "set os.Args for the cells that follow", (*run).argsDirective},
		}},
	}, kernelTopics()...)
}

// kernelTopics returns the last topics of the list.
func kernelTopics() []topic {
	return []topic{
		{"this kernel", []directive{
			{[]string{"%help"}, "[DIRECTIVE]", "show this table", (*run).helpDirective},
			{[]string{"%lsmagic"}, "", "list the names of all directives", (*run).lsmagicDirective},
			{[]string{"%version"}, "", "the versions of this kernel and of Go", (*run).versionDirective},
		}},
		{"GoNB's", []directive{
			{[]string{"!*"}, "COMMAND", "run a shell command in the module's folder; \"!*go get\" is %get", (*run).moduleShellDirective},
			{[]string{"%goflags"}, "[FLAG ...]", "accepted for GoNB's notebooks, without effect: cells are compiled without go build", (*run).goflagsDirective},
			{[]string{"%track", "%untrack", "%goworkfix"}, "[DIR ...]", "accepted for GoNB's notebooks: local packages are watched, and go.work is read", (*run).nothingDirective},
			{[]string{"%widgets", "%widgets_hb"}, "", "connect the page for GoNB's widgets and package dom now, not when they are first used", (*run).widgetsDirective},
			{[]string{"%wasm"}, "", "a directive of GoNB that is not supported", (*run).wasmDirective},
		}},
	}
}

// measuringDirectives lists the directives that measure and test.
func measuringDirectives() []directive {
	return []directive{
		{[]string{"%time", "%%time"}, "[STATEMENT]", "run STATEMENT, or with %%time the cell, and show its time, the CPU time of all threads, and its memory", (*run).timeDirective},
		{[]string{"%timeit", "%%timeit"}, "[-n N] [-r N] STATEMENT", "repeat STATEMENT, or with %%timeit the rest of the cell after running STATEMENT once, and show the time of a loop: -n loops in each of -r runs; its variables end with it, its changes to the notebook's stay", (*run).timeitDirective},
		{[]string{"%%trace"}, "[FOLDER]", "run the cell and show a timeline of its goroutines and processes: when each ran, and what it waited for; FOLDER keeps the traces, for go tool trace", (*run).traceDirective},
		{[]string{"%%prof"}, "[cpu|mem|block|mutex|goroutine] [-o FILE]", "run the cell and show a profile of it: a flame graph, the functions and the lines of the cell with the highest shares; -o writes it for go tool pprof; child processes of package mp are part of it", (*run).profDirective},
		{[]string{"%race"}, "[on|off]", "find data races: cells run in a worker with Go's race detector, in which a cell with a race fails and shows both accesses; variables are lost when it starts", (*run).raceDirective},
		{[]string{"%test"}, "[-v] [-run RE] [-bench RE] ...", "run the cell's Test, Benchmark, Fuzz and Example functions, or with flags all of the notebook's, as go test does", (*run).testDirective},
		{[]string{"%%bench"}, "[-compare] [-count N] [-benchtime T] [-cpu LIST] [-bench RE]", "measure the rest of the cell as the body of a benchmark's loop, or its Benchmark functions, with package testing: time, bytes and allocations of an operation, with intervals; -bench measures functions of the notebook, -compare compares the last two runs", (*run).benchDirective},
		{[]string{"%goroutines"}, "", "list the goroutines of cells: their state, how long they have been waiting, where, and where they were started", (*run).goroutinesDirective},
		{[]string{"%asm"}, "FUNCTION|TYPE.METHOD", "show the assembly code of a function or method, by source line", (*run).asmDirective},
		{[]string{"%escape"}, "[-v] [FUNCTION|TYPE.METHOD ...]", "show what the compiler decided about functions: which values escape to the heap, what is inlined, which bounds checks are left; -v says how values escape", (*run).escapeDirective},
		{[]string{"%memory"}, "[SIZE|SHARE%|off]", "show the memory in use, or limit it for cells and what they start: 4GB, 60%", (*run).memoryDirective},
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
	text := fmt.Sprintf("%s line %d: %s is not known", cell.Name(r.n), d.Pos.Line, d.Name)
	if other := python.Magic(d.Name); other != "" {
		text += ": " + other
	} else if near := closestDirective(d.Name); near != "" {
		text += ", " + near + " is"
	}
	return traceback.New("DirectiveError", text+"; %help lists all directives")
}

func takesNoArguments(_ *run, d cell.DirectiveLine) error {
	return fmt.Errorf("it takes no arguments, but %q follows", strings.TrimSpace(d.Args))
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
		return fmt.Errorf("%s is not known; %%help lists all directives", name)
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
	row(&text, &page, "NAME?  NAME??", "what NAME is, with its documentation; where the notebook declares it")
	row(&text, &page, "Out[3]  In[3]", "what cell 3 has shown; its text")
	row(&text, &page, "anything else", "imports, declarations and statements in any order; the value of an expression at the end is shown")
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
