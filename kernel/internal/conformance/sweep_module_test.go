package conformance

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/session"
	"golang.org/x/tools/txtar"
)

// A sweep tests the use of one module.
type sweep struct {
	ctx    context.Context
	t      *testing.T
	img    *image.Image
	module sweptModule
	result sweepResult

	cgo      bool   // a package of the module, or a dependency, has C code
	native   string // folder of a module in which go builds programs for comparison
	notebook string // folder of the notebook, with a go.mod
	session  *session.Session
	packages []*sweptPackage
	exports  map[string]string // archives by import path
}

// A sweptPackage is a package in the output of go list.
type sweptPackage struct {
	ImportPath, Name, Dir, Export string
	XTestGoFiles                  []string
	DepOnly                       bool
	Error                         *listError
	DepsErrors                    []*listError
	alias                         string
}

// A listError is the error of a package in the output of go list.
type listError struct{ Err string }

// cellTimeout is the maximum time of a cell whose packages are compiled already, and of
// building and running a program for comparison.
const cellTimeout = 5 * time.Minute

func (s *sweep) close() {
	if s.session != nil {
		_ = s.session.Close()
	}
}

func (s *sweep) run() error {
	s.native, s.notebook = s.t.TempDir(), s.t.TempDir()
	if err := s.open(); err != nil {
		return err
	}
	paths, err := s.first()
	if err != nil {
		return err
	}
	if err := s.listPackages(paths); err != nil {
		return err
	}
	for i, p := range s.packages {
		if s.ctx.Err() != nil {
			return fmt.Errorf("not done within %v", sweepTimeout)
		}
		p.alias = fmt.Sprintf("p%d", i)
		err := s.use(p)
		if err == nil {
			s.result.Counts = true
			s.result.Packages++
		} else if err = s.compare(p, err); err != nil {
			s.note(fmt.Errorf("%s: %w", p.ImportPath, err))
		}
	}
	if err := s.runUse(); err != nil {
		s.note(err)
	}
	return s.runExamples()
}

//go:embed testdata/uses.txtar
var uses []byte

// runUse runs the cell of testdata/uses.txtar for the module, if there is one.
func (s *sweep) runUse() error {
	var code, want string
	for _, f := range txtar.Parse(uses).Files {
		switch f.Name {
		case s.module.path:
			code = string(f.Data)
		case s.module.path + " prints":
			want = string(f.Data)
		}
	}
	if code == "" {
		return nil
	}
	out, err := s.attempt(code)
	if err == nil && !strings.HasSuffix(out, want) { // a notice about go.sum may come before
		err = fmt.Errorf("printed %q instead of %q", out, want)
	}
	if err != nil {
		return fmt.Errorf("the cell of testdata/uses.txtar: %w", err)
	}
	return nil
}

// first gets the module and imports its first package, before the other packages are compiled,
// and measures the time of both. It returns the import paths of the module's packages.
func (s *sweep) first() ([]string, error) {
	start := time.Now()
	failure := s.cell("%get " + s.module.path + "@" + s.module.version)
	s.result.Get = time.Since(start).Seconds()
	paths, err := s.importable()
	if err != nil {
		return nil, err
	}
	if failure != nil {
		return nil, failure
	}
	start = time.Now()
	_ = s.cell(fmt.Sprintf("import _ %q\nfmt.Println(1)", paths[0])) // a failure is reported later, by use
	s.result.Get += time.Since(start).Seconds()
	return paths, nil
}

// note records an error as a failure or as an excuse.
func (s *sweep) note(err error) {
	if errors.As(err, new(excuse)) {
		s.result.Excused = append(s.result.Excused, err.Error())
		return
	}
	s.result.Counts = true
	s.result.Failures = append(s.result.Failures, err.Error())
}

