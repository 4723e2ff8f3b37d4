package translate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
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
func (b *book) directives() {
	for _, s := range b.steps {
		for _, d := range s.cell.Directives {
			b.directive(s, d)
		}
	}
}

func (b *book) directive(s *step, d cell.DirectiveLine) {
	args := strings.TrimSpace(d.Args)
	switch {
	case withNote[d.Name] != "":
		s.comments = append(s.comments, strings.TrimSpace(d.Name+" "+args)+": "+withNote[d.Name])
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
		s.before = append(s.before, func(f *file) {
			f.printf("%s.Setenv(%q, %q)\n", f.pkg("os"), name, value)
		})
	case d.Name == "%cd" && args != "" && !strings.ContainsAny(args, "$~"):
		s.before = append(s.before, func(f *file) {
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

func (b *book) writeFile(s *step, d cell.DirectiveLine, args string) {
	if name, ok := strings.CutPrefix(args, "-a "); ok || args == "" || strings.Contains(args, "$") {
		b.refuseOrKeep(s, d.Pos, d.Name, "write the file "+name+" in Go", d.Name+" "+args)
		return
	}
	text := strconv.Quote(d.Body)
	if strconv.CanBackquote(strings.ReplaceAll(d.Body, "\n", "")) && strings.Contains(d.Body, "\n") {
		text = "`" + d.Body + "`"
	}
	s.before = append(s.before, func(f *file) {
		f.printf("if err := %s.WriteFile(%q, []byte(%s), 0o644); err != nil {\n%s.Fatal(err)\n}\n", f.pkg("os"), args, text, f.pkg("log"))
	})
}

// arguments sets the arguments for directives with which a cell is a program. Without arguments the program's own are kept.
func (b *book) arguments(s *step, d cell.DirectiveLine, args string) {
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
	s.before = append(s.before, func(f *file) {
		text := ""
		for _, w := range words {
			text += fmt.Sprintf(", %q", w)
		}
		f.printf("%s.Args = append(%[1]s.Args[:1]%s)\n", f.pkg("os"), text)
	})
}

// refuseOrKeep refuses a directive, or keeps its text as a comment if the user wants that.
func (b *book) refuseOrKeep(s *step, pos cell.Pos, name, hint, text string) {
	if b.opt.Force {
		if text != "" {
			s.comments = append(s.comments, text)
		}
		return
	}
	if hint != "" {
		hint = ": " + hint
	}
	b.mayFail[s.cell.N] = false
	b.refuse(s, pos, "%s has no meaning in a program%s; --force keeps it as a comment", name, hint)
}

// check refuses code that does not behave in a program as in a cell.
func (b *book) check() {
	for _, s := range b.steps {
		for _, st := range s.stmts {
			b.checkRefs(s, &st.Source)
			if st.Define >= 0 && !slices.Contains(st.New, true) {
				b.refuse(s, st.PosIn(st.Define), "no new variables on left side of := (= assigns to a variable that exists)")
			}
			for _, off := range st.facts.Ends(s.raises) {
				if s.index < len(b.steps)-1 || s.raises {
					b.mayFail[s.cell.N] = false // the cell runs in a notebook
					b.refuse(s, st.PosIn(off), "this ends the cell in a notebook, but the whole program: return instead")
				}
			}
		}
		for _, d := range s.cell.Decls {
			b.checkRefs(s, &d.Source)
			if d.Nullary && strings.HasPrefix(d.Names[0].Name, "Example") && source.HasMisplacedOutput(d) {
				b.refuse(s, d.Pos, "the output comment of %s must be its last comment", d.Names[0].Name)
			}
		}
	}
}

func (b *book) checkRefs(s *step, src *cell.Source) {
	for _, r := range src.Refs {
		if name, _, ok := strings.Cut(r.Name, "["); ok && b.tables[s.index][name] == nil && b.lookup(s.index, r) == (target{}) {
			b.refuse(s, src.PosIn(r.Off), "%s is not the value or the text of an earlier cell in a run from the first to the last cell", r.Name)
		}
	}
}

// hasCode reports whether a cell has statements, or functions that are exported.
func hasCode(s *step) bool { return len(s.stmts)+len(s.cell.Decls) > 0 }
