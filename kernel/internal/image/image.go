// Package image builds images. An image has the executable of the worker process, in which cells run, and the
// compiled packages and the symbol index that are needed to load cells into this process. The image is built with the
// user's Go toolchain.
//
// An image is a folder in the user's cache. Its name is a hash of everything on which the image depends. It is built
// once and then only read. If the sources differ only in comments from those of another image, the folder is a link to
// that image.
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
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perijove/perijove/kernel/internal/symindex"
)

// bundled lists the packages outside the standard library that every image contains.
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

// An Image is a worker executable with its compiled packages and symbol index.
type Image struct {
	Dir       string
	Toolchain Toolchain
	// Cgo reports whether the worker executable contains C code. If so, packages must be compiled with cgo.
	Cgo bool
	// Race reports whether the worker executable has the race detector. If so, packages and cells must be compiled with
	// -race.
	Race bool
	// Unfit is the reason why cells cannot be linked into the worker process of this image. Each cell must then be
	// built as a separate program. Unfit is usually empty.
	Unfit     string
	archives  map[string]string // import path to compiled package
	names     map[string]string // import path to package name
	thinUsers []string          // see UsesThin
	declared  map[string]bool   // see Declared

	// use is an open file that is locked while the Image exists. Its lock keeps other
	// processes from removing the image.
	use *os.File

	opt Options // the options of Open

	index func() *symindex.Index // opens the symbol index, once; returns nil if there is none
}

// Worker returns the path of the executable.
func (m *Image) Worker() string { return filepath.Join(m.Dir, "worker") }

// Index returns the path of the executable's symbol index.
func (m *Image) Index() string { return filepath.Join(m.Dir, "symbols") }

// ImportcfgFile returns the path of the importcfg file with the image's compiled packages.
func (m *Image) ImportcfgFile() string { return filepath.Join(m.Dir, "importcfg") }

// Archive returns the file of the compiled package with an import path, or an error if the
// image does not have it.
func (m *Image) Archive(path string) (string, error) {
	if f, ok := m.archives[path]; ok {
		return f, nil
	}
	return "", fmt.Errorf("package %s is not in the worker image", path)
}

// Importcfg returns the path of an importcfg file with all packages of the image.
func (m *Image) Importcfg([]string) (string, error) { return m.ImportcfgFile(), nil }

// Packages returns the names of the image's packages by import path. The caller must not change the map.
func (m *Image) Packages() map[string]string { return m.names }

// Sources returns the sources of this project's module, or nil if the image has no record of them.
func (m *Image) Sources() fs.FS { return m.opt.Source }

// Options configure Open.
type Options struct {
	Go       string // path of the go command; if empty, the result of FindGo
	CacheDir string // cache folder; if empty, the result of CacheDir
	Source   fs.FS  // sources of this project's module
	Log      func(string)
	C        *CSet // packages with C code that the image must contain; nil for none
	Race     bool  // the worker executable has the race detector
	Again    bool  // build again if the existing image is unfit

	check func(*builder) error // replaces the self-check, in tests
}

// CacheDir returns the folder for images and other derived files.
func CacheDir() (string, error) {
	if d := os.Getenv("PERIJOVE_CACHE"); d != "" {
		return d, nil
	}
	d, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cannot find a cache folder: set HOME or PERIJOVE_CACHE: %w", err)
	}
	return filepath.Join(d, "perijove"), nil
}

// Open returns the image for the user's toolchain. It builds the image first if it is
// missing or damaged. If several processes call it at once, one of them builds the image and
// the others wait.
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
	key, err := imageKey(tc, opt.Source, opt.C, opt.Race)
	if err != nil {
		return nil, err
	}
	images := filepath.Join(opt.CacheDir, "images")
	if opt.Again && tc.native() {
		if m, err := read(filepath.Join(images, key)); err == nil && m.Unfit != "" {
			_ = os.Remove(filepath.Join(m.Dir, manifestFile)) // makes open build the image again
		}
	}
	m, err := open(ctx, images, key, func(dir string) error {
		code, err := codeKey(tc, opt.Source, opt.C, opt.Race)
		if err != nil || linkEqual(dir, code) {
			return err
		}
		return build(ctx, opt, tc, dir, code)
	})
	if err != nil {
		return nil, explain(opt.CacheDir, err)
	}
	m.opt, m.Toolchain = opt, tc // another go command of the same toolchain may have built the image
	return m, nil
}

