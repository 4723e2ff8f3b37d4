package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/output"
	product "github.com/perijove/perijove/kernel/internal/version"
)

// Directives that are here because GoNB's notebooks have them.

// execLine matches the line that execCalls replaces.
var execLine = regexp.MustCompile(`(?m)^[ \t]*(?://gonb:)?%exec[ \t]+([\pL_][\pL\pN_.]*)(?:[ \t].*)?$`)

// execCalls makes a %exec line the call of its function.
func execCalls(src string) string { return execLine.ReplaceAllString(src, "flag.Parse(); $1()") }

// exec sets the arguments; execCalls has put the call in the directive's place.
func (r *run) exec(d cell.DirectiveLine) error {
	name, args, _ := strings.Cut(d.Args, " ")
	if !execLine.MatchString("%exec " + d.Args) {
		return fmt.Errorf("write %%exec FUNCTION [ARG ...]; %q is no name", name)
	}
	return r.args(cell.DirectiveLine{Args: args})
}

// autoget has missing packages brought without asking.
func (r *run) autoget(d cell.DirectiveLine) error {
	r.getMissing = d.Name == "%autoget"
	return nil
}

// bring gets the packages that a cell imports and nobody has.
func (r *run) bring(c *cell.Cell) *output.Error {
	if !r.getMissing {
		return nil
	}
	var missing []string
	for _, im := range c.Imports {
		first, _, _ := strings.Cut(im.Path, "/")
		if _, err := r.modules.Archive(im.Path); err != nil && strings.Contains(first, ".") {
			missing = append(missing, im.Path)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	r.sink.Stream(output.Stderr, "%get "+strings.Join(missing, " ")+"\n")
	if err := r.get(cell.DirectiveLine{Args: strings.Join(missing, " ")}); err != nil {
		return failure("ImportError", err.Error())
	}
	return nil
}

// script feeds the rest of the cell to a program.
func (r *run) script(d cell.DirectiveLine) error {
	program := d.Args
	if name := strings.TrimPrefix(d.Name, "%%"); name != "script" {
		program = name + " " + d.Args
	}
	if strings.TrimSpace(program) == "" {
		return errors.New("name a program: %%script bc")
	}
	return r.command(program, r.dir(), strings.NewReader(d.Body))
}

// inputs lets the next shell command of the cell read what the user types.
func (r *run) inputs(d cell.DirectiveLine) error {
	r.asks = &asking{password: d.Name == "%with_password"}
	return nil
}

// An asking is standard input that asks the front end for lines until the
// command ends.
type asking struct{ password bool }

// start answers what a command reads from the pipe it returns. stop ends that.
func (a *asking) start(ctx context.Context, sink output.Sink) (stdin *os.File, stop func(), err error) {
	pr, pw, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer pw.Close()
		for {
			line, err := sink.Input(ctx, "", a.password)
			if err != nil {
				if ctx.Err() == nil {
					sink.Stream(output.Stderr, err.Error()+"\n")
				}
				return
			}
			if _, err := pw.WriteString(line + "\n"); err != nil {
				return
			}
		}
	})
	return pr, func() { cancel(); pr.Close(); wg.Wait() }, nil
}

// capture copies the cell's output to a file.
func (r *run) capture(d cell.DirectiveLine) error {
	path, appending, err := r.fileArgument(d.Args)
	if err != nil {
		return err
	}
	f, err := openOutput(path, appending)
	if err != nil {
		return err
	}
	r.sink = &copying{Sink: r.sink, f: f}
	return nil
}

// fileArgument takes apart "[-a] FILE", with the environment's variables in it.
func (r *run) fileArgument(args string) (path string, appending bool, err error) {
	file, appending := strings.CutPrefix(strings.TrimSpace(args), "-a ")
	file = os.Expand(strings.TrimSpace(file), r.getenv)
	if file == "" {
		return "", false, errors.New("name a file")
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(r.dir(), file)
	}
	return file, appending, nil
}

// getenv looks a variable up as a shell command of the notebook would.
func (r *run) getenv(name string) string {
	env := append(append(os.Environ(), r.setup.Env...), r.gonbFolders()...)
	for i := len(env) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(env[i], name+"="); ok {
			return value
		}
	}
	return ""
}

func openOutput(path string, appending bool) (*os.File, error) {
	flags := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if appending {
		flags = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	return os.OpenFile(path, flags, 0o644)
}

// copying writes the text of what a cell says to a file, too.
type copying struct {
	output.Sink
	mu sync.Mutex
	f  *os.File
}

// write is for text; a full disk does not end the cell, it is told once.
func (c *copying) write(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.f == nil {
		return
	}
	if _, err := io.WriteString(c.f, text); err != nil {
		c.Sink.Stream(output.Stderr, "%capture: "+err.Error()+"\n")
		c.f.Close()
		c.f = nil
	}
}

func (c *copying) Stream(name, text string) {
	c.Sink.Stream(name, text)
	c.write(text)
}

func (c *copying) Display(d output.Display) {
	c.Sink.Display(d)
	for _, mime := range []string{"text/html", "text/markdown", "text/plain"} {
		if text, ok := d.Data[mime].(string); ok {
			c.write(text)
			return
		}
	}
}

// goflags is for notebooks that set flags of go build: there is no go build here.
func (r *run) goflags(d cell.DirectiveLine) error {
	if args := strings.Trim(strings.TrimSpace(d.Args), `"`); args != "" {
		r.sink.Stream(output.Stderr, "%goflags has no effect here: cells are compiled without go build\n")
	}
	return nil
}

func (r *run) version(cell.DirectiveLine) error {
	r.print("Perijove %s, %s\n", product.Version, r.cfg.Image.Toolchain.Version)
	return nil
}

// notHere answers directives of what this kernel does not do.
func (r *run) notHere(d cell.DirectiveLine) error {
	if d.Name == "%wasm" {
		return errors.New("cells are not compiled for the browser here; package lib/widget lets a page and a cell talk")
	}
	return errors.New("GoNB's own widgets are not served here; those of package lib/widget are")
}

// shellProgram is bash, which notebooks written for GoNB expect, or else sh.
var shellProgram = sync.OnceValue(func() string {
	if path, err := exec.LookPath("bash"); err == nil {
		return path
	}
	return "/bin/sh"
})
