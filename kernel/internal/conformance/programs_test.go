package conformance

import (
	"fmt"
	"go/build/constraint"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// A program is a test program of $GOROOT/test, with the recipe from its first line.
type program struct {
	file   string // relative to $GOROOT/test
	src    string
	action string   // "run", "rundir" or "runoutput"
	flags  []string // of the compiler
	env    []string
	extra  []string // files of the same package
	args   []string
}

// programs lists the test programs for this platform.
func programs(t *testing.T, root string) []program {
	var list []program
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasSuffix(path, ".dir") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if p, ok := recipe(file, string(src)); ok {
			list = append(list, p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatalf("no programs in %s: this Go distribution comes without its tests", root)
	}
	return list
}

// recipe parses a program's first comment line that is not a build constraint, like the Go
// project's test runner, cmd/internal/testdir.
func recipe(file, src string) (program, bool) {
	p := program{file: file, src: src}
	header, _, _ := strings.Cut(src, "\npackage ")
	var words []string
	for line := range strings.Lines(header) {
		line = strings.TrimSpace(line)
		if constraint.IsGoBuild(line) {
			if x, err := constraint.Parse(line); err != nil || !x.Eval(hasTag) {
				return p, false
			}
		} else if words == nil && line != "" {
			words = splitQuoted(strings.TrimPrefix(line, "//"))
		}
	}
	if len(words) == 0 || !slices.Contains([]string{"run", "rundir", "runoutput"}, words[0]) {
		return p, false
	}
	p.action = words[0]
	p.arguments(words[1:])
	return p, !strings.Contains(src, "import \"C\"")
}

func (p *program) arguments(args []string) {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		flag := args[0]
		args = args[1:]
		next := func() string {
			v := args[0]
			args = args[1:]
			return v
		}
		switch {
		case flag == "-goexperiment":
			p.env = append(p.env, "GOEXPERIMENT="+next())
		case flag == "-godebug":
			p.env = append(p.env, "GODEBUG="+next())
		case flag == "-gcflags":
			p.compile(next())
		case strings.HasPrefix(flag, "-gcflags="):
			p.compile(strings.TrimPrefix(flag, "-gcflags="))
		case flag == "-t":
			next()
		case flag == "-ldflags": // ignored, since cmd/link does not run
			args = nil
		case p.action == "rundir":
			p.flags = append(p.flags, flag)
		}
	}
	for len(args) > 0 && strings.HasSuffix(args[0], ".go") {
		p.extra = append(p.extra, args[0])
		args = args[1:]
	}
	p.args = args
}

// compile adds the compiler flags of a -gcflags value. The image's packages are not compiled
// again.
func (p *program) compile(flags string) {
	p.flags = append(p.flags, strings.Fields(strings.TrimPrefix(flags, "all="))...)
}

// splitQuoted splits at spaces outside of quotes, and removes the quotes.
func splitQuoted(s string) []string {
	var quote rune
	fields := strings.FieldsFunc(s, func(r rune) bool {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote = r
		}
		return quote == 0 && (r == ' ' || r == '\t')
	})
	for i, f := range fields {
		fields[i] = strings.NewReplacer(`"`, "", "'", "").Replace(f)
	}
	return fields
}

// hasTag reports whether a build tag is set. The tag cgo is not set, as in the image.
func hasTag(tag string) bool {
	switch tag {
	case runtime.GOOS, runtime.GOARCH, "gc", "unix", "test_run":
		return true
	}
	var minor int
	_, err := fmt.Sscanf(tag, "go1.%d", &minor)
	return err == nil && minor <= 26
}

// choose picks n of the programs, spread evenly.
func choose[T any](all []T, n int) []T {
	if n < 0 || n >= len(all) {
		return all
	}
	var list []T
	for i := range n {
		list = append(list, all[i*len(all)/n])
	}
	return list
}
