package compiler

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestObjectBeforeEnd: Compile returns when the compiler has written the object, before the process ends. The tool is a
// script that runs on after the compiler.
func TestObjectBeforeEnd(t *testing.T) {
	c := newCompiler(t, func(cfg *Config) {
		script := fmt.Sprintf("#!/bin/sh\n%s \"$@\" || exit\nexec sleep 600\n", cfg.Tool)
		cfg.Tool = filepath.Join(t.TempDir(), "compile")
		if err := os.WriteFile(cfg.Tool, []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	})
	w := prepared(t, c)
	without, _ := c.noInline.wait()
	if o := object(t, c, "func f() {}"); o != w.object {
		t.Errorf("the compiler on standby was not used: %s", o)
	}
	if pid := c.PID(); pid != 0 {
		t.Errorf("process %d counts as compiling", pid)
	}
	if err := syscall.Kill(w.cmd.Process.Pid, 0); err != nil {
		t.Errorf("Compile waited for the end of the process: %v", err)
	}
	if err := unix.Kill(-w.cmd.Process.Pid, unix.SIGKILL); err != nil {
		t.Error(err)
	}
	ended(t, w)
	// A unit that the compiler refuses ends the script, and the new process refuses it as well.
	if _, err := c.Compile(t.Context(), Unit{NoInlining: true, Files: unit("func f() int { return \"\" }").Files}); err == nil {
		t.Error("a unit with a mistake was compiled")
	}
	ended(t, without)
}

// TestObjectsInMemory: objects of waiting compilers are in MemoryDir, up to a limit. Without room there, they are in Dir.
func TestObjectsInMemory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "memory")
	c := newCompiler(t, func(cfg *Config) { cfg.MemoryDir = dir })
	compile := func(wantStandby bool, want string) {
		t.Helper()
		prepared(t, c)
		if o := object(t, c, "func f() {}"); onStandby(o) != wantStandby || filepath.Dir(o) != want {
			t.Errorf("the object %s is not in %s", o, want)
		}
	}
	compile(false, c.cfg.Dir) // the folder does not exist, as if it were full
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	compile(true, dir)
	st, err := os.Stat(filepath.Join(dir, "s2.o"))
	if err != nil || c.objects.inMemory.Load() != st.Size() {
		t.Errorf("%d bytes are counted: %v, %v", c.objects.inMemory.Load(), st, err)
	}
	c.objects.inMemory.Store(maxInMemory)
	compile(true, c.cfg.Dir)
}
