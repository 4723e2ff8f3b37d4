package compiler

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// started starts a process that waits, and writes the sources of a unit to it.
func started(t *testing.T, c *Compiler, ev *events, text string) *process {
	t.Helper()
	importcfg, err := c.cfg.Importcfg(nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := c.cfg.startProcess(importcfg, filepath.Join(c.cfg.Dir, "unit.o"), true, ev)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range w.sources {
		writeSource(f, strings.TrimPrefix(text, packageClause))
		text = ""
	}
	return w
}

// TestReport checks that a complete object is reported, with a watch while the process still exists, and with a pipe.
func TestReport(t *testing.T) {
	c := newCompiler(t)
	for _, ev := range []*events{{}, nil} {
		w := started(t, c, ev, "package main\nfunc f() { println(1) }\n")
		if watched := w.report.events != nil; watched != (ev != nil) {
			t.Fatalf("the open is reported: %v", watched)
		}
		ok, err := w.report.wait()
		if !ok || err != nil {
			t.Fatalf("no object: %v, %v", err, w.out.String())
		}
		if functions(t, w.object)["main.f"] == "" {
			t.Error("the object lacks the function")
		}
		if ev != nil {
			time.Sleep(50 * time.Millisecond)
			if err := syscall.Kill(w.cmd.Process.Pid, 0); err != nil {
				t.Error("the process has ended before release:", err)
			}
			if state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.cmd.Process.Pid)); err != nil || strings.Contains(string(state), ") Z ") {
				t.Errorf("the process has ended before release: %s %v", state, err)
			}
		}
		w.report.release()
		_ = w.cmd.Wait()
	}
}

// TestReportFailure checks that a process that finds errors, and one that is killed, have no object.
func TestReportFailure(t *testing.T) {
	c := newCompiler(t)
	for _, ev := range []*events{{}, nil} {
		w := started(t, c, ev, "package main\nfunc f() { undefined() }\n")
		if err := w.waitForObject(); err == nil || !strings.Contains(w.out.String(), "undefined") {
			t.Errorf("a unit with an error: %v, %s", err, w.out.String())
		}
		// The compiler finds this error after it has written the object.
		w = started(t, c, ev, "package main\nvar x [1<<29]byte\nfunc g(a, b, c [1<<29]byte)\nfunc f() { g(x, x, x) }\n")
		if err := w.waitForObject(); err == nil || !strings.Contains(w.out.String(), "stack frame too large") {
			t.Errorf("a unit with a large stack frame: %v, %s", err, w.out.String())
		}
		w = started(t, c, ev, "package main\n"+strings.Repeat("func _() { println(1) }\n", 100))
		killGroup(w.cmd)
		if err := w.waitForObject(); err == nil {
			// It may have been too late.
			if _, err := os.Stat(w.object); err != nil {
				t.Error("a killed process has an object:", err)
			}
		}
	}
}

// TestReportOfWaiting checks that events of one process are not taken for those of another, and that a process which ends while it waits is noticed
// when it is used.
func TestReportOfWaiting(t *testing.T) {
	c := newCompiler(t)
	ev := &events{}
	importcfg, _ := c.cfg.Importcfg(nil)
	dead, err := c.cfg.startProcess(importcfg, filepath.Join(c.cfg.Dir, "dead.o"), true, ev)
	if err != nil {
		t.Fatal(err)
	}
	killGroup(dead.cmd)
	ended := dead.cmd.Wait()
	if ended == nil {
		t.Fatal("a killed process has succeeded")
	}
	w := started(t, c, ev, "package main\n")
	if ok, err := w.report.wait(); !ok || err != nil {
		t.Errorf("no object beside a process that has ended: %v", err)
	}
	w.report.release()
	_ = w.cmd.Wait()
	if ok, err := dead.report.wait(); ok || err != nil {
		t.Errorf("a process that has ended has an object: %v", err)
	}
	dead.close()
}

// TestReportLimit checks that a process starts although the user has no further watches.
func TestReportLimit(t *testing.T) {
	r, file, err := newReport(&events{err: unix.EMFILE})
	if err != nil || r.events != nil {
		t.Fatalf("a report without watches: %v", err)
	}
	if _, err := file.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	file.Close()
	if ok, _ := r.wait(); !ok {
		t.Error("the pipe does not report the object")
	}
	r.release()
}

// TestReportOfEndedKernel checks that a process ends when the kernel has ended: while it waits for its sources, and while it compiles. What
// the kernel has open is closed then.
func TestReportOfEndedKernel(t *testing.T) {
	c := newCompiler(t)
	importcfg, err := c.cfg.Importcfg(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, ev := range []*events{{}, nil} {
		waiting, err := c.cfg.startProcess(importcfg, filepath.Join(c.cfg.Dir, "waiting.o"), true, ev)
		if err != nil {
			t.Fatal(err)
		}
		compiling := started(t, c, ev, "package main\nfunc f() { println(1) }\n")
		for _, w := range []*process{waiting, compiling} {
			w.close()
			kill := time.AfterFunc(2*time.Minute, func() { killGroup(w.cmd) })
			_ = w.cmd.Wait()
			if !kill.Stop() {
				t.Error("the process has not ended with the kernel")
			}
		}
	}
}