// listPackages compiles packages with the go command and records them.
func (s *sweep) listPackages(paths []string) error {
	args := append([]string{"list", "-mod=mod", "-e", "-export", "-deps", "-json=ImportPath,Name,Dir,Export,XTestGoFiles,DepOnly,Error,DepsErrors", "--"}, paths...)
	out, err := s.goCommand(args...)
	if err != nil {
		return excused("go list: %.2000s", out)
	}
	s.exports = map[string]string{}
	for dec := json.NewDecoder(strings.NewReader(out)); ; {
		p := &sweptPackage{}
		if err := dec.Decode(p); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		s.exports[p.ImportPath] = p.Export
		switch {
		case p.DepOnly:
		case p.Error == nil && p.Export != "":
			s.packages = append(s.packages, p)
		case p.Error == nil && len(p.DepsErrors) == 0:
			return fmt.Errorf("go list: %s has no archive, and no error", p.ImportPath)
		default:
			s.result.Excused = append(s.result.Excused, fmt.Sprintf("%s: %.500s", p.ImportPath, p.reason()))
		}
	}
	if len(s.packages) == 0 {
		return excused("no package of it can be built and imported")
	}
	return nil
}

// reason returns the errors because of which the package cannot be built.
func (p *sweptPackage) reason() string {
	var text []string
	for _, e := range append([]*listError{p.Error}, p.DepsErrors...) {
		if e != nil {
			text = append(text, e.Err)
		}
	}
	return strings.Join(text, "; ")
}

// importable gets the module with the go command and returns the import paths of its packages
// that programs can import.
func (s *sweep) importable() ([]string, error) {
	if err := os.WriteFile(filepath.Join(s.native, "go.mod"), []byte("module sweep\n\ngo 1.26\n"), 0o644); err != nil {
		return nil, err
	}
	if out, err := s.goCommand("get", s.module.path+"@"+s.module.version); err != nil {
		return nil, excused("go get: %s", out)
	}
	s.cgo = true // so that go list includes packages whose files all import "C"
	out, err := s.goCommand("list", "-mod=mod", "-e", "-f", `{{if and .Module (ne .Name "main") (or .GoFiles .CgoFiles)}}{{.Module.Path}} {{.ImportPath}}{{end}}`, s.module.path+"/...")
	if err != nil {
		return nil, excused("go list: %.2000s", out)
	}
	var paths []string
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) == 2 && fields[0] == s.module.path && !strings.Contains("/"+fields[1]+"/", "/internal/") {
			paths = append(paths, fields[1])
		}
	}
	if len(paths) == 0 {
		return nil, excused("no package of it can be imported")
	}
	if *sweepPackages >= 0 {
		paths = choose(paths, *sweepPackages)
	}
	return paths, s.findCgo(paths)
}

// findCgo sets cgo if packages or their dependencies outside the standard library have C code.
func (s *sweep) findCgo(paths []string) error {
	s.cgo = true
	args := append([]string{"list", "-mod=mod", "-e", "-deps", "-f", "{{if and .CgoFiles (not .Standard)}}{{.ImportPath}}{{end}}", "--"}, paths...)
	out, err := s.goCommand(args...)
	if err != nil {
		return excused("go list: %.2000s", out)
	}
	s.cgo = strings.TrimSpace(out) != ""
	return nil
}

// goCommand runs the go command in the folder native.
func (s *sweep) goCommand(args ...string) (string, error) {
	cmd := exec.CommandContext(s.ctx, s.img.Toolchain.Go, args...)
	cmd.Dir = s.native
	cmd.Env = append(s.img.Environ(s.native, s.cgo), "GOWORK=off")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return errs.String(), err
	}
	return out.String(), nil
}

// open opens a session for a new notebook.
func (s *sweep) open() error {
	s.close()
	mod := filepath.Join(s.notebook, "go.mod")
	if _, err := os.Stat(mod); err != nil {
		if err := os.WriteFile(mod, []byte("module notebook\n\ngo 1.26\n"), 0o644); err != nil {
			return err
		}
	}
	var err error
	s.session, err = session.New(session.Config{Image: s.img, Dir: s.notebook, ProgressDelay: noProgress})
	return err
}

// cell executes a cell and returns its error.
func (s *sweep) cell(code string) error {
	_, err := s.prints(code)
	return err
}

// prints executes a cell and returns its output.
func (s *sweep) prints(code string) (string, error) {
	var out recorder
	reply := s.session.Execute(s.ctx, output.Request{Code: code, StoreHistory: true}, &out)
	if reply.Status != output.OK {
		return out.text(), fmt.Errorf("%.3000s", strings.Join(reply.Error.Traceback, "\n"))
	}
	return out.text(), nil
}

