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
	"strings"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/program/reducedexports"
)

const (
	// standbyFiles is the number of source files that a standby compiler reads. Most
	// units have one to three files. A unit with more files gets a new process.
	standbyFiles = 4
	// standbyTimeout is the time after which a waiting compiler is ended, since it occupies some megabytes of memory.
	standbyTimeout = 10 * time.Minute
	// pipeBuffer is the least capacity of a new pipe, in bytes.
	pipeBuffer = 4096

	// packageClause is the beginning of every source file. A process gets it before the unit arrives.
	packageClause = "package main\n"
)

// A standby starts a compiler process before the next unit arrives. The process
// initializes itself, reads its importcfg and then waits for its source files,
// which are pipes. This saves about a third of the compile time of a small cell.
type standby struct {
	cfg        *Config
	objects    *objectFolders
	prefix     string // prefix of the names of objects
	noInlining bool
	copies     *reducedexports.Copies // the packages that its processes read; nil for the originals
	events     *events                // of the reports of its processes

	mu       sync.Mutex // guards the fields below
	seq      int
	imports  []string // import paths of the last unit, probably also those of the next one
	ready    *process
	starting chan struct{} // closed when the start in progress ends; nil if there is none
	startErr error         // error of the last start
	closed   bool
}

// A process is a compiler process that waits for its sources. It compiles one unit or is
// discarded.
type process struct {
	cmd       *exec.Cmd
	importcfg string
	object    string
	limit     int64      // memory limit in bytes
	sources   []*os.File // write ends of the pipes
	report    *report    // tells when the object is written
	out       bytes.Buffer
	expire    *time.Timer
}

// noteImports sets the import paths for whose importcfg the next process is started.
func (s *standby) noteImports(paths []string) {
	s.mu.Lock()
	s.imports = paths
	s.mu.Unlock()
}

// prepare starts a compiler process in the background unless one is waiting or starting
// already. If the start fails, the next unit gets a new process.
func (s *standby) prepare() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.ready != nil || s.starting != nil || s.cfg.KeepSources || s.cfg.NoStandby {
		return
	}
	s.seq++
	imports, object := s.imports, filepath.Join(s.objects.folder(), fmt.Sprintf("%s%d.o", s.prefix, s.seq))
	started := make(chan struct{})
	s.starting = started
	go func() {
		defer close(started)
		w, err := s.start(imports, object)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ready, s.starting, s.startErr = w, nil, err
	}()
}

func (s *standby) start(imports []string, object string) (*process, error) {
	importcfg, _, err := s.cfg.importcfg(imports, s.noInlining)
	if err != nil {
		return nil, err
	}
	if s.copies != nil {
		if importcfg, err = s.copies.Importcfg(importcfg); err != nil {
			return nil, err
		}
	}
	w, err := s.cfg.startProcess(importcfg, object, s.noInlining, s.events)
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

// wait waits for the start in progress. It returns the process that is ready, or nil, and
// the error of the last start.
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

// take removes w from s and reports whether it was there. The caller then owns w.
func (s *standby) take(w *process) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready != w || w == nil {
		return false
	}
	s.ready = nil
	return true
}

// compiler returns the process that is ready if it can compile a unit with this
// importcfg and number of files. Otherwise it returns nil and counts the reason. It waits for a start in progress, which
// is faster than a new start.
func (s *standby) compiler(importcfg string, files int, counts *counter) *process {
	w, _ := s.wait()
	if !s.take(w) {
		counts.add(func(n *Counts) { n.NoneReady++ })
		return nil
	}
	w.expire.Stop()
	switch {
	case files > standbyFiles:
		counts.add(func(n *Counts) { n.Files++ })
	case w.importcfg != importcfg:
		counts.add(func(n *Counts) { n.Importcfg++ })
	case w.limit != s.cfg.memory():
		counts.add(func(n *Counts) { n.Memory++ })
	default:
		return w
	}
	w.discard()
	return nil
}

// close ends the process that is ready and prevents further starts.
func (s *standby) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	if w, _ := s.wait(); s.take(w) {
		w.expire.Stop()
		w.discard()
	}
}

