package conformance

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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

var (
	count      = flag.Int("gotest.n", 100, "how many programs of $GOROOT/test to run, spread evenly; -1 for all")
	all        = flag.Bool("gotest.all", false, "run all programs")
	third      = flag.Bool("gotest.third", false, "run every third program")
	match      = flag.String("gotest.match", "", "run the programs whose names match this regular expression")
	race       = flag.Bool("gotest.race", false, "run the programs with the race detector")
	oneProcess = flag.Int("gotest.oneprocess", 1, "how many programs to run one after another in one worker")
)

// missing lists the programs that cannot pass as cells, with the reason.
var missing = map[string]string{

	"nilptr.go": "wants a 256 MB variable below the address 256 MB; loaded variables lie above",
}

// unordered lists the programs that print to both streams. The streams are two pipes, so the
// order of lines between the streams is not defined.
var unordered = map[string]bool{"fixedbugs/issue21808.go": true, "fixedbugs/issue31959.go": true}

// experimental lists the programs whose GOEXPERIMENT also affects the packages that they
// import.
var experimental = map[string]bool{"typeparam/mdempsky/15.go": true}

// watchdog is the time after which a program is ended.
const watchdog = 10 * time.Minute

// lanes is how many worker processes run programs at the same time.
const lanes = 2

func TestPrograms(t *testing.T) {
	img := openImage(t)
	if *race {
		var err error
		if img, err = img.WithRace(t.Context(), true, func(string) {}); err != nil {
			t.Fatal(err)
		}
	}
	root := filepath.Join(img.Toolchain.Root, "test")
	// Programs find the compiled packages through this variable, as in the Go project's test runner.
	t.Setenv("STDLIB_IMPORTCFG", img.ImportcfgFile())
	list := selected(programs(t, root))
	images := experimentImages(t, list)
	work := make(chan []program, len(list))
	for batch := range slices.Chunk(list, max(1, *oneProcess)) {
		work <- batch
	}
	close(work)
	var mu sync.Mutex
	passed, excused := 0, 0
	var lane sync.WaitGroup
	for range lanes {
		lane.Go(func() {
			for batch := range work {
				in := img
				if x := images[batch[0].file]; x != nil {
					in = x
				}
				results := runBatch(t, in, root, batch)
				mu.Lock()
				for i, err := range results {
					why := missing[batch[i].file]
					switch {
					case err == nil && why == "":
						passed++
					case err == nil:
						t.Errorf("%s passes though it is listed as missing: %s", batch[i].file, why)
					case why != "":
						excused++
					default:
						t.Errorf("%s: %v", batch[i].file, err)
					}
				}
				mu.Unlock()
			}
		})
	}
	lane.Wait()
	t.Logf("%d of %d programs passed, %d known to be missing", passed, len(list), excused)
}

// experimentImages builds images for the programs for which the standard library must be
// compiled with their GOEXPERIMENT. It returns the images by GOEXPERIMENT.
func experimentImages(t *testing.T, list []program) map[string]*image.Image {
	images := map[string]*image.Image{}
	for _, p := range list {
		for _, v := range p.env {
			if x, ok := strings.CutPrefix(v, "GOEXPERIMENT="); ok && experimental[p.file] {
				t.Run("image with "+x, func(t *testing.T) {
					t.Setenv("GOEXPERIMENT", x)
					images[p.file] = openImage(t)
				})
			}
		}
	}
	return images
}

