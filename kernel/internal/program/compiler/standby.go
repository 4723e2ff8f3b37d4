package compiler

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
	// standbyTimeout bounds how long a compiler waits for a unit: it holds some
	// megabytes.
	standbyTimeout = 10 * time.Minute
)

// A standby keeps one compiler started ahead of the next unit. The compiler
// initializes itself, reads its importcfg and then waits for its source files,
// which are pipes: about a third of a small cell's compile time is over before
// the cell arrives.
type standby struct {
	cfg *Config

	mu        sync.Mutex // guards what follows
	seq       int
	importcfg string // of the last unit: the next one's in all likelihood
	ready     *process
	starting  chan struct{} // closed when the start in progress ends; nil if none is
	startErr  error         // of the last start
	closed    bool
}

// A process is a compiler that waits for its sources. It is used once or
// discarded.
type process struct {
	cmd       *exec.Cmd
	importcfg string
	object    string
	limit     int64      // of its memory
	sources   []*os.File // write ends
	out       bytes.Buffer
	expire    *time.Timer
}

// noteImportcfg notes what the latest unit is compiled with.
func (s *standby) noteImportcfg(file string) {
	s.mu.Lock()
	s.importcfg = file
	s.mu.Unlock()
}

// prepare starts a compiler in the background unless one waits or starts
// already. A failure costs only the time that would have been saved.
func (s *standby) prepare() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.ready != nil || s.starting != nil || s.cfg.KeepSources || s.cfg.NoStandby {
		return
	}
	s.seq++
	importcfg, object := s.importcfg, filepath.Join(s.cfg.Dir, fmt.Sprintf("s%d.o", s.seq))
	started := make(chan struct{})
	s.starting = started
	go func() {
		defer close(started)
		w, err := s.start(importcfg, object)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ready, s.starting, s.startErr = w, nil, err
	}()
}

func (s *standby) start(importcfg, object string) (*process, error) {
	if importcfg == "" {
		var err error
		if importcfg, err = s.cfg.Importcfg(nil); err != nil {
			return nil, err
		}
	}
	w, err := s.cfg.startProcess(importcfg, object)
	if err != nil {
		return nil, err
	}
	w.expire = time.AfterFunc(standbyTimeout, func() {
		if s.take(w) {
			w.discard()
		}
	})
	return w, nil
}

// wait waits for the start in progress. It returns the compiler that is ready,
// or nil and the error of the last start.
func (s *standby) wait() (*process, error) {
	s.mu.Lock()
	starting := s.starting
	s.mu.Unlock()
	if starting != nil {
		<-starting
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ready, s.startErr
}

// take removes w from the standby and reports whether it was there.
func (s *standby) take(w *process) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready != w || w == nil {
		return false
	}
	s.ready = nil
	return true
}

// compiler returns the compiler that is ready if it can compile a unit of so
// many files with this importcfg, else nil. It waits for a start in progress:
// that is ahead of any other.
func (s *standby) compiler(importcfg string, files int) *process {
	w, _ := s.wait()
	if !s.take(w) {
		return nil
	}
	w.expire.Stop()
	if w.importcfg != importcfg || files > standbyFiles || w.limit != s.cfg.memory() {
		w.discard()
		return nil
	}
	return w
}

// close ends the compiler that is ready, and lets none start any more.
func (s *standby) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	if w, _ := s.wait(); s.take(w) {
		w.expire.Stop()
		w.discard()
	}
}

func (cfg *Config) startProcess(importcfg, object string) (w *process, err error) {
	w = &process{importcfg: importcfg, object: object, limit: cfg.memory()}
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

// run writes the sources, calls written and waits for the object.
func (w *process) run(ctx context.Context, r *running, files []File, written func()) error {
	end := r.begin(ctx, w.cmd, w.limit)
	var writers sync.WaitGroup
	for i, f := range w.sources {
		text := "package main\n"
		if i < len(files) {
			text = files[i].Text
		}
		writers.Go(func() {
			_, _ = f.WriteString(text) // fails if the compiler died, which Wait reports
			f.Close()
		})
	}
	writers.Wait()
	written()
	err := end(w.cmd.Wait())
	if err != nil {
		os.Remove(w.object)
	}
	return err
}

// discard ends a compiler that is not needed.
func (w *process) discard() {
	killGroup(w.cmd)
	w.closeSources()
	_ = w.cmd.Wait() // it was killed
	os.Remove(w.object)
}

func (w *process) closeSources() {
	for _, f := range w.sources {
		f.Close()
	}
}

// Prepare starts a compiler that comes as far as it can without sources, in the
// background. Call it when there is time.
func (c *Compiler) Prepare() { c.standby.prepare() }

// Prepared waits until the start that Prepare began is over, and returns the
// error of the last one.
func (c *Compiler) Prepared() error {
	_, err := c.standby.wait()
	return err
}

// Close ends the compiler that Prepare started. The Compiler stays usable.
func (c *Compiler) Close() { c.standby.close() }

// compileStandby compiles with the process that is ready, if there is one.
// Other failures than final ones are left to a process started for the purpose,
// whose messages then are the ones to show.
func (c *Compiler) compileStandby(ctx context.Context, importcfg string, files []File) (object string, err error) {
	c.standby.noteImportcfg(importcfg)
	w := c.standby.compiler(importcfg, len(files))
	if w == nil {
		return "", errNoStandby
	}
	if err = w.run(ctx, &c.running, files, c.prepareNext); err != nil {
		return "", cmp.Or(c.cfg.final(err, w.out.String()), errNoStandby)
	}
	return w.object, nil
}

// prepareNext starts the compiler of the unit after this one if that will be
// built at once: there is no time between the two then, but a core that the
// present compiler leaves idle.
func (c *Compiler) prepareNext() {
	if c.cfg.Next != nil && c.cfg.Next() {
		c.standby.prepare()
	}
}

// errNoStandby reports that no process on standby can compile the unit.
var errNoStandby = errors.New("no compiler on standby")
