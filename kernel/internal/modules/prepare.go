package modules

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync"
	"time"
)

// A CompileProgress says how far the go command is with compiling packages.
type CompileProgress struct {
	Package string // that it has begun last
	Started int
	Total   int // how many are to be compiled; 0 while that is not known
}

// Prepare makes known the packages that a cell imports: module files are completed, and what was never compiled is
// compiled. progress is called from other goroutines, if that takes a while. What fails is told by Archive.
func (m *Modules) Prepare(ctx context.Context, paths []string, progress func(CompileProgress)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.failed)
	m.resolveTogether(ctx, paths, m.listWatched(progress))
	ask := m.listCompleting(m.listWithProgress(progress))
	for {
		var again []string
		told := len(m.notices)
		for _, path := range paths {
			delete(m.failed, path)
			_, err := m.archive(path, func() error { return m.resolve(ctx, path, ask) })
			if err != nil && ctx.Err() == nil {
				m.failed[path] = err
				again = append(again, path)
			}
		}
		if len(m.notices) == told || len(again) == 0 || ctx.Err() != nil {
			return
		}
		paths = again // go.mod names more modules now
	}
}

// progressDelay is how long the go command may take before it is asked how much it has to do.
const progressDelay = time.Second

// listWithProgress is list with the go command telling which packages it compiles.
func (m *Modules) listWithProgress(progress func(CompileProgress)) listFunc {
	watched := m.listWatched(progress)
	return func(ctx context.Context, cgo bool, args ...string) ([]listedPackage, error) {
		list, err := watched(ctx, cgo, args...)
		if err != nil && ctx.Err() == nil {
			return m.list(ctx, cgo, args...) // for what it says without the names of packages
		}
		return list, err
	}
}

// listWatched is compiling whose errors have the names of the packages that were
// begun in them.
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

// stalePackages lists the packages that the go command would have to compile.
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

// A compileMonitor reads what the go command prints: a line for each package that it begins to compile.
type compileMonitor struct {
	progress func(CompileProgress)

	mu        sync.Mutex // guards what follows
	line      []byte     // the unfinished one
	last      string
	started   map[string]bool
	toCompile map[string]bool // all that are to be compiled; nil while they are not known
	known     map[string]bool // all packages; other lines are messages
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
		w.last = string(line)
		w.started[w.last] = true
		w.line = rest
		w.report()
	}
}

// count takes the packages in all, and those of them that were not compiled a moment ago.
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

// end keeps a count that comes late from being told.
func (w *compileMonitor) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
}

// report tells how far the go command is. The caller holds mu.
func (w *compileMonitor) report() {
	if w.ended || w.progress == nil || w.last == "" {
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
