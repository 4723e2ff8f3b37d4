// Package compiler runs the toolchain's compile tool on generated Go files.
//
// A Compiler starts processes of the tool before the next unit arrives: one that inlines functions and one that does
// not (standby.go). It limits the memory of each process, and can end the process that is compiling a unit
// (running.go).
package compiler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"

	"github.com/perijove/perijove/kernel/internal/program/reducedexports"
)

// Config holds the settings of a Compiler.
type Config struct {
	Tool string // path of the compile tool
	Lang string // language version, such as "go1.26"
	Dir  string // folder for sources and objects; must exist
	// MemoryDir is a folder for objects, in a file system that is in memory. "" means Dir.
	MemoryDir string
	Env       []string // environment of the tool
	Flags     []string // flags that are passed to the tool unchanged
	// Importcfg returns an importcfg file that covers the packages and everything on which they depend.
	Importcfg func(paths []string) (file string, err error)
	// ThinImportcfg returns the importcfg file for a unit that is compiled without inlining. The file lists thin
	// packages; see package image/thin. ThinImportcfg may be nil.
	ThinImportcfg func(paths []string) (file string, err error)
	// Next reports whether another unit follows the current one immediately. Next may be nil.
	Next func() bool
	// Memory returns the memory limit of a compiler process in bytes; 0 means no limit. It is called at any time,
	// also concurrently. Memory may be nil.
	Memory func() int64
	// Race reports whether to compile for the race detector. It is called at any time, also concurrently. Race may be
	// nil.
	Race func() bool
	// KeepSources says that the generated Go files stay in Dir.
	KeepSources bool
	// NoStandby says that each compiler process is started only when its unit is complete.
	NoStandby bool
}

// A Compiler compiles units of package main, one at a time.
type Compiler struct {
	cfg      Config
	standby  standby // compiles with inlining
	noInline standby // compiles without inlining
	objects  objectFolders
	copies   *reducedexports.Copies // which packages a unit without inlining imports
	events   events                 // of the reports of the processes that wait
	counts   counter
	running  running
	seq      atomic.Int64 // number of the last unit, for file names
	output   *string      // if not nil, receives what the tool prints
}

// A Unit is the input of one process of the compile tool.
type Unit struct {
	Imports []string // import paths
	Files   []File
	Names   reducedexports.Names // the objects of other packages that the files name; used if NoInlining is true
	// NoInlining turns inlining off. The compiler then does not read the bodies of functions that it could inline.
	// For a small unit this saves a third of the time.
	NoInlining bool
	// Declared is the same unit in a form that needs the thin packages of ThinImportcfg, or nil; see package instancedecls. Compile compiles it first.
	Declared *Unit
}

// A File is a generated Go file.
type File struct{ Name, Text string }

// An Error holds the output of the compile tool for a unit that the tool refuses.
type Error struct {
	Output string
	err    error
}

func (e *Error) Error() string { return fmt.Sprintf("the compiler failed: %v\n%s", e.err, e.Output) }

func (e *Error) Unwrap() error { return e.err }

// New returns a Compiler with the settings in cfg.
func New(cfg Config) *Compiler {
	c := &Compiler{cfg: cfg}
	c.objects.cfg = &c.cfg
	c.copies = reducedexports.New(c.objects.folder())
	c.standby = standby{cfg: &c.cfg, objects: &c.objects, prefix: "s", events: &c.events}
	c.noInline = standby{cfg: &c.cfg, objects: &c.objects, prefix: "n", noInlining: true, copies: c.copies, events: &c.events}
	return c
}

// ThinImportcfg returns the method ThinImportcfg of an importer, for Config.ThinImportcfg. It returns nil if importer
// has no such method.
func ThinImportcfg(importer any) func(paths []string) (file string, err error) {
	if x, ok := importer.(interface {
		ThinImportcfg(paths []string) (file string, err error)
	}); ok {
		return x.ThinImportcfg
	}
	return nil
}

// Compile compiles a unit and returns the path of the object file. The error is an *Error if the tool refuses the
// files, ErrMemory if the tool runs out of memory, the reason that was passed to Stop, or ctx.Err(). Compile must not
// be called concurrently with itself.
func (c *Compiler) Compile(ctx context.Context, u Unit) (object string, err error) {
	importcfg, thin, err := c.cfg.importcfg(u.Imports, u.NoInlining)
	if err != nil {
		return "", err
	}
	if u.Declared != nil && thin {
		var refused *Error
		if object, err = c.compile(ctx, importcfg, *u.Declared); err == nil {
			c.counts.add(func(n *Counts) { n.Declared++ })
		}
		if !errors.As(err, &refused) {
			return object, err
		}
	}
	return c.compile(ctx, importcfg, u)
}

