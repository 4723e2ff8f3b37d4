// Package image builds the worker's image: the executable that a notebook's
// state lives in, made with the user's own Go toolchain, together with the
// compiled packages and the symbol index that loading cells into it needs.
//
// An image is a folder in the user's cache, named after everything that it
// depends on. It is made once and then only read.
package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Packages beyond the standard library that every image contains.
var bundled = []string{
	"gonum.org/v1/plot",
	"gonum.org/v1/plot/font",
	"gonum.org/v1/plot/font/liberation",
	"gonum.org/v1/plot/palette",
	"gonum.org/v1/plot/palette/brewer",
	"gonum.org/v1/plot/palette/moreland",
	"gonum.org/v1/plot/plotter",
	"gonum.org/v1/plot/plotutil",
	"gonum.org/v1/plot/text",
	"gonum.org/v1/plot/vg",
	"gonum.org/v1/plot/vg/draw",
	"gonum.org/v1/plot/vg/vgimg",
	"gonum.org/v1/plot/vg/vgsvg",
}

// An Image is a worker executable and what belongs to it.
type Image struct {
	Dir       string
	Toolchain Toolchain
	// Cgo says that it contains C code, and packages must be compiled with cgo.
	Cgo bool
	// Unfit says why cells cannot be linked into this image's worker; each must
	// then be built as a separate program. It is empty in the ordinary case.
	Unfit    string
	archives map[string]string // import path to compiled package
	names    map[string]string // import path to package name

	// use is locked for as long as the Image is referred to: an image in use
	// is not removed to make room.
	use *os.File

	opt Options // that it was opened with
}

// Worker is the path of the executable.
func (m *Image) Worker() string { return filepath.Join(m.Dir, "worker") }

// Index is the path of the executable's symbol index.
func (m *Image) Index() string { return filepath.Join(m.Dir, "symbols") }

// ImportcfgFile lists the compiled packages, in the compiler's form.
func (m *Image) ImportcfgFile() string { return filepath.Join(m.Dir, "importcfg") }

// Archive returns the compiled package of an import path that the image has.
func (m *Image) Archive(path string) (string, error) {
	if f, ok := m.archives[path]; ok {
		return f, nil
	}
	return "", fmt.Errorf("package %s is not in the image", path)
}

// Importcfg returns a file that covers all packages of the image.
func (m *Image) Importcfg([]string) (string, error) { return m.ImportcfgFile(), nil }

// Packages returns the names of the image's packages by import path. It must not be changed.
func (m *Image) Packages() map[string]string { return m.names }

// Options say where and with what to build.
type Options struct {
	Go       string // the go command; found by FindGo if empty
	CacheDir string // the user's cache folder for Perijove if empty
	Source   fs.FS  // the module's sources
	Log      func(string)
	C        *CSet // packages with C code that the image must contain; nil for none
	Again    bool  // try again where an earlier image turned out to be unfit

	check func(*builder) error // replaces the self-check, in tests
}

// CacheDir is where images and other derived files are kept.
func CacheDir() (string, error) {
	if d := os.Getenv("PERIJOVE_CACHE"); d != "" {
		return d, nil
	}
	d, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder: set HOME or PERIJOVE_CACHE: %w", err)
	}
	return filepath.Join(d, "perijove"), nil
}

// Open returns the image for the user's toolchain and builds it first if it is
// missing or damaged. Several processes may call it at once; one builds.
func Open(ctx context.Context, opt Options) (*Image, error) {
	if opt.CacheDir == "" {
		var err error
		if opt.CacheDir, err = CacheDir(); err != nil {
			return nil, err
		}
	}
	tc, err := findToolchain(ctx, opt)
	if err != nil {
		return nil, err
	}
	key, err := imageKey(tc, opt.Source, opt.C)
	if err != nil {
		return nil, err
	}
	images := filepath.Join(opt.CacheDir, "images")
	if opt.Again && tc.native() {
		if m, err := read(filepath.Join(images, key)); err == nil && m.Unfit != "" {
			_ = os.Remove(filepath.Join(m.Dir, manifestFile)) // what has none is built again
		}
	}
	m, err := open(ctx, images, key, func(dir string) error {
		return build(ctx, opt, tc, dir)
	})
	if err != nil {
		return nil, explain(opt.CacheDir, err)
	}
	m.opt, m.Toolchain = opt, tc // the image may have been built by another go command of the toolchain
	return m, nil
}

