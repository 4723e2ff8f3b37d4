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
	"syscall"
	"time"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/sinks"
	"golang.org/x/sys/unix"
)

func (r *run) shellDirective(d cell.DirectiveLine) error {
	if strings.TrimSpace(d.Args) == "" {
		return errors.New("the command is missing: write !COMMAND")
	}
	return r.shellCommand(d.Args, r.session.dir())
}

// moduleShellDirective runs a command in the module's folder. If there is no module, it makes a scratch module. It
// handles go get as %get does.
func (r *run) moduleShellDirective(d cell.DirectiveLine) error {
	if rest, ok := strings.CutPrefix(strings.TrimSpace(d.Args), "go get "); ok {
		return r.getDirective(cell.DirectiveLine{Args: strings.ReplaceAll(rest, "-u ", "")})
	}
	dir, scratch, err := r.session.modules.EnsureModule()
	if err != nil {
		return err
	}
	if m := removesModule.FindStringSubmatch(d.Args); m != nil && !scratch && r.session.existedWhenFirstAsked(filepath.Join(dir, m[1])) {
		return fmt.Errorf("this command would remove %s of the module in %s, while GoNB would run the command in a temporary folder: to remove the file anyway, write ! instead of !*", m[1], dir)
	}
	return r.shellCommand(d.Args, dir)
}

// existedWhenFirstAsked reports whether a file existed at the first call for that file.
func (s *Session) existedWhenFirstAsked(file string) bool {
	there, asked := s.existedFirst[file]
	if !asked {
		_, err := os.Stat(file)
		there = err == nil
		if s.existedFirst == nil {
			s.existedFirst = map[string]bool{}
		}
		s.existedFirst[file] = there
	}
	return there
}

// removesModule matches commands that remove go.mod or go.work, as at the beginning of
// notebooks for GoNB, where these are in a temporary folder.
var removesModule = regexp.MustCompile(`\brm\b[^;&|]*\b(go\.(?:work|mod))\b`)

func (r *run) shellCommand(command, dir string) error {
	if r.stdin == nil {
		return r.runCommand(command, dir, nil)
	}
	stdin, stop, err := r.stdin.start(r.ctx, r.sink)
	r.stdin = nil
	if err != nil {
		return err
	}
	defer stop()
	return r.runCommand(command, dir, stdin)
}

// runCommand runs a shell command. A nil stdin is empty.
func (r *run) runCommand(command, dir string, stdin io.Reader) error {
	cmd := exec.CommandContext(r.ctx, shellProgram(), "-c", command)
	cmd.Dir, cmd.Stdin = dir, stdin
	cmd.Env = append(append(os.Environ(), r.session.setup.Env...), r.session.gonbEnv()...)
	cmd.Stdout = sinks.NewWriter(r.sink, output.Stdout)
	cmd.Stderr = sinks.NewWriter(r.sink, output.Stderr)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	r.session.setCommand(cmd)
	err := cmd.Run()
	r.session.setCommand(nil)
	if r.ctx.Err() != nil {
		return errors.New("the command was interrupted")
	}
	return err
}

// scriptDirective runs a program with the rest of the cell as its standard input.
func (r *run) scriptDirective(d cell.DirectiveLine) error {
	program := d.Args
	if name := strings.TrimPrefix(d.Name, "%%"); name != "script" {
		program = name + " " + d.Args
	}
	if strings.TrimSpace(program) == "" {
		return errors.New("the name of a program is missing: write %%script PROGRAM, such as %%script bc")
	}
	body := d.Body
	if !strings.HasSuffix(body, "\n") { // programs such as bc need a newline at the end
		body += "\n"
	}
	return r.runCommand(program, r.session.dir(), strings.NewReader(body))
}

// shellProgram returns the path of bash, which notebooks written for GoNB expect, or of sh.
var shellProgram = sync.OnceValue(func() string {
	if path, err := exec.LookPath("bash"); err == nil {
		return path
	}
	return "/bin/sh"
})

// inputsDirective lets the next shell command of the cell ask the user for input.
func (r *run) inputsDirective(d cell.DirectiveLine) error {
	r.stdin = &stdinPrompter{password: d.Name == "%with_password"}
	return nil
}

// start returns a pipe for the command's standard input and prompts for lines until stop
// is called.
func (a *stdinPrompter) start(ctx context.Context, sink output.Sink) (stdin *os.File, stop func(), err error) {
	pr, pw, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer pw.Close()
		for awaitsInput(ctx, pw) {
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

// promptDelay is how long a command must run with an empty standard input before the user is asked for a line. Most
// commands end soon after they have read their last line. A shorter delay would ask for input that such a command does
// not read.
const promptDelay = 200 * time.Millisecond

// awaitsInput waits until the command has read all of its input and has run on for
// promptDelay. It returns false if the command ends first.
func awaitsInput(ctx context.Context, stdin *os.File) bool {
	raw, err := stdin.SyscallConn()
	if err != nil {
		return false
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(promptDelay):
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