func (c *Compiler) compile(ctx context.Context, importcfg string, u Unit) (object string, err error) {
	if c.cfg.NoStandby {
		return c.compileFresh(ctx, importcfg, u)
	}
	if object, err = c.compileStandby(ctx, importcfg, u); err == nil {
		return object, nil
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if !errors.Is(err, errNoStandby) {
		return "", err
	}
	return c.compileFresh(ctx, importcfg, u)
}

// importcfg returns the importcfg file for a unit with these imports, and whether the file has thin packages. The race detector needs all code of a
// unit to be compiled for it, so the unit is then compiled against complete packages.
func (cfg *Config) importcfg(imports []string, noInlining bool) (file string, thin bool, err error) {
	file, err = cfg.Importcfg(imports)
	if err == nil && noInlining && cfg.ThinImportcfg != nil && (cfg.Race == nil || !cfg.Race()) {
		complete := file
		file, err = cfg.ThinImportcfg(imports)
		thin = file != complete
	}
	if err != nil {
		return "", false, fmt.Errorf("program: cannot list the compiled packages for the compiler: %w", err)
	}
	return file, thin, nil
}

// compileFresh writes the files to a folder and starts a compiler there.
func (c *Compiler) compileFresh(ctx context.Context, importcfg string, u Unit) (object string, err error) {
	cfg := &c.cfg
	seq := c.seq.Add(1)
	dir := filepath.Join(cfg.Dir, fmt.Sprintf("u%d", seq))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", fmt.Errorf("program: cannot make a folder for the compiler: %w", err)
	}
	if !cfg.KeepSources {
		defer os.RemoveAll(dir)
	}
	var names []string
	for _, f := range u.Files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), []byte(f.Text), 0o600); err != nil {
			return "", fmt.Errorf("program: cannot write a source file for the compiler: %w", err)
		}
		names = append(names, f.Name)
	}
	object = filepath.Join(cfg.Dir, fmt.Sprintf("u%d.o", seq))
	cmd := cfg.command(dir, importcfg, object, names, u.NoInlining)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err = cmd.Start(); err == nil {
		end := c.running.begin(ctx, cmd, cfg.memory())
		c.prepareNext()
		err = end(cmd.Wait())
	}
	if c.output != nil {
		*c.output = out.String()
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
		return "", fmt.Errorf("program: cannot run the compiler: %w", err)
	}
	return "", &Error{out.String(), err}
}

// An Explanation is what the compiler reports about a unit.
type Explanation struct {
	Flags  []string // further flags of the compiler, which select the report
	Output string   // the text of the report
	Files  []File
}

// Explain compiles a unit as Compile does, with further flags, and completes x. It does not keep the object file.
func (c *Compiler) Explain(ctx context.Context, unit Unit, x *Explanation) error {
	cfg := c.cfg
	var err error
	if cfg.Dir, err = os.MkdirTemp(cfg.Dir, "explain"); err != nil {
		return err
	}
	defer os.RemoveAll(cfg.Dir)
	cfg.Flags, cfg.NoStandby = append(cfg.Flags[:len(cfg.Flags):len(cfg.Flags)], x.Flags...), true
	other := New(cfg)
	other.output = &x.Output
	x.Files = unit.Files
	_, err = other.Compile(ctx, unit)
	return err
}

// backends returns how many threads of the compiler compile functions.
func backends(noInlining bool) string {
	if noInlining {
		return "1"
	}
	return "2"
}

// command returns the command that runs the compile tool in dir. The flag -trimpath removes
// dir from positions. It also removes /dev/fd, the folder of the pipes of a standby compiler: Go
// 1.27 puts the folder of the source file before the names in line directives.
func (cfg *Config) command(dir, importcfg, object string, names []string, noInlining bool, flags ...string) *exec.Cmd {
	args := []string{"-o", object, "-p", "main", "-importcfg", importcfg, "-dwarf=false",
		"-lang=" + cfg.Lang, "-c=" + backends(noInlining), "-trimpath", dir + "=>;/dev/fd=>"}
	args = append(append(args, cfg.Flags...), flags...)
	if cfg.Race != nil && cfg.Race() {
		args, noInlining = append(args, "-race"), true // the detector shows only the innermost of inlined calls
	}
	if noInlining {
		args = append(args, "-l=1") // a second -l without a value would turn inlining on again
	}
	cmd := exec.Command(cfg.Tool, append(args, names...)...)
	cmd.Dir, cmd.Env = dir, append(cfg.Env[:len(cfg.Env):len(cfg.Env)], collectorEnv(cfg.memory())...)
	ownGroup(cmd)
	return cmd
}