func openImage(t *testing.T) *image.Image {
	t.Helper()
	img, err := image.Open(t.Context(), image.Options{Source: perijove.Source})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func selected(list []program) []program {
	if *oneProcess > 1 { // one session compiles all with the same flags and packages
		list = slices.DeleteFunc(list, func(p program) bool {
			changes := strings.Contains(p.src, "debug.SetMaxStack(") // affects later programs of the process
			return p.action == "rundir" || p.flags != nil || p.env != nil || changes
		})
	}
	switch {
	case *match != "":
		return slices.DeleteFunc(list, func(p program) bool {
			ok, err := regexp.MatchString(*match, p.file)
			return err == nil && !ok
		})
	case *all:
		return list
	case *third:
		return choose(list, (len(list)+2)/3)
	}
	return choose(list, *count)
}

// runBatch runs programs one after another in one worker process.
func runBatch(t *testing.T, img *image.Image, root string, batch []program) []error {
	cfg := session.Config{Image: img, Dir: root}
	results := make([]error, len(batch))
	if p := batch[0]; len(batch) == 1 {
		cfg.CompileFlags, cfg.Env = p.flags, p.env
		if p.action == "rundir" {
			var err error
			if cfg.Packages, batch[0].src, err = compileDir(t, img, root, p); err != nil {
				return []error{err}
			}
		}
	}
	s, err := session.New(cfg)
	if err != nil {
		for i := range results {
			results[i] = err
		}
		return results
	}
	defer s.Close()
	for i, p := range batch {
		if i > 0 {
			s.Forget()
		}
		results[i] = run(t, s, root, p, i+1)
	}
	return results
}

// run executes a program as cell n and compares its output.
func run(t *testing.T, s *session.Session, root string, p program, n int) error {
	var out recorder
	src := p.src
	for _, file := range p.extra {
		b, err := os.ReadFile(filepath.Join(root, filepath.Dir(p.file), file))
		if err != nil {
			return err
		}
		src += withoutPackage(string(b))
	}
	if err := execute(t, s, output.Request{Code: "%cd " + root + "\n%args " + strings.Join(p.args, " ")}, &recorder{}); err != nil {
		return err
	}
	if err := executeCell(t, s, named(src, p.file, n), &out); err != nil {
		return err
	}
	if p.action == "runoutput" {
		code := out.text()
		out = recorder{}
		s.Forget()
		if err := execute(t, s, output.Request{Code: code}, &out); err != nil {
			return fmt.Errorf("the program that it printed: %w", err)
		}
	}
	return compare(filepath.Join(root, strings.TrimSuffix(p.file, ".go")+".out"), unordered[p.file], &out)
}

// executeCell runs a cell with a number.
func executeCell(t *testing.T, s *session.Session, code string, out *recorder) error {
	return execute(t, s, output.Request{Code: code, StoreHistory: true}, out)
}

func execute(t *testing.T, s *session.Session, req output.Request, out *recorder) error {
	ctx, cancel := context.WithTimeout(t.Context(), watchdog)
	defer cancel()
	reply := s.Execute(ctx, req, out)
	if reply.Status != output.OK {
		return fmt.Errorf("%s\n%s", strings.Join(reply.Error.Traceback, "\n"), out.tail())
	}
	return nil
}

// named replaces the file name of a program in its source by the cell's name, for programs
// that look for their file on the stack.
func named(src, file string, n int) string {
	base := filepath.Base(file)
	src = strings.ReplaceAll(src, base, cell.Name(n))
	return strings.ReplaceAll(src, strings.TrimSuffix(base, ".go")+`\.go`, regexp.QuoteMeta(cell.Name(n)))
}

func compare(file string, unordered bool, out *recorder) error {
	b, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	got, want := out.text(), string(b)
	if unordered {
		got, want = sortedLines(got), sortedLines(want)
	}
	if got != want {
		return fmt.Errorf("printed\n%s\nwant\n%s", out.tail(), want)
	}
	return nil
}

func sortedLines(s string) string {
	return strings.Join(slices.Sorted(strings.Lines(s)), "")
}

// A recorder is a sink that keeps a cell's output.
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
func (r *recorder) Comm(output.Comm)                     {}
func (r *recorder) Input(context.Context, string, bool) (string, error) {
	return "", errors.New("no input")
}

// noProgress is a ProgressDelay that prevents progress lines, which tests do not expect.
const noProgress = 24 * time.Hour
