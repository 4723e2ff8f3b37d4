package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/perijove/perijove"
)

// testImage returns the image of this checkout, which is shared with the tests of other packages.
func testImage(t *testing.T) *Image {
	t.Helper()
	m, err := Open(t.Context(), Options{Source: perijove.Source, Log: func(s string) { t.Log(s) }})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOpen(t *testing.T) {
	m := testImage(t)
	again := testImage(t)
	if m.Dir != again.Dir {
		t.Errorf("two images: %s and %s", m.Dir, again.Dir)
	}
	if err := m.Check(); err != nil {
		t.Error(err)
	}
	for _, path := range []string{"fmt", "runtime", "gonum.org/v1/plot", "github.com/perijove/perijove/lib/mp"} {
		file, err := m.Archive(path)
		if err != nil {
			t.Error(err)
		} else if st, err := os.Stat(file); err != nil || st.Size() == 0 {
			t.Errorf("%s: %v, %v", path, st, err)
		}
	}
	if _, err := m.Archive("example.org/none"); err == nil {
		t.Error("a package that nobody compiled is there")
	}
	if _, err := os.Stat(filepath.Join(m.Dir, "src")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the sources stayed: %v", err)
	}
}

func TestKey(t *testing.T) {
	tc := testImage(t).Toolchain
	key := func(src fs.FS, tc Toolchain) string {
		k, err := imageKey(tc, src, nil, false)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	src := fstest.MapFS{"a/a.go": {Data: []byte("package a")}, "a/a_test.go": {Data: []byte("package a")}}
	first := key(src, tc)
	src["a/a_test.go"] = &fstest.MapFile{Data: []byte("package a // changed")}
	src["a/testdata/x.go"] = &fstest.MapFile{Data: []byte("package x")}
	if key(src, tc) != first {
		t.Error("a change of a test makes another image")
	}
	src["a/a.go"] = &fstest.MapFile{Data: []byte("package b")}
	if key(src, tc) == first {
		t.Error("a change of a source makes no other image")
	}
	second := key(src, tc)
	tc.Version = "go1.26.99"
	if key(src, tc) == second {
		t.Error("another toolchain makes no other image")
	}
	tc.Version = testImage(t).Toolchain.Version
	tc.Settings += "GOAMD64=v3"
	if key(src, tc) == second {
		t.Error("other flags make no other image")
	}
}

// fakeBuild makes a folder that open accepts as an image, and records each call in a log.
func fakeBuild(dir string) error { return fakeBuildOf(dir, "") }

// fakeBuildOf is fakeBuild for sources with a code key.
func fakeBuildOf(dir, code string) error {
	log, err := os.OpenFile(filepath.Join(filepath.Dir(dir), "builds"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	if _, err := fmt.Fprintf(log, "%d\n", os.Getpid()); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".build-*")
	if err != nil {
		return err
	}
	b := &builder{dir: tmp, code: code, archives: map[string]string{"fmt": "fmt.a"}}
	for _, f := range []string{"worker", "symbols", "importcfg", "fmt.a"} {
		if err := os.WriteFile(filepath.Join(tmp, f), []byte(f), 0o644); err != nil {
			return err
		}
	}
	if err := b.finish(); err != nil {
		return err
	}
	time.Sleep(50 * time.Millisecond) // so that other processes call open during the build
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(tmp, dir)
}

func builds(t *testing.T, images string) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(images, "builds"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(b), "\n")
}

const helperEnv = "PERIJOVE_TEST_OPEN"

// TestOpenHelper runs in the other processes of TestShared.
func TestOpenHelper(t *testing.T) {
	images := os.Getenv(helperEnv)
	if images == "" {
		images = t.TempDir()
	}
	m, err := open(t.Context(), images, "k", fakeBuild)
	if err != nil {
		t.Fatal(err)
	}
	if f, err := m.Archive("fmt"); err != nil || f != filepath.Join(images, "k", "fmt.a") {
		t.Errorf("fmt is at %q, %v", f, err)
	}
}

func TestShared(t *testing.T) {
	images := t.TempDir()
	var cmds []*exec.Cmd
	for range 3 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOpenHelper$")
		cmd.Env = append(os.Environ(), helperEnv+"="+images)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	for _, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if n := builds(t, images); n != 1 {
		t.Errorf("%d builds, want 1", n)
	}
}

func TestBrokenImageIsBuiltAgain(t *testing.T) {
	for name, damage := range map[string]func(dir string) error{
		"no manifest":    func(dir string) error { return os.Remove(filepath.Join(dir, manifestFile)) },
		"empty manifest": func(dir string) error { return os.WriteFile(filepath.Join(dir, manifestFile), nil, 0o644) },
		"other manifest": func(dir string) error { return os.WriteFile(filepath.Join(dir, manifestFile), []byte("{}"), 0o644) },
		"no worker":      func(dir string) error { return os.Remove(filepath.Join(dir, "worker")) },
		"half a worker":  func(dir string) error { return os.Truncate(filepath.Join(dir, "worker"), 3) },
		"no package":     func(dir string) error { return os.Remove(filepath.Join(dir, "fmt.a")) },
		"a file":         func(dir string) error { return errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o644)) },
	} {
		t.Run(name, func(t *testing.T) {
			images := t.TempDir()
			m, err := open(t.Context(), images, "k", fakeBuild)
			if err != nil {
				t.Fatal(err)
			}
			if err := damage(m.Dir); err != nil {
				t.Fatal(err)
			}
			if err := m.Check(); err == nil || !strings.Contains(err.Error(), "restart the kernel") {
				t.Errorf("the damaged image: %v", err)
			}
			again, err := open(t.Context(), images, "k", fakeBuild)
			if err != nil {
				t.Fatal(err)
			}
			if err := again.Check(); err != nil {
				t.Error(err)
			}
			if n := builds(t, images); n != 2 {
				t.Errorf("%d builds, want 2", n)
			}
		})
	}
}

func TestFailedBuild(t *testing.T) {
	images := t.TempDir()
	want := errors.New("the compiler says no")
	if _, err := open(t.Context(), images, "k", func(string) error { return want }); !errors.Is(err, want) {
		t.Errorf("%v, want %v", err, want)
	}
	if _, err := open(t.Context(), images, "k", fakeBuild); err != nil {
		t.Errorf("after a failed build: %v", err)
	}
}

func TestWaitingEnds(t *testing.T) {
	images := t.TempDir()
	unlock, err := lock(t.Context(), filepath.Join(images, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := open(ctx, images, "k", fakeBuild); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}
