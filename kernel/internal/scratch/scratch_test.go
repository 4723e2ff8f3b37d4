package scratch

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// age makes a folder older than lockDelay.
func age(t *testing.T, dir string) {
	t.Helper()
	old := time.Now().Add(-2 * lockDelay)
	if err := os.Chtimes(dir, old, old); err != nil {
		t.Fatal(err)
	}
}

func newFolder(t *testing.T, tmp string) *Folder {
	t.Helper()
	f, err := New(tmp)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestStale: New removes the folders of processes that have ended, but not those that are locked.
func TestStale(t *testing.T) {
	tmp := t.TempDir()
	dead, live := newFolder(t, tmp), newFolder(t, tmp)
	if err := os.WriteFile(filepath.Join(dead.Sub("p1"), "s1.o"), []byte("object"), 0o600); err != nil {
		t.Fatal(err)
	}
	age(t, live.Path)
	age(t, dead.Path)
	dead.lock.Close() // as at the end of a process
	next := newFolder(t, tmp)
	if _, err := os.Stat(dead.Path); err == nil {
		t.Error("a folder without a lock stays")
	}
	for _, f := range []*Folder{live, next} {
		if _, err := os.Stat(f.Path); err != nil {
			t.Errorf("a locked folder is gone: %v", err)
		}
		if err := f.Remove(); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestSub(t *testing.T) {
	f := newFolder(t, t.TempDir())
	if first, again := f.Sub("p1"), f.Sub("p1"); first != filepath.Join(f.Path, "p1") || again != f.Path {
		t.Errorf("made %s, then %s", first, again)
	}
	var none *Folder
	if dir, err := none.Sub("p1"), none.Remove(); dir != "" || err != nil {
		t.Errorf("without a folder: %q, %v", dir, err)
	}
}