// With returns the image that has these packages with C code besides. It
// stands beside m in the cache and is built first if it is missing.
func (m *Image) With(ctx context.Context, c *CSet, log func(string)) (*Image, error) {
	opt := m.opt
	if opt.Source == nil {
		return nil, errors.New("this image does not know its sources")
	}
	opt.C, opt.Log = c, log
	return Open(ctx, opt)
}

// open returns the image of that name. If there is none, or a broken one,
// build makes it, under a lock, at the place given to it.
func open(ctx context.Context, images, key string, build func(dir string) error) (*Image, error) {
	dir := filepath.Join(images, key)
	if m, err := read(dir); err == nil {
		return m, nil
	}
	unlock, err := lock(ctx, filepath.Join(images, "lock"))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if m, err := read(dir); err == nil {
		return m, nil
	}
	if err := build(dir); err != nil {
		return nil, err
	}
	m, err := read(dir)
	if err != nil {
		return nil, err
	}
	trim(images)
	return m, nil
}

// explain adds what to do to an error about the cache folder.
func explain(cache string, err error) error {
	switch {
	case isFull(err):
		return fmt.Errorf("no space left for the worker image, which takes about 250 MB in %s (PERIJOVE_CACHE names another folder) and as much in Go's build cache: %w", cache, err)
	case errors.Is(err, unix.EROFS), errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), errors.Is(err, unix.ENOTDIR):
		return fmt.Errorf("the worker image cannot be written to %s: make it writable or set PERIJOVE_CACHE to a folder that is: %w", cache, err)
	case isOffline(err):
		return fmt.Errorf("the worker image needs modules that Go's module cache lacks and that cannot be fetched now: let \"perijove install\" fetch them once, with a network or a GOPROXY that has them: %w", err)
	}
	return err
}

// isOffline reports whether the go command could not reach what it fetches modules from.
func isOffline(err error) bool {
	return slices.ContainsFunc([]string{"module lookup disabled by GOPROXY=off", ": dial tcp", "no such host", "network is unreachable"}, func(s string) bool {
		return strings.Contains(err.Error(), s)
	})
}

func isFull(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || strings.Contains(err.Error(), "no space left on device")
}

// manifest is what a finished image says of itself.
type manifest struct {
	Toolchain Toolchain
	Cgo       bool
	Unfit     string
	Archives  map[string]string // import path to file name below Dir
	Names     map[string]string // import path to package name
	Sizes     map[string]int64  // of all files, by name below Dir
}

const (
	manifestFile = "manifest.json"
	layout       = 3 // counts the changes to what an image's folder holds
)

func read(dir string) (*Image, error) {
	b, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return nil, err
	}
	var mf manifest
	if err := json.Unmarshal(b, &mf); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if len(mf.Sizes) == 0 {
		return nil, fmt.Errorf("%s: incomplete", dir)
	}
	for name, size := range mf.Sizes {
		st, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if st.Size() != size {
			return nil, fmt.Errorf("%s in %s has %d bytes instead of %d", name, dir, st.Size(), size)
		}
	}
	m := &Image{Dir: dir, Toolchain: mf.Toolchain, Cgo: mf.Cgo, Unfit: mf.Unfit, archives: mf.Archives, names: mf.Names, use: markUsed(dir)}
	for p, f := range mf.Archives {
		mf.Archives[p] = filepath.Join(dir, f)
	}
	return m, nil
}

// Check reports whether the image's files are still there.
func (m *Image) Check() error {
	_, err := read(m.Dir)
	if err == nil {
		return nil
	}
	return fmt.Errorf("the worker image %s was deleted or damaged: restart the kernel, which builds it again; until then the worker keeps its variables (%w)", m.Dir, err)
}

// lock takes an exclusive lock that ends with the process.
func lock(ctx context.Context, file string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("waiting for another process to build the image: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// fileName makes a flat file name of an import path.
func fileName(path string) string {
	return strings.NewReplacer("/", "+", "\\", "+").Replace(path) + ".a"
}
