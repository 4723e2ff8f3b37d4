package modules

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	importpath "golang.org/x/mod/module"
)

// CompileProgress is the progress of the go command in compiling packages.
type CompileProgress struct {
	Message string // message of the go command, such as about a download; empty while the go command compiles
	Package string // the package whose compilation has started last
	Started int
	Total   int // number of packages to compile; 0 while the number is not known
}

// Prepare resolves the packages that a cell imports: it completes module files, and compiles packages that are not in
// the go command's cache. It calls progress from other goroutines. Errors are returned later, by Archive.
func (m *Modules) Prepare(ctx context.Context, paths []string, progress func(CompileProgress)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.failed)
	m.resolveTogether(ctx, paths, m.listWatched(progress))
	ask := m.listCompleting(m.listWithProgress(progress))
	for {
		var unresolved []string
		noticed := len(m.notices)
		for _, path := range paths {
			delete(m.failed, path)
			_, err := m.archive(path, func() error { return m.resolve(ctx, path, ask) })
			if err != nil && ctx.Err() == nil {
				m.failed[path] = err
				unresolved = append(unresolved, path)
			}
		}
		if len(m.notices) == noticed || len(unresolved) == 0 || ctx.Err() != nil {
			return
		}
		paths = unresolved // try again, since go.mod was completed
	}
}

// progressDelay is the time after which the number of packages to compile is determined.
const progressDelay = time.Second

// listWithProgress returns a listFunc that does what list does, and calls progress.
func (m *Modules) listWithProgress(progress func(CompileProgress)) listFunc {
	watched := m.listWatched(progress)
	return func(ctx context.Context, cgo bool, args ...string) ([]listedPackage, error) {
		list, err := watched(ctx, cgo, args...)
		if err != nil && ctx.Err() == nil {
			return m.list(ctx, cgo, args...) // lists again, for an error without the names of packages
		}
		return list, err
	}
}

// listWatched does what listWithProgress does, except that the errors contain the names of the packages whose
// compilation has started.
func (m *Modules) listWatched(progress func(CompileProgress)) listFunc {
	return func(ctx context.Context, cgo bool, args ...string) ([]listedPackage, error) {
		w := &compileMonitor{progress: progress, started: map[string]bool{}}
		plain, cancel := context.WithCancel(ctx)
		var counting sync.WaitGroup
		timer := time.AfterFunc(progressDelay, func() {
			counting.Go(func() { w.count(m.stalePackages(plain, cgo, args)) })
		})
		list, err := m.listCopying(ctx, cgo, w, append([]string{"-v"}, args...)...)
		timer.Stop()
		cancel()
		counting.Wait()
		w.end()
		return list, err
	}
}

// stalePackages returns all packages, and those that the go command would have to compile.
func (m *Modules) stalePackages(ctx context.Context, cgo bool, args []string) (all, stale []string) {
	args = slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "-export" })
	list, err := m.listFields(ctx, cgo, nil, "ImportPath,Stale", args...)
	if err != nil {
		return nil, nil
	}
	for _, p := range list {
		all = append(all, p.ImportPath)
		if p.Stale {
			stale = append(stale, p.ImportPath)
		}
	}
	return all, stale
}

// A compileMonitor reads the output of the go command: a line for each package whose compilation starts.
type compileMonitor struct {
	progress func(CompileProgress)

	mu        sync.Mutex // guards the fields below
	line      []byte     // the incomplete last line
	last      string     // package
	message   string     // the last line, if it is a message of the go command
	started   map[string]bool
	toCompile map[string]bool // nil while not known
	known     map[string]bool // all packages
	ended     bool
}

func (w *compileMonitor) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.line = append(w.line, b...)
	for {
		line, rest, ok := bytes.Cut(w.line, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		w.line = rest
		w.message = ""
		if message, ok := strings.CutPrefix(string(line), "go: "); ok {
			w.message = message
		} else if importpath.CheckImportPath(string(line)) == nil {
			w.last = string(line)
			w.started[w.last] = true
		} else {
			continue // a message of the compiler
		}
		w.report()
	}
}

// count sets the list of all packages and of those that have to be compiled.
func (w *compileMonitor) count(all, stale []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(all) == 0 {
		return
	}
	w.known, w.toCompile = map[string]bool{}, map[string]bool{}
	for _, path := range all {
		w.known[path] = true
	}
	for _, path := range stale {
		w.toCompile[path] = true
	}
	w.report()
}

// end prevents further reports.
func (w *compileMonitor) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
}

// report calls progress. The caller holds mu.
func (w *compileMonitor) report() {
	switch {
	case w.ended || w.progress == nil:
		return
	case w.message != "":
		w.progress(CompileProgress{Message: w.message})
		return
	case w.last == "":
		return
	}
	c := CompileProgress{Package: w.last, Started: len(w.started)}
	if w.toCompile != nil {
		c.Started = 0
		for path := range w.started {
			if w.known[path] {
				w.toCompile[path] = true
				c.Started++
			}
		}
		c.Total = len(w.toCompile)
		if !w.known[w.last] {
			return
		}
	}
	w.progress(c)
}

var _ io.Writer = (*compileMonitor)(nil)
