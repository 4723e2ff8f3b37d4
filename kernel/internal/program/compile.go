package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// compile writes the files of an emitter and runs the toolchain's compiler on
// them. It returns the object.
func (b *builder) compile(ctx context.Context, e *emitter) (object string, err error) {
	importcfg, err := b.importcfg(e)
	if err != nil {
		return "", err
	}
	if b.p.cfg.Solo != "" { // nothing to gain beside the time that the linker takes
		return b.compileFiles(ctx, importcfg, e)
	}
	if object, err = b.p.compileAhead(ctx, importcfg, e); err == nil {
		return object, nil
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if !errors.Is(err, errAgain) {
		return "", err
	}
	return b.compileFiles(ctx, importcfg, e)
}

func (b *builder) importcfg(e *emitter) (file string, err error) {
	paths := make([]string, 0, len(e.paths))
	for path := range e.paths {
		if path != "unsafe" {
			paths = append(paths, path)
		}
	}
	sort.Strings(paths)
	file, err = b.p.cfg.Importer.Importcfg(paths)
	if err != nil {
		return "", fmt.Errorf("program: importcfg: %w", err)
	}
	return file, nil
}

// compileFiles writes the files of an emitter to a folder of their own and
// starts a compiler there.
func (b *builder) compileFiles(ctx context.Context, importcfg string, e *emitter) (object string, err error) {
	cfg := &b.p.cfg
	b.p.seq++
	dir := filepath.Join(cfg.Dir, fmt.Sprintf("u%d", b.p.seq))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", fmt.Errorf("program: %w", err)
	}
	if !cfg.KeepSources {
		defer os.RemoveAll(dir)
	}
	var names []string
	for _, f := range e.order {
		if err := os.WriteFile(filepath.Join(dir, f.name), []byte(f.text()), 0o600); err != nil {
			return "", fmt.Errorf("program: %w", err)
		}
		names = append(names, f.name)
	}
	object = filepath.Join(cfg.Dir, fmt.Sprintf("u%d.o", b.p.seq))
	cmd := cfg.command(dir, importcfg, object, names)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err = cmd.Start(); err == nil {
		end := b.p.compiling.begin(ctx, cmd, cfg.memory())
		b.p.aheadOfNext()
		err = end(cmd.Wait())
	}
	if err == nil {
		return object, nil
	}
	os.Remove(object)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if why := cfg.final(err, out.String()); why != nil {
		return "", why
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return "", fmt.Errorf("program: %w", err)
	}
	if errs := b.compilerErrors(out.String()); len(errs) > 0 {
		return "", errs
	}
	return "", fmt.Errorf("the compiler failed: %w\n%s", err, demangle(out.String()))
}

// command is a run of the compile tool in dir, which it leaves out of
// positions. Go 1.27 puts the folder of the source file before the names that
// line directives give: that of the pipes, for a compiler on standby.
func (cfg *Config) command(dir, importcfg, object string, names []string) *exec.Cmd {
	args := []string{"-o", object, "-p", "main", "-importcfg", importcfg, "-dwarf=false",
		"-lang=" + cfg.Lang, "-c=2", "-trimpath", dir + "=>;/dev/fd=>"}
	cmd := exec.Command(cfg.Compile, append(append(args, cfg.Flags...), names...)...)
	cmd.Dir, cmd.Env = dir, append(cfg.Env[:len(cfg.Env):len(cfg.Env)], collectorEnv(cfg.memory())...)
	ownGroup(cmd)
	return cmd
}

// compilerErrors reads lines of the form "Cell [3]:2:5: message". Lines that
// begin with a tab go on with the message above.
func (b *builder) compilerErrors(out string) cell.Errors {
	var errs cell.Errors
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n")
		if more, ok := strings.CutPrefix(line, "\t"); ok && len(errs) > 0 {
			errs[len(errs)-1].Msg += " " + b.clean(more)
			continue
		}
		at, msg, ok := splitPosition(line)
		if _, isCell := cellNumber(at.Filename); !ok || !isCell {
			continue
		}
		errs = append(errs, b.errorAt(at, msg))
	}
	return errs.Sorted()
}

func splitPosition(line string) (at token.Position, msg string, ok bool) {
	head, msg, ok := strings.Cut(line, ": ")
	if !ok {
		return at, "", false
	}
	name, rest, ok := strings.Cut(head, "]:")
	if !ok {
		return at, "", false
	}
	at.Filename = name + "]"
	ln, col, _ := strings.Cut(rest, ":")
	at.Line, _ = strconv.Atoi(ln)
	at.Column, _ = strconv.Atoi(col)
	return at, msg, at.Line > 0
}
