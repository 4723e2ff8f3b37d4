package session

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/output"
)

func (r *run) shell(d cell.DirectiveLine) error { return r.shellIn(d.Args, r.dir()) }

// moduleShell runs a command where the module is; a scratch module is made if
// there is none. go get is taken over.
func (r *run) moduleShell(d cell.DirectiveLine) error {
	if rest, ok := strings.CutPrefix(strings.TrimSpace(d.Args), "go get "); ok {
		return r.get(cell.DirectiveLine{Args: strings.ReplaceAll(rest, "-u ", "")})
	}
	dir, scratch, err := r.modules.EnsureModule()
	if err != nil {
		return err
	}
	if m := removesModule.FindStringSubmatch(d.Args); m != nil && !scratch && r.wasThere(filepath.Join(dir, m[1])) {
		return fmt.Errorf("this would remove %s of the module in %s, where GoNB has a folder of its own; write ! for !* if that is what you want", m[1], dir)
	}
	return r.shellIn(d.Args, dir)
}

// wasThere reports whether a file existed when it was first asked about.
func (s *Session) wasThere(file string) bool {
	there, asked := s.filesFound[file]
	if !asked {
		_, err := os.Stat(file)
		there = err == nil
		if s.filesFound == nil {
			s.filesFound = map[string]bool{}
		}
		s.filesFound[file] = there
	}
	return there
}

// removesModule matches what notebooks begin with that have GoNB's temporary
// module in mind.
var removesModule = regexp.MustCompile(`\brm\b[^;&|]*\b(go\.(?:work|mod))\b`)

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
