package modules

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync"
	"time"
)

// A Compiling says how far the go command is with compiling packages.
type Compiling struct {
	Package string // that it has begun last
	Begun   int
	Total   int // how many are to be compiled; 0 while that is not known
}

// Prepare makes known the packages that a cell imports: module files are completed, and what was never compiled is
// compiled. progress is called from other goroutines, if that takes a while. What fails is told by Archive.
func (m *Modules) Prepare(ctx context.Context, paths []string, progress func(Compiling)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.failed)
	m.resolveTogether(ctx, paths, m.watched(progress))
	ask := m.completing(m.compiling(progress))
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

// compiling is list with the go command telling which packages it compiles.
func (m *Modules) compiling(progress func(Compiling)) lister {
	watched := m.watched(progress)
	return func(ctx context.Context, cgo bool, args ...string) ([]resolved, error) {
		list, err := watched(ctx, cgo, args...)
		if err != nil && ctx.Err() == nil {
			return m.list(ctx, cgo, args...) // for what it says without the names of packages
		}
		return list, err
	}
}

// watched is compiling whose errors have the names of the packages that were
// begun in them.
func (m *Modules) watched(progress func(Compiling)) lister {
	return func(ctx context.Context, cgo bool, args ...string) ([]resolved, error) {
		w := &compileWatch{progress: progress, begun: map[string]bool{}}
		plain, cancel := context.WithCancel(ctx)
		var counting sync.WaitGroup
		timer := time.AfterFunc(progressDelay, func() {
			counting.Go(func() { w.count(m.stale(plain, cgo, args)) })
		})
		list, err := m.listTo(ctx, cgo, w, append([]string{"-v"}, args...)...)
		timer.Stop()
		cancel()
		counting.Wait()
		w.end()
		return list, err
	}
}

// stale lists the packages that the go command would have to compile.
func (m *Modules) stale(ctx context.Context, cgo bool, args []string) (all, stale []string) {
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

// A compileWatch reads what the go command prints: a line for each package that it begins to compile.
type compileWatch struct {
	progress func(Compiling)

	mu    sync.Mutex // guards what follows
	line  []byte     // the unfinished one
	last  string
	begun map[string]bool
	due   map[string]bool // all that are to be compiled; nil while they are not known
	known map[string]bool // all packages; other lines are messages
	ended bool
}

func (w *compileWatch) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.line = append(w.line, b...)
	for {
		line, rest, ok := bytes.Cut(w.line, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		w.last = string(line)
		w.begun[w.last] = true
		w.line = rest
		w.tell()
	}
}

// count takes the packages in all, and those of them that were not compiled a moment ago.
func (w *compileWatch) count(all, stale []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(all) == 0 {
		return
	}
	w.known, w.due = map[string]bool{}, map[string]bool{}
	for _, path := range all {
		w.known[path] = true
	}
	for _, path := range stale {
		w.due[path] = true
	}
	w.tell()
}

// end keeps a count that comes late from being told.
func (w *compileWatch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
}

// tell tells how far the go command is. The caller holds mu.
func (w *compileWatch) tell() {
	if w.ended || w.progress == nil || w.last == "" {
		return
	}
	c := Compiling{Package: w.last, Begun: len(w.begun)}
	if w.due != nil {
		c.Begun = 0
		for path := range w.begun {
			if w.known[path] {
				w.due[path] = true
				c.Begun++
			}
		}
		c.Total = len(w.due)
		if !w.known[w.last] {
			return
		}
	}
	w.progress(c)
}

var _ io.Writer = (*compileWatch)(nil)
