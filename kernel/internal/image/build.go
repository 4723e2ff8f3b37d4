package image

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
)

// A listed is a package in the output of go list.
type listed struct {
	ImportPath string
	Name       string
	Export     string
	Standard   bool
	DepOnly    bool // the package is listed only as a dependency of other packages
	Imports    []string
	Dir        string
	GoFiles    []string
	Module     *struct {
		Path, Version string
		Replace       *struct{ Path string }
	}
}

const (
	workerPackage     = "./kernel/perijove-worker"
	standalonePackage = "./kernel/internal/standalone"
	ownPackages       = "github.com/perijove/perijove/kernel/"
)

// build builds the image in a folder beside dir and renames that to dir when it is
// complete. code is the result of codeKey.
func build(ctx context.Context, opt Options, tc Toolchain, dir, code string) error {
	// This process reads the types and symbols of all packages and then continues as a
	// kernel. More frequent collections keep its memory small.
	percent := debug.SetGCPercent(20)
	defer func() {
		debug.SetGCPercent(percent)
		debug.FreeOSMemory()
	}()
	b := &builder{ctx: ctx, opt: opt, tc: tc, final: dir, code: code, thin: map[string]string{}}
	var err error
	if b.dir, err = os.MkdirTemp(filepath.Dir(dir), ".build-*"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if opt.Log != nil {
		opt.Log("building the worker image, the program that runs the cells, once for " + tc.Version + "; this takes about a minute")
	}
	if !tc.native() {
		b.unfit = fmt.Errorf("this version of Perijove does not know the runtime of %s, only that of %s", goText(tc.Version), supportedText())
	}
	for _, step := range []struct {
		name   string
		run    func() error
		forC   bool // only if the image contains packages with C code
		native bool // only if cells are linked into the worker process
		proves bool // if the step fails, cells cannot be linked into the worker process
	}{
		{"write sources", b.writeSources, false, false, false},
		{"add packages with C code", b.addCPackages, true, false, false},
		{"compare versions", b.checkVersions, true, false, false},
		{"compile packages", b.compilePackages, false, false, false},
		{"keep symbols", b.keepSymbols, false, true, false},
		{"build worker", b.buildWorker, false, true, false},
		{"collect packages", b.collectPackages, false, false, false},
		{"compile packages without generic code", b.compileThin, false, true, false},
		{"index symbols", b.indexSymbols, false, true, true},
		{"check worker", b.checkWorker, false, true, true},
		{"finish", b.finish, false, false, false},
	} {
		if step.native && b.unfit != nil || step.forC && opt.C == nil {
			continue
		}
		if opt.Log != nil {
			opt.Log("image: " + step.name)
		}
		switch err := step.run(); {
		case err == nil:
		case step.proves && ctx.Err() == nil && !isFull(err):
			b.unfit = fmt.Errorf("the worker image failed its self-check in the step %q: %w; the command \"perijove install\" repeats the self-check", step.name, err)
		default:
			return fmt.Errorf("cannot build the worker image: the step %q failed: %w", step.name, err)
		}
	}
	if err := os.RemoveAll(dir); err != nil { // a damaged image may exist
		return err
	}
	return os.Rename(b.dir, dir)
}

type builder struct {
	ctx   context.Context
	opt   Options
	tc    Toolchain
	dir   string // folder of the image while it is built
	final string
	code  string // see codeKey
	pkgs  []listed
	unfit error // why cells cannot be linked into a worker process of this toolchain; nil if they can

	archives map[string]string // import path to file name below dir
	thin     map[string]string // the same of the thin packages
	declared []string          // symbols of the instances that the thin form of package mp declares
}

func (b *builder) src(p string) string { return filepath.Join(b.dir, "src", p) }

func (b *builder) writeSources() error {
	err := fs.WalkDir(b.opt.Source, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !goesIn(p) {
			return err
		}
		data, err := fs.ReadFile(b.opt.Source, p)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(b.src(p)), 0o755); err != nil {
			return err
		}
		return os.WriteFile(b.src(p), data, 0o644)
	})
	if err != nil {
		return err
	}
	const main = `package main

import (
	"github.com/perijove/perijove/kernel/internal/worker"
	_ "github.com/perijove/perijove/kernel/perijove-worker/instances"
)

func main() { worker.Main() }
`
	if err := b.write("kernel/perijove-worker/instances/instances.go", instances()); err != nil {
		return err
	}
	return b.write("kernel/perijove-worker/main.go", []byte(main))
}

func (b *builder) write(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(b.src(name)), 0o755); err != nil {
		return err
	}
	return os.WriteFile(b.src(name), data, 0o644)
}

// hasC reports whether the worker executable contains C code: that of packages, or that of the race detector.
func (b *builder) hasC() bool { return b.opt.C != nil || b.opt.Race }

// raceFlags returns the flags of go list and go build for a worker executable with the race detector. Packages of the
// kernel are compiled without checks of pointers, since they compute addresses outside of the heap. Some of them also
// run in signal handlers and inside of the runtime, where the detector must not be called, so they are compiled without
// it. The others are compiled with it: the linker keeps one copy of each instance of generic code, such as the code of
// sync.Map, and a copy without the detector would hide its synchronization.
func (b *builder) raceFlags() []string {
	if !b.opt.Race {
		return nil
	}
	flags := []string{"-race", "-gcflags=" + ownPackages + "...=-d=checkptr=0"}
	for _, p := range []string{"preempt", "divert", "moduledata"} {
		flags = append(flags, "-gcflags="+ownPackages+"internal/"+p+"=-race=false")
	}
	return flags
}

