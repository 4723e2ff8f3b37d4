package session

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/output"
)

func (r *run) shell(d cell.DirectiveLine) error { return r.shellIn(d.Args, r.dir()) }

// moduleShell runs a command where the module is. go get is taken over, so
// that a scratch module is made if there is none.
func (r *run) moduleShell(d cell.DirectiveLine) error {
	if rest, ok := strings.CutPrefix(strings.TrimSpace(d.Args), "go get "); ok {
		return r.get(cell.DirectiveLine{Args: strings.ReplaceAll(rest, "-u ", "")})
	}
	dir := r.modules.Dir()
	if dir == "" {
		dir = r.dir()
	}
	return r.shellIn(d.Args, dir)
}

func (r *run) shellIn(command, dir string) error {
	if r.asks == nil {
		return r.command(command, dir, nil)
	}
	stdin, stop, err := r.asks.start(r.ctx, r.sink)
	r.asks = nil
	if err != nil {
		return err
	}
	defer stop()
	return r.command(command, dir, stdin)
}

// command runs a shell command; a nil stdin is empty.
func (r *run) command(command, dir string, stdin io.Reader) error {
	cmd := exec.CommandContext(r.ctx, shellProgram(), "-c", command)
	cmd.Dir, cmd.Stdin = dir, stdin
	cmd.Env = append(append(os.Environ(), r.setup.Env...), r.gonbFolders()...)
	cmd.Stdout = &lineSink{sink: r.sink, name: output.Stdout}
	cmd.Stderr = &lineSink{sink: r.sink, name: output.Stderr}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	r.setCancel(cmd)
	err := cmd.Run()
	r.setCancel(nil)
	if r.ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return err
}

// A lineSink passes what a command prints on as text.
type lineSink struct {
	sink    output.Sink
	name    string
	partial []byte
}

func (l *lineSink) Write(b []byte) (int, error) {
	n := len(b)
	b, rest := splitPartialRune(append(l.partial, b...))
	l.partial = bytes.Clone(rest)
	l.sink.Stream(l.name, strings.ToValidUTF8(string(b), "\uFFFD"))
	return n, nil
}
