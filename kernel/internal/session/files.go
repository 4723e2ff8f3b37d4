package session

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/sinks"
)

// captureDirective copies the cell's output to a file.
func (r *run) captureDirective(d cell.DirectiveLine) error {
	path, appending, err := r.fileArgument(d.Args)
	if err != nil {
		return err
	}
	f, err := openOutput(path, appending)
	if err != nil {
		return err
	}
	r.sink = sinks.NewTee(r.sink, f)
	return nil
}

func (r *run) writeFileDirective(d cell.DirectiveLine) error {
	path, appending, err := r.fileArgument(d.Args)
	if err != nil {
		return err
	}
	f, err := openOutput(path, appending)
	if err != nil {
		return err
	}
	_, err = f.WriteString(d.Body)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	name := path
	if rel, err := filepath.Rel(r.session.dir(), path); err == nil && filepath.IsLocal(rel) {
		name = rel
	}
	r.print("wrote %d bytes to %s\n", len(d.Body), name)
	return nil
}

// fileArgument parses "[-a] FILE" and expands environment variables in FILE.
func (r *run) fileArgument(args string) (path string, appending bool, err error) {
	file, appending := strings.CutPrefix(strings.TrimSpace(args), "-a ")
	file = os.Expand(strings.TrimSpace(file), r.getenv)
	if file == "" {
		return "", false, errors.New("name a file")
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(r.session.dir(), file)
	}
	return file, appending, nil
}

// getenv returns the value that an environment variable has in the notebook's shell commands.
func (r *run) getenv(name string) string {
	env := append(append(os.Environ(), r.session.setup.Env...), r.session.gonbEnv()...)
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
