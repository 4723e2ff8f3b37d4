package image

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perijove/perijove"
	"golang.org/x/sys/unix"
)

// tmpfs mounts a tmpfs with these options and returns its folder.
func tmpfs(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("perijove-test", dir, "tmpfs", 0, options); err != nil {
		if os.Getenv("PERIJOVE_REQUIRE_MOUNT") != "" {
			t.Fatal(err)
		}
		t.Skipf("needs the right to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestFullDisk(t *testing.T) {
	dir := tmpfs(t, "size=256k")
	_, err := Open(t.Context(), Options{Source: perijove.Source, CacheDir: dir})
	if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "no space left for the worker image") || !strings.Contains(err.Error(), "PERIJOVE_CACHE") {
		t.Errorf("%v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "images", ".build-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestReadOnlyCache(t *testing.T) {
	dir := tmpfs(t, "size=4m")
	images := filepath.Join(dir, "images")
	if err := os.Mkdir(images, 0o755); err != nil {
		t.Fatal(err)
	}
	m, err := open(t.Context(), images, "k", fakeBuild)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.use.Close(); err != nil { // a file open for writing would prevent a read-only mount
		t.Fatal(err)
	}
	if err := unix.Mount("perijove-test", dir, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t.Context(), images, "k", fakeBuild); err != nil {
		t.Errorf("a finished image in a read-only cache: %v", err)
	}
	_, err = Open(t.Context(), Options{Source: perijove.Source, CacheDir: dir})
	if err == nil || !strings.Contains(err.Error(), "make this folder writable, or set PERIJOVE_CACHE") {
		t.Errorf("%v", err)
	}
}

func TestCacheIsAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cache")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{Source: perijove.Source, CacheDir: file})
	if err == nil || !strings.Contains(err.Error(), "set PERIJOVE_CACHE") {
		t.Errorf("%v", err)
	}
}

// TestOffline: if modules are missing and cannot be downloaded, the error gives advice, and only once.
func TestOffline(t *testing.T) {
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOPROXY", "off")
	_, err := Open(t.Context(), Options{Source: perijove.Source, CacheDir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "run \"perijove install\" once") || strings.Count(err.Error(), "GOPROXY=off") != 1 {
		t.Errorf("%v", err)
	}
}

func TestExplainText(t *testing.T) {
	err := explain("/cache", errors.New("go build: exit status 1\nwrite $WORK/b001/_pkg_.a: no space left on device"))
	if !strings.HasPrefix(err.Error(), "there is no space left for the worker image") {
		t.Errorf("%v", err)
	}
	other := errors.New("something else")
	if explain("/cache", other) != other {
		t.Error("an error of another kind was changed")
	}
}
