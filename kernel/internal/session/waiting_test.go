package session

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perijove/perijove"
	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/output"
)

// A hold is a script in place of a program. While a file exists, the script waits; then it executes the program.
type hold struct {
	t    *testing.T
	file string // exists while the program is held
}

// newHold writes the script to path. real is the program that the script executes.
func newHold(t *testing.T, path, real string) *hold {
	t.Helper()
	h := &hold{t, path + ".held"}
	script := fmt.Sprintf("#!/bin/sh\nwhile [ -e '%s' ]; do sleep 0.02; done\nexec '%s' \"$@\"\n", h.file, real)
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *hold) hold() {
	if err := os.WriteFile(h.file, nil, 0o600); err != nil {
		h.t.Error(err)
	}
}

func (h *hold) letGo() {
	if err := os.Remove(h.file); err != nil {
		h.t.Error(err)
	}
}

// heldSession returns a session, and the holds that block the start of its worker processes and compilers.
func heldSession(t *testing.T) (s *Session, worker, compiler *hold) {
	t.Helper()
	whole, err := image.Open(t.Context(), image.Options{Source: perijove.Source})
	if err != nil {
		t.Fatal(err)
	}
	img := *whole
	img.Dir, img.Toolchain.Tools = t.TempDir(), t.TempDir()
	files, err := os.ReadDir(whole.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if path := filepath.Join(img.Dir, f.Name()); path != img.Worker() {
			if err := os.Symlink(filepath.Join(whole.Dir, f.Name()), path); err != nil {
				t.Fatal(err)
			}
		}
	}
	worker = newHold(t, img.Worker(), whole.Worker())
	compiler = newHold(t, img.Toolchain.Compile(), whole.Toolchain.Compile())
	worker.hold()
	if s, err = New(Config{Image: &img, Dir: t.TempDir(), ProgressDelay: noProgress}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, worker, compiler
}

// inBackground executes a cell in a goroutine. The returned function waits for its end and
// returns its output.
func inBackground(t *testing.T, s *Session, code string) (ended func() string) {
	tr := &transcript{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Execute(context.Background(), output.Request{Code: code, StoreHistory: true}, tr)
	}()
	eventually(t, "the cell has begun", func() bool {
		select {
		case <-done:
			return true
		default:
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.running != nil
	})
	return func() string {
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Errorf("%q does not end", code)
		}
		return tr.text()
	}
}

// answers checks that the session answers requests of a front end while a cell runs.
func answers(t *testing.T, s *Session, name, describes string, commTaken bool) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() { s.History() })
	wg.Go(func() {
		if c, err := s.Complete(t.Context(), "strings.HasPre", len("strings.HasPre")); err != nil || len(c.Matches) != 1 {
			t.Errorf("completions of a package: %v, %v", c, err)
		}
		c, err := s.Complete(t.Context(), name, len(name))
		if err != nil || name != "" && (len(c.Matches) == 0 || c.Matches[0].Text != name) {
			t.Errorf("completions of %q: %v, %v", name, c, err)
		}
	})
	wg.Go(func() {
		if d, err := s.Inspect(t.Context(), describes, len(describes)-1, 0); err != nil || !d.Found {
			t.Errorf("what %q is: %v, %v", describes, d, err)
		}
	})
	wg.Go(func() {
		if err := s.Comm(output.Comm{Kind: output.CommOpen, ID: "a", Target: "t"}); (err == nil) != commTaken {
			t.Errorf("a comm: %v", err)
		}
	})
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("the session does not answer")
	}
}

// TestHeldStart: while a worker process starts, the session answers all requests except cells, which wait and can be
// interrupted.
func TestHeldStart(t *testing.T) {
	s, worker, _ := heldSession(t)
	first := inBackground(t, s, "x := 41")
	answers(t, s, "", "fmt.Println", false)
	s.Interrupt()
	mustContain(t, first(), "[error Interrupted]\ninterrupted while ") // the text goes on with the start of the process, or with the compilation
	directive := inBackground(t, s, "%env A=b")
	s.Interrupt()
	mustContain(t, directive(), "[error Interrupted]\ninterrupted while the process that runs the cells was starting")
	second := inBackground(t, s, "%args one\nx := 42\nx + len(os.Args)")
	worker.letGo()
	mustContain(t, second(), "44")

	worker.hold()
	mustContain(t, execute(t, s, "syscall.Kill(os.Getpid(), syscall.SIGKILL)"), "lost variables: x (cell 3)")
	third := inBackground(t, s, "len(os.Args)")
	answers(t, s, "", "fmt.Println", false)
	worker.letGo()
	mustContain(t, third(), "2") // a new worker process has the arguments of %args, too
	worker.hold()
	fourth := inBackground(t, s, "%restart\nx := 43")
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the session does not close")
	}
	mustContain(t, fourth(), "[error ") // interrupted, or the session is closed
}