func (cfg *Config) startProcess(importcfg, object string, noInlining bool, ev *events) (w *process, err error) {
	w = &process{importcfg: importcfg, object: object, limit: cfg.memory()}
	var names []string
	var read []*os.File
	defer func() {
		for _, f := range read {
			f.Close()
		}
		if err != nil {
			w.close()
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
	r, file, err := newReport(ev)
	if err != nil {
		return w, err
	}
	w.report, read = r, append(read, file)
	w.cmd = cfg.command(cfg.Dir, importcfg, object, names, noInlining, fmt.Sprintf("-bench=/dev/fd/%d", 3+standbyFiles))
	w.cmd.ExtraFiles = read
	w.cmd.Stdout, w.cmd.Stderr = &w.out, &w.out
	if err := w.cmd.Start(); err != nil {
		return w, err
	}
	for _, f := range w.sources {
		_, _ = f.WriteString(packageClause) // fails if the process has ended, which waitForObject reports
	}
	return w, nil
}

// run writes the sources to the process, calls written and waits for the object.
func (w *process) run(ctx context.Context, r *running, files []File, written func()) error {
	end := r.begin(ctx, w.cmd, w.limit)
	var writers sync.WaitGroup
	for i, f := range w.sources {
		text := ""
		if i < len(files) {
			text = strings.TrimPrefix(files[i].Text, packageClause)
		}
		if len(text) <= pipeBuffer { // this does not block
			writeSource(f, text)
			continue
		}
		writers.Go(func() { writeSource(f, text) })
	}
	writers.Wait()
	written()
	err := end(w.waitForObject())
	if err != nil {
		os.Remove(w.object)
	}
	return err
}

func writeSource(f *os.File, text string) {
	if text != "" {
		_, _ = f.WriteString(text) // fails if the process has ended, which waitForObject reports
	}
	f.Close()
}

// endDelay is the time for which a process stays after it has written its object. Most small cells run in this time.
const endDelay = 5 * time.Millisecond

// waitForObject waits until the process has written the object, or has failed. It does not wait for the end of the process.
func (w *process) waitForObject() error {
	ok, err := w.report.wait()
	if err != nil {
		killGroup(w.cmd)
	}
	if !ok {
		w.report.release()
		return w.cmd.Wait()
	}
	time.AfterFunc(endDelay, func() {
		w.report.release()
		_ = w.cmd.Wait() // it may fail to write its times
	})
	return nil
}

// discard kills a process that is not needed.
func (w *process) discard() {
	killGroup(w.cmd)
	w.close()
	_ = w.cmd.Wait() // it was killed
	os.Remove(w.object)
}

func (w *process) close() {
	for _, f := range w.sources {
		f.Close()
	}
	if w.report != nil {
		w.report.release()
	}
}

// Prepare starts compiler processes for the next unit in the background: one that inlines functions and one that does
// not. If such a process is waiting already, Prepare does not start another. Call it when the processor is idle. It
// may be called concurrently with all other methods.
func (c *Compiler) Prepare() {
	c.noInline.prepare()
	c.standby.prepare()
}

// Prepared waits until the starts that Prepare began have ended. It returns the errors of the last starts.
func (c *Compiler) Prepared() error {
	_, without := c.noInline.wait()
	_, with := c.standby.wait()
	return errors.Join(without, with)
}

// Close ends the processes that Prepare started. Compile still works, with a new process for each unit.
func (c *Compiler) Close() {
	c.noInline.close()
	c.standby.close()
}

// compileStandby compiles with a process that is ready. It returns errNoStandby if there is
// none or if it failed in a way that is not final: the caller then compiles the unit with a new
// process and shows the messages of that one.
func (c *Compiler) compileStandby(ctx context.Context, importcfg string, u Unit) (object string, err error) {
	c.standby.noteImports(u.Imports)
	c.noInline.noteImports(u.Imports)
	s := &c.standby
	if u.NoInlining {
		s = &c.noInline
		if importcfg, err = c.reduced(importcfg, u); err != nil {
			return "", errNoStandby
		}
	}
	c.counts.add(func(n *Counts) { n.Units++ })
	w := s.compiler(importcfg, len(u.Files), &c.counts)
	if w == nil {
		return "", errNoStandby
	}
	if err = w.run(ctx, &c.running, u.Files, c.prepareNext); err != nil {
		c.counts.add(func(n *Counts) { n.Failed++ })
		return "", cmp.Or(c.cfg.final(err, w.out.String()), errNoStandby)
	}
	c.objects.add(w.object)
	c.counts.add(func(n *Counts) {
		n.Waiting++
		if u.NoInlining {
			n.NoInlining++
		}
	})
	return w.object, nil
}

// reduced makes the copies of the packages that a unit imports, and returns the importcfg file that names them.
func (c *Compiler) reduced(importcfg string, u Unit) (string, error) {
	if err := c.copies.Write(importcfg, u.Imports, u.Names); err != nil {
		return "", err
	}
	return c.copies.Importcfg(importcfg)
}

// prepareNext starts processes for the next unit if that follows immediately. There is no idle
// time between the two units then, but the current compiler leaves a core idle.
func (c *Compiler) prepareNext() {
	if c.cfg.Next != nil && c.cfg.Next() {
		c.Prepare()
	}
}

// errNoStandby reports that no process on standby can compile the unit.
var errNoStandby = errors.New("no compiler process that was started ahead can compile the cell")
