package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/modules"
	"github.com/perijove/perijove/kernel/internal/output"
	product "github.com/perijove/perijove/kernel/internal/version"
	"golang.org/x/sys/unix"
)

// Directives that are here because GoNB's notebooks have them.

// exec sets the arguments; the calls are statements of the cell.
func (r *run) exec(d cell.DirectiveLine) error {
	name, args, _ := strings.Cut(d.Args, " ")
	if d.Function == "" {
		return fmt.Errorf("write %%exec FUNCTION [ARG ...]; %q is no name", name)
	}
	return r.args(cell.DirectiveLine{Args: args})
}

// autoget has missing packages brought without asking.
func (r *run) autoget(d cell.DirectiveLine) error {
	get := d.Name == "%autoget"
	r.getMissing = &get
	return nil
}

// bring gets the packages that a cell imports and nobody has.
func (r *run) bring(c *cell.Cell) *output.Error {
	if r.getMissing == nil && !r.gonbStyle || r.getMissing != nil && !*r.getMissing {
		return nil
	}
	captured := r.sink
	defer func() { r.sink = captured }()
	if c, ok := captured.(*copying); ok { // what is told here is not the cell's
		r.sink = c.Sink
	}
	missing := slices.DeleteFunc(r.missing(c), func(path string) bool {
		if !r.modules.Complete(r.ctx, path) {
			return false
		}
		r.sink.Stream(output.Stderr, "go.mod has been completed for "+path+"\n")
		return true
	})
	if len(missing) == 0 {
		return nil
	}
	r.sink.Stream(output.Stderr, "%get "+strings.Join(missing, " ")+"\n")
	if err := r.get(cell.DirectiveLine{Args: strings.Join(missing, " ")}); err != nil {
		return failure("ImportError", err.Error())
	}
	return nil
}

// missing lists the paths of packages that a cell needs and nobody has.
func (r *run) missing(c *cell.Cell) []string {
	paths := byName(c)
	for _, im := range c.Imports {
		if modules.HasDomain(im.Path) && !slices.Contains(paths, im.Path) {
			paths = append(paths, im.Path)
		}
	}
	return slices.DeleteFunc(paths, func(path string) bool {
		_, err := r.modules.Archive(path)
		return err == nil
	})
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
	body := d.Body
	if !strings.HasSuffix(body, "\n") { // bc and others want whole lines
		body += "\n"
	}
	return r.command(program, r.dir(), strings.NewReader(body))
}

// misplaced finds a directive that takes the rest of the cell and stands behind
// Go: which of the two was to run first?
func misplaced(c *cell.Cell) *output.Error {
	for _, d := range c.Directives {
		if d.Rest && len(c.Imports)+len(c.Decls)+len(c.Stmts) > 0 {
			return failure("DirectiveError", fmt.Sprintf("%s line %d: %s takes the rest of the cell: it cannot come after Go", cell.Name(c.N), d.Pos.Line, d.Name))
		}
	}
	return nil
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
		for wants(ctx, pw) {
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

// askAfter is how long a command may live with nothing to read before the user
// is asked. Most end at once when they have read their last line, and nobody can
// tell that from outside.
const askAfter = 200 * time.Millisecond

// wants waits until the command has read what it was sent and seems to want
// more. It is false when the command ends first.
func wants(ctx context.Context, stdin *os.File) bool {
	raw, err := stdin.SyscallConn()
	if err != nil {
		return false
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(askAfter):
		}
		unread := 0
		if raw.Control(func(fd uintptr) { unread, _ = unix.IoctlGetInt(int(fd), unix.TIOCINQ) }) != nil {
			return false
		}
		if unread == 0 {
			return true
		}
	}
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
		r.sink.Stream(output.Stderr, "%goflags has no effect here: cells are compiled without go build, so there is no "+args+"\n")
	}
	return nil
}

func (r *run) version(cell.DirectiveLine) error {
	r.print("Perijove %s, %s\n", product.Version, r.cfg.Image.Toolchain.Version)
	return nil
}

// wasm answers what is not done here.
func (r *run) wasm(cell.DirectiveLine) error {
	return errors.New("cells are not compiled for the browser here; package lib/widget lets a page and a cell talk")
}

// widgets has the page connected before a cell's Go needs it.
func (r *run) widgets(cell.DirectiveLine) error {
	if r.solo() {
		return errors.New("widgets need a worker that stays, and here each cell is a program of its own")
	}
	w, err := r.ready(r.ctx)
	if err != nil {
		return err
	}
	w.askPage(r.sink)
	return nil
}

// shellProgram is bash, which notebooks written for GoNB expect, or else sh.
var shellProgram = sync.OnceValue(func() string {
	if path, err := exec.LookPath("bash"); err == nil {
		return path
	}
	return "/bin/sh"
})