// replaceFile replaces an executable by a new file, since a running executable cannot be written to.
func replaceFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name+".new", data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

// TestStartFails: if the worker process does not start, the cell fails, and the next cell starts it again.
func TestStartFails(t *testing.T) {
	s, worker, _ := heldSession(t)
	good, err := os.ReadFile(s.cfg.Image.Worker())
	if err != nil {
		t.Fatal(err)
	}
	replaceFile(t, s.cfg.Image.Worker(), []byte("#!/bin/sh\nexit 3\n"))
	s.mu.Lock()
	l := s.launch
	s.mu.Unlock()
	if l != nil { // this launch began before the file was replaced, and may have failed already
		l.cancel()
		<-l.done
	}
	mustContain(t, execute(t, s, "x := 1"), "[error WorkerError]\nthe process that runs the cells did not start: the process ended at once: ")
	replaceFile(t, s.cfg.Image.Worker(), good)
	worker.letGo()
	mustContain(t, execute(t, s, "x := 1\nx"), "1")
}

// TestHeldCompiler: while a cell is compiled, the session answers requests with the state before the cell, and an
// interrupt ends the compiler.
func TestHeldCompiler(t *testing.T) {
	s, worker, compiler := heldSession(t)
	worker.letGo()
	execute(t, s, "committed := 42\nfunc twice(n int) int { return 2 * n }\ntype point struct{ x int }")
	s.program.Load().Compiler.Close() // a compiler that was started before would not be held
	compiler.hold()
	for range 2 {
		cell := inBackground(t, s, "uncommitted := strings.ToUpper(`a`)")
		answers(t, s, "committed", "twice(1)", true)
		if c, err := s.Complete(t.Context(), "point{", len("point{")); err != nil || len(c.Matches) != 1 {
			t.Errorf("fields: %v, %v", c, err)
		}
		if c, err := s.Complete(t.Context(), "uncommit", len("uncommit")); err != nil || len(c.Matches) != 0 {
			t.Errorf("what a cell declares that was not loaded yet: %v, %v", c, err)
		}
		s.Interrupt()
		mustContain(t, cell(), "[error Interrupted]\ninterrupted while compiling")
	}
	cell := inBackground(t, s, "later := twice(committed)\nlater")
	compiler.letGo()
	mustContain(t, cell(), "84")
	compiler.hold()
	cell = inBackground(t, s, "never := 1")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if got := cell(); !strings.Contains(got, "[error Interrupted]") && !strings.Contains(got, "the session is closed") { // the second error if the cell had not reached the compiler
		t.Error(got)
	}
}

// TestQueriesBesideCells sends queries while cells declare and redefine names, fail, and
// lose variables.
func TestQueriesBesideCells(t *testing.T) {
	s := newTestSession(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				code := []string{"T{}.", "f", "strings.To", "len(g.", "v.M(", "import \"net/h", "f(v.N, T{N: "}[(n+i)%7]
				if _, err := s.Complete(t.Context(), code, len(code)); err != nil {
					t.Error(err)
				}
				code = []string{"f(v)", "T", "v.N", "c", "g[int]"}[(n+i)%5]
				if _, err := s.Inspect(t.Context(), code, 1, 1); err != nil {
					t.Error(err)
				}
				s.History()
				s.program.Load().Declarations()
			}
		})
	}
	for i := range 6 {
		for _, code := range []string{
			fmt.Sprintf("type T struct{ N, N%d int }\nfunc (t T) M() int { return t.N + %d }", i, i),
			"v := T{N: 1}",
			"func f(t T) int { return t.M() }\nconst c = 7",
			"func g[X any](x X) X { return x }",
			"f(g(v)) + c",
			"undefined + 1",
			"func f(t T) string { return strings.Repeat(\"a\", t.N) }",
			"import \"container/list\"\nl := list.New()",
			"%rm l",
		} {
			execute(t, s, code)
		}
		if i%2 == 1 {
			execute(t, s, "syscall.Kill(os.Getpid(), syscall.SIGKILL)")
		}
	}
	close(stop)
	wg.Wait()
	if got := execute(t, s, "v := T{N: 3}\nf(v)"); !strings.Contains(got, `"aaa"`) {
		t.Error(got)
	}
}
