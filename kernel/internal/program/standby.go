package program

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

const (
	// standbyFiles is how many source files a compiler on standby reads. Most
	// units have one to three; those with more are compiled in the ordinary way.
	standbyFiles = 4
	// standbyLife bounds how long a compiler waits for a cell: it holds some
	// megabytes.
	standbyLife = 10 * time.Minute
)

// A standby keeps one compiler started ahead of the next unit. The compiler
// initializes itself, reads its importcfg and then waits for its source files,
// which are pipes: about a third of a small cell's compile time is over before
// the cell arrives.
type standby struct {
	cfg *Config

	mu       sync.Mutex // guards what follows
	seq      int
	config   string // importcfg of the last unit: the next one's in all likelihood
	ready    *waiting
	starting chan struct{} // closed when the start that is under way is over; nil if none is
	failed   error         // why the last start was none
	closed   bool
}

// A waiting compiler is used once, or not at all.
type waiting struct {
	cmd       *exec.Cmd
	importcfg string
	object    string
	limit     int64      // of its memory
	sources   []*os.File // write ends
	out       bytes.Buffer
	expire    *time.Timer
}

// used notes what the latest unit was compiled with.
func (s *standby) used(importcfg string) {
	s.mu.Lock()
	s.config = importcfg
	s.mu.Unlock()
}

// prepare has a compiler started unless one waits or starts already. It does
// not wait for that. A failure costs only the time that would have been saved.
func (s *standby) prepare() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.ready != nil || s.starting != nil || s.cfg.KeepSources || s.cfg.Solo != "" {
		return
	}
	s.seq++
	config, object := s.config, filepath.Join(s.cfg.Dir, fmt.Sprintf("s%d.o", s.seq))
	over := make(chan struct{})
	s.starting = over
	go func() {
		defer close(over)
		w, err := s.start(config, object)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ready, s.starting, s.failed = w, nil, err
	}()
}

func (s *standby) start(config, object string) (*waiting, error) {
	if config == "" {
		var err error
		if config, err = s.cfg.Importer.Importcfg(nil); err != nil {
			return nil, err
		}
	}
	w, err := s.cfg.startWaiting(config, object)
	if err != nil {
		return nil, err
	}
	w.expire = time.AfterFunc(standbyLife, func() {
		if s.take(w) {
			w.drop()
		}
	})
	return w, nil
}

// settled waits for the start that is under way. It returns the compiler that
// waits, or nil and why the last start was none.
func (s *standby) settled() (*waiting, error) {
	s.mu.Lock()
	starting := s.starting
	s.mu.Unlock()
	if starting != nil {
		<-starting
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ready, s.failed
}

// take removes w from the standby; it reports whether it was there still.
func (s *standby) take(w *waiting) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready != w || w == nil {
		return false
	}
	s.ready = nil
	return true
}

// compiler returns the compiler that waits if it can compile a unit of so many
// files with this importcfg, and nil if there is none. One that is about to
// start is waited for: it is ahead of any other.
func (s *standby) compiler(importcfg string, files int) *waiting {
	w, _ := s.settled()
	if !s.take(w) {
		return nil
	}
	w.expire.Stop()
	if w.importcfg != importcfg || files > standbyFiles || w.limit != s.cfg.memory() {
		w.drop()
		return nil
	}
	return w
}

// close ends the compiler that waits, and lets none start any more.
func (s *standby) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	if w, _ := s.settled(); s.take(w) {
		w.expire.Stop()
		w.drop()
	}
}

func (cfg *Config) startWaiting(importcfg, object string) (w *waiting, err error) {
	w = &waiting{importcfg: importcfg, object: object, limit: cfg.memory()}
	var names []string
	var read []*os.File
	defer func() {
		for _, f := range read {
			f.Close()
		}
		if err != nil {
			w.closeSources()
			w = nil
		}
	}()
	for i := range standbyFiles {
		r, wr, err := os.Pipe()
		if err != nil {
			return w, err
		}
		read, w.sources = append(read, r), append(w.sources, wr)
		names = append(names, fmt.Sprintf("/dev/fd/%d", 3+i))
	}
	w.cmd = cfg.command(cfg.Dir, importcfg, object, names)
	w.cmd.ExtraFiles = read
	w.cmd.Stdout, w.cmd.Stderr = &w.out, &w.out
	return w, w.cmd.Start()
}

// run gives the compiler its sources, calls handed and waits for the object.
func (w *waiting) run(ctx context.Context, c *compilation, texts []string, handed func()) error {
	end := c.begin(ctx, w.cmd, w.limit)
	var writers sync.WaitGroup
	for i, f := range w.sources {
		text := "package main\n"
		if i < len(texts) {
			text = texts[i]
		}
		writers.Go(func() {
			_, _ = f.WriteString(text) // fails if the compiler died, which Wait tells
			f.Close()
		})
	}
	writers.Wait()
	handed()
	err := end(w.cmd.Wait())
	if err != nil {
		os.Remove(w.object)
	}
	return err
}

// drop ends a compiler that is not needed.
func (w *waiting) drop() {
	killGroup(w.cmd)
	w.closeSources()
	_ = w.cmd.Wait() // it was killed
	os.Remove(w.object)
}

func (w *waiting) closeSources() {
	for _, f := range w.sources {
		f.Close()
	}
}

// Prepare starts what the next Build would otherwise wait for: a compiler that
// has come as far as it can without a source. Call it when there is time. It
// returns at once.
func (p *Program) Prepare() { p.standby.prepare() }

// Prepared waits until the start that Prepare began is over, and tells why the
// last one failed.
func (p *Program) Prepared() error {
	_, err := p.standby.settled()
	return err
}

// Close ends what Prepare started. The program stays usable.
func (p *Program) Close() { p.standby.close() }

// compileAhead compiles with the compiler that waits, if there is one. Whatever
// it cannot do is left to a compiler started for the purpose, whose messages
// then are the ones to show.
func (p *Program) compileAhead(ctx context.Context, importcfg string, e *emitter) (object string, err error) {
	p.standby.used(importcfg)
	w := p.standby.compiler(importcfg, len(e.order))
	if w == nil {
		return "", errAgain
	}
	texts := make([]string, 0, len(e.order))
	for _, f := range e.order {
		texts = append(texts, f.text())
	}
	if err = w.run(ctx, &p.compiling, texts, p.aheadOfNext); err != nil {
		return "", cmp.Or(p.cfg.final(err, w.out.String()), errAgain)
	}
	return w.object, nil
}

// aheadOfNext starts the compiler of the unit after this one if that will be
// built at once: there is no time between the two then, but a core that the
// present compiler leaves idle.
func (p *Program) aheadOfNext() {
	if p.cfg.Next != nil && p.cfg.Next() {
		p.standby.prepare()
	}
}

// errAgain asks for a compiler started for the purpose.
var errAgain = errors.New("program: no compiler waits that can do it")
