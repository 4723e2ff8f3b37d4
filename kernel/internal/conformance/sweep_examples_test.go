package conformance

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/doc"
	"go/format"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
)

// exampleTimeout is the maximum time of an example. Examples may wait for a server that does not exist.
const exampleTimeout = time.Minute

// runExamples runs examples with an expected output as cells.
func (s *sweep) runExamples() error {
	left := *sweepExamples
	for _, p := range s.packages {
		for _, ex := range examples(p) {
			if left--; left < 0 || s.ctx.Err() != nil {
				return nil
			}
			src, err := playSource(ex)
			if err != nil {
				return err
			}
			failure := s.runExample(ex, src)
			if failure != nil && s.follow(failure) {
				failure = s.runExample(ex, src)
			}
			if failure == nil {
				s.result.Examples++
				continue
			}
			name := fmt.Sprintf("%s: example %q", p.ImportPath, ex.Name)
			if out, err := s.goRun(src); err != nil || !printed(ex, out) {
				s.result.Excused = append(s.result.Excused, fmt.Sprintf("%s in a program: %.300s", name, out))
			} else {
				s.note(fmt.Errorf("%s: %w", name, failure))
			}
			if err := s.open(); err != nil { // a new notebook, since the example may have changed the worker process
				return err
			}
		}
	}
	return nil
}

// examples lists the examples of a package that are complete programs and have an expected
// output.
func examples(p *sweptPackage) []*doc.Example {
	var files []*ast.File
	for _, name := range p.XTestGoFiles {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ParseComments)
		if err == nil {
			files = append(files, f)
		}
	}
	var list []*doc.Example
	for _, ex := range doc.Examples(files...) {
		if ex.Play != nil && ex.Output != "" {
			list = append(list, ex)
		}
	}
	return list
}

func playSource(ex *doc.Example) (string, error) {
	var b bytes.Buffer
	err := format.Node(&b, token.NewFileSet(), ex.Play)
	return b.String(), err
}

func (s *sweep) runExample(ex *doc.Example, src string) error {
	_ = s.cell(blankImports(ex)) // if there is C code this starts a new worker process and prints a notice
	ctx, cancel := context.WithTimeout(s.ctx, exampleTimeout)
	defer cancel()
	s.session.Forget()
	var out recorder
	reply := s.session.Execute(ctx, output.Request{Code: src, StoreHistory: true}, &out)
	if reply.Status != output.OK {
		return fmt.Errorf("%.2000s", strings.Join(reply.Error.Traceback, "\n"))
	}
	if !printed(ex, out.text()) {
		return fmt.Errorf("printed %.500q instead of %.500q", out.text(), ex.Output)
	}
	return nil
}

// printed reports whether the output of an example is as expected.
func printed(ex *doc.Example, got string) bool {
	got, want := strings.TrimSpace(got), strings.TrimSpace(ex.Output)
	if ex.Unordered {
		got, want = sortedLines(got+"\n"), sortedLines(want+"\n")
	}
	return got == want
}

// blankImports returns a cell with the imports of an example as blank imports.
func blankImports(ex *doc.Example) string {
	var b strings.Builder
	for _, d := range ex.Play.Decls { // Play.Imports is not set
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			for _, spec := range g.Specs {
				fmt.Fprintf(&b, "import _ %s\n", spec.(*ast.ImportSpec).Path.Value)
			}
		}
	}
	return b.String()
}