// With returns an image that also contains the packages of c, which have C code. It builds the image first if it is
// not in the cache.
func (m *Image) With(ctx context.Context, c *CSet, log func(string)) (*Image, error) {
	opt := m.opt
	if opt.Source == nil {
		return nil, errors.New("cannot build a variant of a worker image that has no record of its sources")
	}
	opt.C, opt.Log = c, log
	return Open(ctx, opt)
}

// WithRace returns an image with the same packages: with the race detector if race is true, and without it otherwise.
// It builds the image first if it is not in the cache.
func (m *Image) WithRace(ctx context.Context, race bool, log func(string)) (*Image, error) {
	if race {
		if err := m.Toolchain.findCCompiler(ctx, os.TempDir()); err != nil {
			return nil, err
		}
	}
	opt := m.opt
	opt.Race = race
	return (&Image{opt: opt}).With(ctx, opt.C, log)
}

// open returns the image with the name key in the folder images. If it is missing or
// damaged, open takes a lock and calls build to make it in dir.
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

// explain adds advice to an error of building an image, such as one about the cache folder.
func explain(cache string, err error) error {
	switch {
	case isFull(err):
		return fmt.Errorf("there is no space left for the worker image, which takes about 250 MB in %s (PERIJOVE_CACHE names another folder) and as much in Go's build cache: %w", cache, err)
	case errors.Is(err, unix.EROFS), errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), errors.Is(err, unix.ENOTDIR):
		return fmt.Errorf("cannot write the worker image to %s: make this folder writable, or set PERIJOVE_CACHE to a writable folder: %w", cache, err)
	case isOffline(err):
		return fmt.Errorf("the worker image needs modules that Go's module cache lacks and that cannot be fetched now: run \"perijove install\" once with a network connection, or with a GOPROXY that has them: %w", err)
	}
	return err
}

// isOffline reports whether the go command could not reach the servers from which it downloads modules.
func isOffline(err error) bool {
	return slices.ContainsFunc([]string{"module lookup disabled by GOPROXY=off", ": dial tcp", "no such host", "network is unreachable"}, func(s string) bool {
		return strings.Contains(err.Error(), s)
	})
}

func isFull(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || strings.Contains(err.Error(), "no space left on device")
}

// manifest is the content of the file that describes a complete image.
type manifest struct {
	Toolchain Toolchain
	Cgo       bool
	Race      bool
	Unfit     string
	Archives  map[string]string // names of files below Dir, by import path
	Names     map[string]string // names of packages, by import path
	Sizes     map[string]int64  // sizes of all files, by name below Dir
	ThinUsers []string          // import paths for which UsesThin reports true
	Declared  []string          // symbols of the instances that the thin form of package mp declares
	Code      string            // key of the sources without comments; see codeKey
}

const (
	manifestFile = "manifest.json"
	layout       = 7 // version of the layout of an image's folder
)

func readManifest(dir string) (mf manifest, err error) {
	b, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return mf, err
	}
	if err := json.Unmarshal(b, &mf); err != nil {
		return mf, fmt.Errorf("cannot read the manifest of the worker image in %s: %w", dir, err)
	}
	return mf, nil
}

// read returns the image in dir, which may be a link that linkEqual has made. The Dir of the image is then the link's
// target.
func read(dir string) (*Image, error) {
	if target, err := os.Readlink(dir); err == nil {
		dir = filepath.Join(filepath.Dir(dir), target)
	}
	mf, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	if len(mf.Sizes) == 0 {
		return nil, fmt.Errorf("the worker image in %s is incomplete", dir)
	}
	for name, size := range mf.Sizes {
		st, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if st.Size() != size {
			return nil, fmt.Errorf("the file %s of the worker image in %s has %d bytes instead of %d", name, dir, st.Size(), size)
		}
	}
	m := &Image{Dir: dir, Toolchain: mf.Toolchain, Cgo: mf.Cgo, Race: mf.Race, Unfit: mf.Unfit, archives: mf.Archives, names: mf.Names, thinUsers: mf.ThinUsers, declared: map[string]bool{}, use: markUsed(dir)}
	for _, name := range mf.Declared {
		m.declared[name] = true
	}
	m.index = sync.OnceValue(m.openIndex)
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
	return fmt.Errorf("the worker image %s was deleted or damaged: restart the kernel, which builds the image again; until then the variables stay (%w)", m.Dir, err)
}

// lock takes an exclusive lock, which ends with unlock or with the process. It waits for the
// lock until ctx ends.
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
			return nil, fmt.Errorf("stopped waiting for another process that builds the worker image: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// fileName returns a file name for an import path.
func fileName(path string) string {
	return strings.NewReplacer("/", "+", "\\", "+").Replace(path) + ".a"
}
