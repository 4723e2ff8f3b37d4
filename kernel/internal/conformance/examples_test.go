package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/session"
)

var (
	examplesCount = flag.Int("examples.n", 40, "how many of the standard library's documented examples to run, spread evenly; -1 for all")
	examplesMatch = flag.String("examples.match", "", "run the examples whose PACKAGE.NAME contains this")
)

// impossible lists examples that cannot work in cells as they do in a function, with the reason.
var impossible = map[string]string{
	"runtime.Frames":     "it looks for the name of its own function",
	"runtime.AddCleanup": "it waits for a local variable to be collected, which is a variable of the notebook here",
}

// stdout is a sink that keeps the standard output of cells.
type stdout struct{ recorder }

func (s *stdout) Stream(name, text string) {
	if name == output.Stdout {
		s.recorder.Stream(name, text)
	}
}

// A stdExample is a documented example of the standard library.
type stdExample struct {
	name string
	*doc.Example
	src string
}

// TestStandardExamples runs the standard library's documented examples. Each has one cell for
// its declarations, and one for every statement.
func TestStandardExamples(t *testing.T) {
	img := openImage(t)
	list := standardExamples(t, img)
	total := len(list)
	if *examplesCount >= 0 {
		list = choose(list, *examplesCount)
	}
	work := make(chan stdExample, len(list))
	for _, ex := range list {
		work <- ex
	}
	close(work)
	var mu sync.Mutex
	passed, excused := 0, 0
	var lane sync.WaitGroup
	for range lanes {
		lane.Go(func() {
			for ex := range work {
				err := runStatements(t, img, ex)
				if err == nil {
					mu.Lock()
					passed++
					mu.Unlock()
					continue
				}
				if native := runProgram(t, img, ex); native != nil {
					t.Logf("%s, as a program: %v", ex.name, native)
					mu.Lock()
					excused++
					mu.Unlock()
					continue
				}
				t.Errorf("%s: %v", ex.name, err)
			}
		})
	}
	lane.Wait()
	t.Logf("%d of %d examples (%d in all) passed, %d fail in a program, too", passed, len(list), total, excused)
}

// standardExamples lists the standard library's examples that have an expected output.
func standardExamples(t *testing.T, img *image.Image) []stdExample {
	cmd := exec.CommandContext(t.Context(), goCommand(img), "list", "-json=ImportPath,Dir,XTestGoFiles", "std")
	cmd.Dir = img.Toolchain.Root
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var list []stdExample
	for dec := json.NewDecoder(out); ; {
		p := &sweptPackage{}
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, ex := range examples(p) {
			name := p.ImportPath + "." + ex.Name
			src, err := playSource(ex)
			if err != nil {
				t.Fatal(name, err)
			}
			if impossible[name] == "" && strings.Contains(name, *examplesMatch) {
				list = append(list, stdExample{name, ex, src})
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatal("no examples")
	}
	return list
}

func goCommand(img *image.Image) string { return filepath.Join(img.Toolchain.Root, "bin", "go") }

// statements splits a program into cells: its declarations except main, and each statement
// of main. A statement that affects its function, such as defer, is in one cell with all
// statements after it.
func statements(src string) (cells []string, err error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "example.go", src, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	cut := func(from, to token.Pos) string { return src[fset.Position(from).Offset:fset.Position(to).Offset] }
	var declared strings.Builder
	var body []ast.Stmt
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "main" {
			body = fn.Body.List
			continue
		}
		declared.WriteString(cut(d.Pos(), d.End()) + "\n\n")
	}
	cells = append(cells, declared.String())
	for i, s := range body {
		if ofFunction(s) {
			return append(cells, cut(s.Pos(), body[len(body)-1].End())), nil
		}
		cells = append(cells, cut(s.Pos(), body[i].End()))
	}
	return cells, nil
}

// ofFunction reports whether a statement affects the function around it, or the statements
// beside it.
func ofFunction(s ast.Stmt) bool {
	found := false
	ast.Inspect(s, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.DeferStmt, *ast.ReturnStmt, *ast.LabeledStmt:
			found = true
		}
		return true
	})
	return found
}

func runStatements(t *testing.T, img *image.Image, ex stdExample) error {
	s, err := session.New(session.Config{Image: img, Dir: filepath.Join(img.Toolchain.Root, "src", packageDir(ex.name)), ProgressDelay: noProgress})
	if err != nil {
		return err
	}
	defer s.Close()
	cells, err := statements(ex.src)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(t.Context(), exampleTimeout)
	defer cancel()
	var out stdout
	for _, text := range cells {
		// A semicolon keeps the cell from showing a value.
		reply := s.Execute(ctx, output.Request{Code: text + ";", StoreHistory: true}, &out)
		if reply.Status != output.OK {
			return fmt.Errorf("in the cell\n%s\n%.2000s", text, strings.Join(reply.Error.Traceback, "\n"))
		}
	}
	if !printed(ex.Example, out.text()) {
		return fmt.Errorf("printed\n%.800s\ninstead of\n%.800s\nas cells\n%s", out.text(), ex.Output, strings.Join(cells, "\n--- cell\n"))
	}
	return nil
}

func packageDir(name string) string {
	return filepath.FromSlash(name[:strings.LastIndexByte(name, '.')])
}

// runProgram runs an example as a program and returns an error if its output is wrong.
func runProgram(t *testing.T, img *image.Image, ex stdExample) error {
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(ex.src), 0o644); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(t.Context(), exampleTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, goCommand(img), "run", file)
	cmd.Dir = filepath.Join(img.Toolchain.Root, "src", packageDir(ex.name))
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	if !printed(ex.Example, string(out)) {
		return fmt.Errorf("it prints %.500q", out)
	}
	return nil
}
