package exportdata

import (
	"bytes"
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"sync"
	"time"

	"golang.org/x/tools/go/gcexportdata"
)

// Archives finds compiled packages.
type Archives interface {
	// Archive returns the file of a compiled package, which holds its export data.
	Archive(path string) (file string, err error)
}

// A cache holds the packages that a Program and its snapshots have
// loaded. Finding a package may take long, since the go command may have to
// compile it: mu is not held during that.
type cache struct {
	archives Archives
	goroot   string              // root of the source files of the standard library
	library  fs.FS               // sources of libraryModule; may be nil
	Std      map[string][]string // import paths by package name
	Fset     *token.FileSet

	mu         sync.Mutex // guards the fields below
	loaded     map[string]*types.Package
	generation int                     // counts how often loaded was cleared
	pending    map[string]*pendingLoad // loads in progress that loadWithin began, by path
}

// A pendingLoad is a load in progress.
type pendingLoad struct {
	done chan struct{} // closed when pkg or err is set
	pkg  *types.Package
	err  error
}

func newCache(archives Archives, goroot string, library fs.FS) *cache {
	return &cache{
		archives: archives,
		goroot:   goroot,
		library:  library,
		Std:      map[string][]string{},
		Fset:     token.NewFileSet(),
		loaded:   map[string]*types.Package{},
		pending:  map[string]*pendingLoad{},
	}
}

// have returns a completely loaded package, or nil, and the current generation.
func (c *cache) have(path string) (*types.Package, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if pkg := c.loaded[path]; pkg != nil && pkg.Complete() {
		return pkg, c.generation
	}
	return nil, c.generation
}

// load returns a package. It finds its archive and reads its export data if it is not in the cache.
func (c *cache) load(path string) (*types.Package, error) {
	for {
		pkg, generation := c.have(path)
		if pkg != nil {
			return pkg, nil
		}
		file, err := c.archives.Archive(path)
		if err != nil {
			return nil, err
		}
		data, err := exportData(file)
		if err != nil {
			return nil, err
		}
		if pkg, err := c.read(generation, path, data); pkg != nil || err != nil {
			return pkg, err
		}
	}
}

// read reads export data into the cache. It returns nil and no error if the cache has been cleared
// since generation.
func (c *cache) read(generation int, path string, data []byte) (*types.Package, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if pkg := c.loaded[path]; pkg != nil && pkg.Complete() {
		return pkg, nil
	}
	if c.generation != generation {
		return nil, nil
	}
	pkg, err := gcexportdata.Read(bytes.NewReader(data), c.Fset, c.loaded, path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the export data of package %s: %w", path, err)
	}
	return pkg, nil
}

// errNotLoaded reports that a package was not loaded within the time of a query.
var errNotLoaded = errors.New("the package was not loaded within the time limit of a query")

// loadWithin does what load does, but returns errNotLoaded after the timeout. The load then continues in the
// background.
func (c *cache) loadWithin(timeout time.Duration, path string) (*types.Package, error) {
	c.mu.Lock()
	l := c.pending[path]
	if l == nil {
		l = &pendingLoad{done: make(chan struct{})}
		c.pending[path] = l
		go func() {
			l.pkg, l.err = c.load(path)
			c.mu.Lock()
			delete(c.pending, path)
			c.mu.Unlock()
			close(l.done)
		}()
	}
	c.mu.Unlock()
	select {
	case <-l.done:
		return l.pkg, l.err
	case <-time.After(timeout):
		return nil, errNotLoaded
	}
}

// Known returns a copy of the map of the loaded packages, by path. Some of the packages may be incomplete.
func (c *cache) Known() map[string]*types.Package {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.loaded)
}

// Forget empties the cache.
func (c *cache) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loaded = map[string]*types.Package{}
	c.generation++
}

// queryTimeout is how long a query waits for packages.
const queryTimeout = 500 * time.Millisecond

// ForQuery returns Packages with the same cache. Their method Import fails once queryTimeout has passed.
func (p *Packages) ForQuery() *Packages {
	return &Packages{p.cache, time.Now().Add(queryTimeout)}
}

// Within calls f in a new goroutine and returns its result. If f takes longer than timeout, Within returns false, and
// f continues.
func Within[T any](timeout time.Duration, f func() T) (v T, ok bool) {
	result := make(chan T, 1)
	go func() { result <- f() }()
	select {
	case v := <-result:
		return v, true
	case <-time.After(timeout):
		return v, false
	}
}