// suggestion matches a line that an error tells the user to run.
var suggestion = regexp.MustCompile(`%get [^\s].*`)

// attempt executes a cell. If it fails with a suggestion, attempt runs the suggestion and tries
// again, once.
func (s *sweep) attempt(code string) (string, error) {
	out, err := s.prints(code)
	if err == nil {
		return out, nil
	}
	line := suggestion.FindString(err.Error())
	if line == "" {
		return out, err
	}
	if fails := s.cell(strings.TrimRight(line, ".,;)")); fails != nil {
		return out, fmt.Errorf("%w\nand %s fails: %w", err, line, fails)
	}
	s.result.Followed = append(s.result.Followed, line)
	return s.prints(code)
}

// follow runs the line that an error suggests, and reports whether there was one and it succeeded.
func (s *sweep) follow(failure error) bool {
	line := suggestion.FindString(failure.Error())
	if line == "" || s.cell(strings.TrimRight(line, ".,;)")) != nil {
		return false
	}
	s.result.Followed = append(s.result.Followed, line)
	return true
}

// use imports a package, refers to all of its exported names, and keeps values for the next
// cell.
func (s *sweep) use(p *sweptPackage) error {
	src, err := s.source(p)
	if err != nil {
		return err
	}
	out, err := s.attempt(src.refer)
	if err != nil {
		return err
	}
	if want := fmt.Sprintf("%d symbols\n", src.symbols); !strings.HasSuffix(out, want) {
		return fmt.Errorf("printed %.500q instead of %q", out, want)
	}
	if src.keep != "" {
		if err := s.cell(src.keep); err != nil {
			return fmt.Errorf("keeping a value: %w", err)
		}
		if out, err = s.prints(src.again); err != nil {
			return fmt.Errorf("using a kept value: %w", err)
		}
		if out != src.want {
			return fmt.Errorf("kept values: printed %q instead of %q", out, src.want)
		}
	}
	s.result.Symbols += src.symbols
	return nil
}

// compare checks whether a program built by go also fails, with this package alone or together
// with the packages before it. If so, it returns an excuse.
func (s *sweep) compare(p *sweptPackage, failure error) error {
	if text, err := s.program(p, nil); err != nil {
		return excused("%s in a program: %.300s", p.ImportPath, text)
	}
	if err := s.open(); err != nil {
		return err
	}
	if err := s.use(p); err != nil {
		return fmt.Errorf("%w\n(at first: %w)", err, failure)
	}
	s.result.Counts = true
	s.result.Packages++
	if text, err := s.program(p, s.packages); err != nil {
		return excused("%s beside others in a program: %.300s", p.ImportPath, text)
	}
	return fmt.Errorf("not beside other packages of the module: %w", failure)
}

// program builds and runs a Go program that is equivalent to the cell.
func (s *sweep) program(p *sweptPackage, beside []*sweptPackage) (string, error) {
	src, err := s.source(p)
	if err != nil {
		return err.Error(), err
	}
	var main strings.Builder
	main.WriteString("package main\n\nimport (\n\t\"fmt\"\n\t\"reflect\"\n\t\"runtime\"\n")
	for _, other := range beside {
		if other == p {
			break
		}
		fmt.Fprintf(&main, "\t_ %q\n", other.ImportPath)
	}
	fmt.Fprintf(&main, "\t%s %q\n)\n\nvar _ = reflect.ValueOf\nvar _ = runtime.FuncForPC\n\nfunc main() {\n%s\n}\n", src.alias, p.ImportPath, src.body)
	return s.goRun(main.String())
}

// goRun builds and runs a program and returns its output.
func (s *sweep) goRun(src string) (string, error) {
	dir := filepath.Join(s.native, "program")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(src), 0o644); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(s.ctx, cellTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.img.Toolchain.Go, "run", "-mod=mod", "./program")
	cmd.Dir, cmd.WaitDelay = s.native, time.Second
	cmd.Env = append(s.img.Environ(s.native, true), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	return string(out), err
}
