package translate

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/resolve"
	"github.com/perijove/perijove/kernel/internal/export/source"
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
	"%wasm":    "it needs a browser",
	"%load":    "put the text of the file into the cell",
	"%run":     "put the file's declarations into a package and import it",
	"%strict":  "call panic if a value is an error",
	"%capture": "write to the file in Go",
	"%reset":   "give the names that are declared again other names",
	"%restart": "remove the line",
}

// gets are the modules that a notebook adds.
type gets struct {
	paths   []string // arguments of %get
	missing bool     // get the modules of missing packages
}

// directives translates the directives of all cells. They run before the cell's code.
func (b *translation) directives() {
	for _, s := range b.Steps {
		if s.LeftOut != "" {
			b.comments[s] = append(b.comments[s], cell.Name(s.Cell.N)+" is left out, since it does not compile: "+s.LeftOut)
		}
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
	case d.Name == "%cd":
		b.before[s] = append(b.before[s], func(f *file) { f.changeFolder(args) })
	case d.Name == "%pwd":
		b.before[s] = append(b.before[s], (*file).printFolder)
	case d.Name == "!*" && strings.HasPrefix(args, "go get "):
		words := strings.Fields(strings.TrimPrefix(args, "go get "))
		b.gets.paths = append(b.gets.paths, slices.DeleteFunc(words, func(w string) bool { return w == "-u" })...)
	case d.Name == "%%writefile" || d.Name == "%%file":
		b.writeFile(s, d, args)
	case d.Name == "%%" || d.Name == "%main" || d.Name == "%args" || d.Name == "%exec":
		b.arguments(s, d, args)
	default:
		b.refuseOrKeep(s, d.Pos, d.Name, advice[d.Name], strings.TrimRight(d.Name+map[bool]string{true: "", false: " "}[strings.HasPrefix(d.Name, "!")]+d.Args+"\n"+d.Body, "\n "))
	}
}

// changeFolder writes the code for %cd.
func (f *file) changeFolder(folder string) {
	osName, logName := f.pkg("os"), f.pkg("log")
	rest, isHome := strings.CutPrefix(folder, "~")
	if folder != "" && (!isHome || rest != "" && rest[0] != '/') {
		f.printf("if err := %s.Chdir(%q); err != nil {\n%s.Fatal(err)\n}\n", osName, folder, logName)
		return
	}
	target := "home"
	if rest = strings.Trim(rest, "/"); rest != "" {
		target = fmt.Sprintf("%s.Join(home, %q)", f.pkg("path/filepath"), rest)
	}
	f.printf("if home, err := %[1]s.UserHomeDir(); err != nil {\n%[2]s.Fatal(err)\n} else if err := %[1]s.Chdir(%[3]s); err != nil {\n%[2]s.Fatal(err)\n}\n",
		osName, logName, target)
}

// printFolder writes the code for %pwd.
func (f *file) printFolder() {
	f.printf("if folder, err := %s.Getwd(); err != nil {\n%s.Fatal(err)\n} else {\n%s.Println(folder)\n}\n", f.pkg("os"), f.pkg("log"), f.pkg("fmt"))
}

// writeFile translates %%writefile.
func (b *translation) writeFile(s *resolve.Step, d cell.DirectiveLine, args string) {
	name, isAppended := strings.CutPrefix(args, "-a ")
	name = strings.TrimSpace(name)
	ofKernel := ""
	os.Expand(name, func(variable string) string {
		if strings.HasPrefix(variable, "GONB_") {
			ofKernel = variable
		}
		return ""
	})
	if name == "" || ofKernel != "" {
		hint := "the name of a file is missing: write it after the directive"
		if ofKernel != "" {
			hint = "the file's name contains the environment variable " + ofKernel + ", which only the kernel sets"
		}
		b.refuseOrKeep(s, d.Pos, d.Name, hint, d.Name+" "+args)
		return
	}
	b.before[s] = append(b.before[s], func(f *file) { f.writeText(name, source.Quote(d.Body), isAppended) })
}

// writeText writes code that writes a text, a string literal, to a file.
func (f *file) writeText(name, text string, isAppended bool) {
	osName, logName := f.pkg("os"), f.pkg("log")
	file := strconv.Quote(name)
	if strings.Contains(name, "$") {
		file = fmt.Sprintf("%s.ExpandEnv(%q)", osName, name)
	}
	if !isAppended {
		f.printf("if err := %s.WriteFile(%s, []byte(%s), 0o644); err != nil {\n%s.Fatal(err)\n}\n", osName, file, text, logName)
		return
	}
	f.printf("if f, err := %[1]s.OpenFile(%[2]s, %[1]s.O_WRONLY|%[1]s.O_CREATE|%[1]s.O_APPEND, 0o644); err != nil {\n%[4]s.Fatal(err)\n"+
		"} else if _, err := f.WriteString(%[3]s); err != nil {\n%[4]s.Fatal(err)\n} else if err := f.Close(); err != nil {\n%[4]s.Fatal(err)\n}\n",
		osName, file, text, logName)
}

// arguments sets the arguments for directives with which a cell is a program. Without arguments, the program's own
// arguments are kept.
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
	if hint == "" {
		hint = "it is about the kernel, so remove the line"
	}
	b.Refuse(s, pos, "%s has no meaning in a program: %s; --force keeps it as a comment", name, hint)
}
