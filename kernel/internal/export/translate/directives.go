package translate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/resolve"
)

// withoutEffect are directives that change nothing that a program prints.
var withoutEffect = []string{
	"%goflags", "%track", "%untrack", "%goworkfix", "%widgets", "%widgets_hb",
	"%traceback", "%save", "%rm", "%remove", "%output", "%memory", "%test", "%%trace", "%race", "%with_inputs", "%with_password",
}

// advice tells how to do in a program what a directive does in a notebook.
var advice = map[string]string{
	"!":        "call exec.Command in Go",
	"!*":       "call exec.Command in Go",
	"%%bash":   "call exec.Command in Go",
	"%%sh":     "call exec.Command in Go",
	"%%script": "call exec.Command in Go",
	"%run":     "put the file's declarations into a package and import it",
	"%strict":  "call panic if a value is an error",
	"%capture": "write to the file in Go",
	"%reset":   "give the names that are declared again other names",
	"%restart": "remove the line",
}

// gets are the modules that a notebook adds.
type gets struct {
	paths   []string // arguments of %get
	missing bool     // those of missing packages
}

// directives translates the directives of all cells. They run before the cell's code.
func (b *translation) directives() {
	for _, s := range b.Steps {
		for _, d := range s.Cell.Directives {
			b.directive(s, d)
		}
	}
}

func (b *translation) directive(s *resolve.Step, d cell.DirectiveLine) {
	args := strings.TrimSpace(d.Args)
	switch {
	case withNote[d.Name] != "":
		b.comments[s] = append(b.comments[s], strings.TrimSpace(d.Name+" "+args)+": "+withNote[d.Name])
	case d.Name == "%%time" && args == "", d.Name == cell.BenchName && hasCode(s): // statements measure
	case d.Name == "%noautoget":
		b.gets.missing = false
	case slices.Contains(withoutEffect, d.Name):
	case d.Name == "%get":
		b.gets.paths = append(b.gets.paths, strings.Fields(args)...)
	case d.Name == "%autoget":
		b.gets.missing = true
	case d.Name == "%env" && strings.IndexAny(args, "= \t") > 0:
		i := strings.IndexAny(args, "= \t")
		name, value := args[:i], strings.TrimSpace(args[i+1:])
		b.before[s] = append(b.before[s], func(f *file) {
			f.printf("%s.Setenv(%q, %q)\n", f.pkg("os"), name, value)
		})
	case d.Name == "%cd" && args != "" && !strings.ContainsAny(args, "$~"):
		b.before[s] = append(b.before[s], func(f *file) {
			f.printf("if err := %s.Chdir(%q); err != nil {\n%s.Fatal(err)\n}\n", f.pkg("os"), args, f.pkg("log"))
		})
	case d.Name == "%%writefile" || d.Name == "%%file":
		b.writeFile(s, d, args)
	case d.Name == "%%" || d.Name == "%main" || d.Name == "%args" || d.Name == "%exec":
		b.arguments(s, d, args)
	default:
		b.refuseOrKeep(s, d.Pos, d.Name, advice[d.Name], strings.TrimRight(d.Name+map[bool]string{true: "", false: " "}[strings.HasPrefix(d.Name, "!")]+d.Args+"\n"+d.Body, "\n "))
	}
}

func (b *translation) writeFile(s *resolve.Step, d cell.DirectiveLine, args string) {
	if name, ok := strings.CutPrefix(args, "-a "); ok || args == "" || strings.Contains(args, "$") {
		b.refuseOrKeep(s, d.Pos, d.Name, "write the file "+name+" in Go", d.Name+" "+args)
		return
	}
	text := strconv.Quote(d.Body)
	if strconv.CanBackquote(strings.ReplaceAll(d.Body, "\n", "")) && strings.Contains(d.Body, "\n") {
		text = "`" + d.Body + "`"
	}
	b.before[s] = append(b.before[s], func(f *file) {
		f.printf("if err := %s.WriteFile(%q, []byte(%s), 0o644); err != nil {\n%s.Fatal(err)\n}\n", f.pkg("os"), args, text, f.pkg("log"))
	})
}

// arguments sets the arguments for directives with which a cell is a program. Without arguments the program's own are kept.
func (b *translation) arguments(s *resolve.Step, d cell.DirectiveLine, args string) {
	if d.Name == "%exec" {
		_, args, _ = strings.Cut(args, " ")
	}
	words := strings.Fields(args)
	if strings.ContainsAny(args, "\"'\\$`") {
		b.refuseOrKeep(s, d.Pos, d.Name, "set os.Args in Go, since the arguments contain quotation marks", d.Name+" "+d.Args)
		return
	}
	if len(words) == 0 {
		return
	}
	b.before[s] = append(b.before[s], func(f *file) {
		text := ""
		for _, w := range words {
			text += fmt.Sprintf(", %q", w)
		}
		f.printf("%s.Args = append(%[1]s.Args[:1]%s)\n", f.pkg("os"), text)
	})
}

// refuseOrKeep refuses a directive, or keeps its text as a comment if the user wants that.
func (b *translation) refuseOrKeep(s *resolve.Step, pos cell.Pos, name, hint, text string) {
	if b.opt.Force {
		if text != "" {
			b.comments[s] = append(b.comments[s], text)
		}
		return
	}
	if hint != "" {
		hint = ": " + hint
	}
	b.MayFail[s.Cell.N] = false
	b.Refuse(s, pos, "%s has no meaning in a program%s; --force keeps it as a comment", name, hint)
}