func (b *builder) goCommand(args ...string) ([]byte, error) {
	cmd := exec.CommandContext(b.ctx, b.tc.Go, args...)
	cmd.Dir = b.src("")
	cmd.Env = b.tc.buildEnv(b.hasC())
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("the command go %s failed: %w\n%s", args[0], err, withoutRepetition(errs.String()))
	}
	return out.Bytes(), nil
}

// position matches the position at the beginning of a message of the go command.
var position = regexp.MustCompile(`^\S+:\d+:\d+: `)

// withoutRepetition removes lines that are the same as an earlier line, except perhaps for the position.
func withoutRepetition(text string) string {
	var lines []string
	told := map[string]bool{}
	for line := range strings.Lines(strings.TrimSpace(text)) {
		line = strings.TrimSuffix(line, "\n")
		if said := position.ReplaceAllString(line, ""); !told[said] {
			told[said] = true
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// libraries returns the import paths of the packages of lib/.
func (b *builder) libraries() ([]string, error) {
	args := slices.Concat([]string{"list"}, b.modFlag(), []string{"-e", "-f", "{{if and .GoFiles (ne .Name \"main\")}}{{.ImportPath}}{{end}}", "./lib/..."})
	out, err := b.goCommand(args...)
	return strings.Fields(string(out)), err
}

// modFlag returns the flag that lets the go command complete a go.mod after packages were added to it.
func (b *builder) modFlag() []string {
	if b.opt.C == nil {
		return nil
	}
	return []string{"-mod=mod"}
}

// worker returns the main package of the worker executable, if the image has one.
func (b *builder) worker() []string {
	if b.unfit != nil {
		return nil
	}
	return []string{workerPackage}
}

// extra lists the packages in addition to the standard library and the bundled packages.
func (b *builder) extra() []string {
	if b.opt.C == nil {
		return nil
	}
	return b.opt.C.Packages
}

// compilePackages compiles the standard library and the other packages of the image, and
// sets the list of compiled packages.
func (b *builder) compilePackages() error {
	list, err := b.list("-export")
	for _, p := range list {
		if p.Name != "main" && p.Export != "" {
			b.pkgs = append(b.pkgs, p)
		}
	}
	return err
}

// list lists all packages of the image and their dependencies.
func (b *builder) list(flags ...string) ([]listed, error) {
	libs, err := b.libraries()
	if err != nil {
		return nil, err
	}
	args := slices.Concat([]string{"list"}, b.modFlag(), b.raceFlags(), flags, []string{"-deps", "-json=ImportPath,Name,Export,Standard,DepOnly,Imports,Module,Dir,GoFiles", "std", standalonePackage}, b.worker(), bundled, libs, b.extra())
	out, err := b.goCommand(args...)
	if err != nil {
		return nil, err
	}
	var list []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); err == io.EOF {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
}

// collectPackages copies the compiled packages from the build cache, which the go command
// trims, into the image.
func (b *builder) collectPackages() error {
	if err := os.Mkdir(filepath.Join(b.dir, "pkg"), 0o755); err != nil {
		return err
	}
	b.archives = map[string]string{}
	for i, p := range b.pkgs {
		name := filepath.Join("pkg", fileName(p.ImportPath))
		if err := linkOrCopy(p.Export, filepath.Join(b.dir, name)); err != nil {
			return err
		}
		b.archives[p.ImportPath] = name
		b.pkgs[i].Export = filepath.Join(b.dir, name)
	}
	return b.writeImportcfg(b.dir)
}

// writeImportcfg writes the importcfg files with the paths of an image in dir.
func (b *builder) writeImportcfg(dir string) error {
	var full, thin bytes.Buffer
	for _, path := range slices.Sorted(maps.Keys(b.archives)) {
		fmt.Fprintf(&full, "packagefile %s=%s\n", path, filepath.Join(dir, b.archives[path]))
		fmt.Fprintf(&thin, "packagefile %s=%s\n", path, filepath.Join(dir, cmp.Or(b.thin[path], b.archives[path])))
	}
	return errors.Join(os.WriteFile(filepath.Join(b.dir, "importcfg"), full.Bytes(), 0o644),
		os.WriteFile(filepath.Join(b.dir, thinImportcfg), thin.Bytes(), 0o644))
}

// finish writes the manifest, which makes the folder an image.
func (b *builder) finish() error {
	if err := os.RemoveAll(filepath.Join(b.dir, "src")); err != nil {
		return err
	}
	if err := b.writeImportcfg(b.final); err != nil {
		return err
	}
	why := ""
	if b.unfit != nil {
		why = b.unfit.Error()
	}
	mf := manifest{Unfit: why, Toolchain: b.tc, Cgo: b.hasC(), Race: b.opt.Race, Archives: b.archives, Names: map[string]string{}, ThinUsers: thinUsers(b.pkgs), Declared: b.declared, Code: b.code, Sizes: map[string]int64{}}
	for _, p := range b.pkgs {
		mf.Names[p.ImportPath] = p.Name
	}
	err := filepath.WalkDir(b.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(b.dir, p)
		mf.Sizes[name] = st.Size()
		return err
	})
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(mf, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.dir, manifestFile), data, 0o644)
}

func linkOrCopy(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// newImporter returns an importer of the types of compiled packages.
func newImporter(pkgs []listed) types.Importer {
	files := map[string]string{}
	for _, p := range pkgs {
		files[p.ImportPath] = p.Export
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(files[path])
	})
}
