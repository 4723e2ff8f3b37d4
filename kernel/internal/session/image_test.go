package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImageDeleted: the image may be deleted while a notebook runs.
func TestImageDeleted(t *testing.T) {
	whole := newTestSession(t).cfg.Image
	copyDir := filepath.Join(t.TempDir(), "images", "k")
	if err := os.CopyFS(copyDir, os.DirFS(whole.Dir)); err != nil {
		t.Fatal(err)
	}
	moved := *whole
	moved.Dir = copyDir
	s, err := New(Config{Image: &moved, ProgressDelay: noProgress})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	execute(t, s, "x := 3")
	if err := os.RemoveAll(copyDir); err != nil {
		t.Fatal(err)
	}
	got := execute(t, s, "x")
	if !strings.Contains(got, "3") && !strings.Contains(got, "restart the kernel") {
		t.Errorf("a cell after the cache was deleted:\n%s", got)
	}
	mustContain(t, execute(t, s, "syscall.Kill(os.Getpid(), syscall.SIGKILL)"), "restart the kernel")
}

// TestReplaced: a cell replaces the program of the worker process by another one, with exec.
func TestReplaced(t *testing.T) {
	s := newTestSession(t)
	text := execute(t, s, "syscall.Exec(\"/bin/sleep\", []string{\"sleep\", \"60\"}, nil)")
	mustContain(t, text, "sleep replaced the process, as syscall.Exec does")
	mustContain(t, execute(t, s, "1 + 1"), "2")
}
