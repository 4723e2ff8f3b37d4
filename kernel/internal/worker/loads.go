package worker

import (
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/link"
)

// A loadStep is one change of the code of this process, which children repeat: an object that was loaded, or
// packages that were replaced or initialized.
type loadStep struct {
	link.Request
	Importcfg  string   // file with the archives of packages from now on
	Packages   []string // packages to reload
	Renew      bool     // see link.Linker.Reload
	Initialize []string // import paths of loaded packages to initialize
	Effects    bool     // Initialize runs code that may have effects
	// First describes the loaded variables that get their initial values.
	First *control.Initial
}

// A loadSteps holds the load steps that children repeat. Its methods can be called concurrently.
type loadSteps struct {
	mu   sync.Mutex // guards the fields below
	list []loadStep
	// initialized lists the packages that were initialized since the last step in list.
	initialized loadStep
}

// add adds a load step.
func (l *loadSteps) add(step loadStep) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flush()
	l.list = append(l.list, step)
}

// noteInitialized adds a package that was initialized.
func (l *loadSteps) noteInitialized(p *link.PackageInit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.initialized.Initialize = append(l.initialized.Initialize, p.Path)
	l.initialized.Effects = l.initialized.Effects || len(p.Funcs) > 0
}

// flush adds a load step for the packages that were initialized since the last step. The caller holds mu.
func (l *loadSteps) flush() {
	if len(l.initialized.Initialize) > 0 {
		l.list = append(l.list, l.initialized)
		l.initialized = loadStep{}
	}
}

// since returns the load steps from number have on. The caller must not change them.
func (l *loadSteps) since(have int) []loadStep {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flush()
	return l.list[min(have, len(l.list)):]
}

// withoutEffects returns up to limit load steps from number have on, up to the first step that may have effects. The
// caller must not change these steps.
func (l *loadSteps) withoutEffects(have, limit int) []loadStep {
	steps := l.since(have)
	steps = steps[:min(limit, len(steps))]
	if i := slices.IndexFunc(steps, func(l loadStep) bool { return l.Effects }); i >= 0 {
		steps = steps[:i]
	}
	return steps
}

// archives finds compiled packages. It reads the importcfg file of the image before those of cells. If several files
// have a package, the file that was read last counts. An archives implements link.Archives.
type archives struct {
	image   string            // importcfg file of the image
	replace func(path string) // called if a package's archive is replaced by another one

	mu     sync.Mutex        // guards the fields below
	files  map[string]string // by import path
	base   bool              // the image's importcfg was read
	config string            // the importcfg file that was read last
	thin   map[string]string // archives of thin packages, by import path; nil before they are needed
}

func (a *archives) Archive(path string) (string, error) {
	all, err := a.All()
	if err != nil {
		return "", err
	}
	if f := all[path]; f != "" {
		return f, nil
	}
	return "", fmt.Errorf("cannot load package %s, which was not compiled for this notebook; this is a bug in Perijove; please report it", path)
}

func (a *archives) Has(path string) bool {
	all, err := a.All()
	return err == nil && all[path] != ""
}

// Thin returns the archive of a thin package, which the image has for some packages; see package thin. It returns ""
// if there is none.
func (a *archives) Thin(path string) (string, error) {
	all, err := a.All()
	if err != nil {
		return "", err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.thin == nil {
		b, err := os.ReadFile(a.image + "-thin")
		if err != nil {
			return "", err
		}
		a.thin = map[string]string{}
		for path, archive := range packageFiles(b) {
			if all[path] != archive {
				a.thin[path] = archive
			}
		}
	}
	return a.thin[path], nil
}

// packageFiles yields the import paths and archives that an importcfg file names.
func packageFiles(importcfg []byte) iter.Seq2[string, string] {
	return func(yield func(path, archive string) bool) {
		for line := range strings.Lines(string(importcfg)) {
			path, archive, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "packagefile "), "=")
			if ok && !yield(path, archive) {
				return
			}
		}
	}
}

// All returns the archives by import path. The linker may read the map until the next load, and must not change the
// map.
func (a *archives) All() (map[string]string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	err := a.read(a.image)
	return a.files, err
}

// use reads an importcfg file. The archives of packages in this file replace earlier ones.
func (a *archives) use(file string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.read(a.image); err != nil {
		return err
	}
	return a.read(file)
}

// read reads an importcfg file. The file of the image must be read
// first: if a later file has another archive for a package, that archive is another version of the package. The caller holds mu.
func (a *archives) read(file string) error {
	base := file == a.image
	if file == "" || file == a.config || base && a.base {
		return nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if a.files == nil {
		a.files = map[string]string{}
	}
	for path, archive := range packageFiles(b) {
		if a.files[path] == archive {
			continue
		}
		if a.files[path] != "" {
			a.replace(path)
		}
		a.files[path] = archive
	}
	if base {
		a.base = true
	} else {
		a.config = file
	}
	return nil
}
