package conformance

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"go/build/constraint"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perijove/perijove"
	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/session"
)

var count = flag.Int("gotest.n", 100, "how many programs of $GOROOT/test to run; -1 for all")

// missing are the programs that cannot pass as cells, and why.
var missing = map[string]string{
	"nilptr.go": "wants a 256 MB variable below the address 256 MB; loaded variables lie above",
}

// unordered are the programs that print to both streams. These are two pipes,
// as for any program, so lines of one may change places with lines of the other.
var unordered = map[string]bool{"fixedbugs/issue21808.go": true}

// watchdog ends a program that hangs.
const watchdog = 3 * time.Minute

func TestRunPrograms(t *testing.T) {
	img, err := image.Open(t.Context(), image.Options{Source: perijove.Source})
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(img.Toolchain.Root, "test")
	// The programs find the toolchain as the Go project's own test runner lets them.
	t.Setenv("STDLIB_IMPORTCFG", img.ImportcfgFile())
	list := choose(programs(t, root), *count)
	if len(list) == 0 {
		t.Fatalf("no programs in %s", root)
	}
	var mu sync.Mutex
	passed := 0
	t.Run("program", func(t *testing.T) {
		for _, file := range list {
			t.Run(file, func(t *testing.T) {
				t.Parallel()
				err := run(t, img, root, file)
				if why := missing[file]; why != "" {
					if err == nil {
						t.Errorf("passes though it is listed as missing: %s", why)
					}
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				passed++
				mu.Unlock()
			})
		}
	})
	t.Logf("%d of %d programs passed", passed, len(list))
}

// choose picks n of the programs, spread evenly.
func choose(all []string, n int) []string {
	if n < 0 || n >= len(all) {
		return all
	}
	var list []string
	for i := range n {
		list = append(list, all[i*len(all)/n])
	}
	return list
}

// programs lists the single-file programs marked "// run" that this platform builds.
func programs(t *testing.T, root string) []string {
	var list []string
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.Contains(path, ".dir/") {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if first, _, _ := strings.Cut(string(src), "\n\n"); !slices.Contains(strings.Split(first, "\n"), "// run") || !builds(src) {
			return nil
		}
		name, err := filepath.Rel(root, path)
		list = append(list, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// builds evaluates a file's build constraints. Cgo is off, as in the image.
func builds(src []byte) bool {
	if bytes.Contains(src, []byte("import \"C\"")) {
		return false
	}
	for line := range bytes.Lines(src) {
		text := strings.TrimSpace(string(line))
		if strings.HasPrefix(text, "package ") {
			break
		}
		if !constraint.IsGoBuild(text) {
			continue
		}
		x, err := constraint.Parse(text)
		if err != nil || !x.Eval(hasTag) {
			return false
		}
	}
	return true
}

func hasTag(tag string) bool {
	switch tag {
	case runtime.GOOS, runtime.GOARCH, "gc", "unix":
		return true
	}
	var minor int
	_, err := fmt.Sscanf(tag, "go1.%d", &minor)
	return err == nil && minor <= 26
}

// run executes one program as a cell and compares what it prints.
func run(t *testing.T, img *image.Image, root, file string) error {
	src, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return err
	}
	s, err := session.New(session.Config{Image: img, Dir: root})
	if err != nil {
		return err
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), watchdog)
	defer cancel()
	var out recorder
	// Programs that look for themselves on the stack are told their file's name.
	code := strings.ReplaceAll(string(src), filepath.Base(file), cell.Name(1))
	code = strings.ReplaceAll(code, strings.TrimSuffix(filepath.Base(file), ".go")+`\.go`, `Cell \[1\]`)
	reply := s.Execute(ctx, output.Request{Code: code, StoreHistory: true}, &out)
	if reply.Status != output.OK {
		return fmt.Errorf("%s\n%s", strings.Join(reply.Error.Traceback, "\n"), out.tail())
	}
	want, err := os.ReadFile(filepath.Join(root, strings.TrimSuffix(file, ".go")+".out"))
	if os.IsNotExist(err) {
		return nil
	}
	got := out.text()
	if unordered[file] {
		got, want = sortedLines(got), []byte(sortedLines(string(want)))
	}
	if err == nil && got != string(want) {
		err = fmt.Errorf("printed\n%s\nwant\n%s", out.tail(), want)
	}
	return err
}

func sortedLines(s string) string {
	return strings.Join(slices.Sorted(strings.Lines(s)), "")
}

// A recorder keeps what a cell prints.
type recorder struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (r *recorder) Stream(_, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.buf.WriteString(text)
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.String()
}

func (r *recorder) tail() string {
	s := r.text()
	return s[max(0, len(s)-2000):]
}

func (r *recorder) Started(int)                          {}
func (r *recorder) Display(output.Display)               {}
func (r *recorder) Result(output.Bundle, map[string]any) {}
func (r *recorder) Error(*output.Error)                  {}
func (r *recorder) Clear(bool)                           {}
func (r *recorder) Input(context.Context, string, bool) (string, error) {
	return "", fmt.Errorf("no input")
}
