package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/sys/unix"

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

// TestCheckWorker runs the self-check on a good worker, and on programs that are no workers.
func TestCheckWorker(t *testing.T) {
	m := testImage(t)
	examine := func(t *testing.T, worker string) error {
		dir := t.TempDir()
		b := &builder{ctx: t.Context(), tc: m.Toolchain, dir: dir}
		for name, from := range map[string]string{"worker": worker, "symbols": m.Index(), "importcfg": m.ImportcfgFile()} {
			if err := os.Symlink(from, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		return b.checkWorker()
	}
	if err := examine(t, m.Worker()); err != nil {
		t.Errorf("the worker: %v", err)
	}
	for name, c := range map[string]struct{ program, want string }{
		"ends at once":           {"echo no such structure >&2; exit 3", "no such structure"},
		"says garbage":           {"printf 'garbagegarbagegarbage' >&3; sleep 100", "malformed control message"},
		"is no worker":           {"", "exec format error"},
		"ends after it is ready": {`printf '\010\000\000\000ready {}' >&3; exit 4`, "the worker died"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "worker")
			if c.program != "" {
				c.program = "#!/bin/sh\n" + c.program + "\n"
			}
			if err := os.WriteFile(file, []byte(c.program), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := examine(t, file); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want an error with %q", err, c.want)
			}
		})
	}
}

// TestUnfit builds an image whose self-check fails: it stays unfit when it is opened again,
// and it has the packages that standalone programs need.
func TestUnfit(t *testing.T) {
	opt := Options{Source: perijove.Source, CacheDir: t.TempDir(), check: func(*builder) error { return errors.New("it printed 41") }}
	for range 2 {
		m, err := Open(t.Context(), opt)
		if err != nil {
			t.Fatal(err)
		}
		if want := "the worker's self-check failed (check worker: it printed 41); \"perijove install\" repeats it"; m.Unfit != want {
			t.Errorf("%q, want %q", m.Unfit, want)
		}
		for _, path := range []string{"fmt", "github.com/perijove/perijove/kernel/internal/standalone", "gonum.org/v1/plot"} {
			if _, err := m.Archive(path); err != nil {
				t.Error(err)
			}
		}
		opt.check = func(*builder) error { t.Error("checked again"); return nil }
	}
	opt.Again, opt.check = true, nil
	if m, err := Open(t.Context(), opt); err != nil || m.Unfit != "" {
		t.Errorf("tried again: %v, %v", m, err)
	}
}

func TestKey(t *testing.T) {
	tc := testImage(t).Toolchain
	key := func(src fs.FS, tc Toolchain) string {
		k, err := imageKey(tc, src, nil)
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

// fakeBuild makes a folder that open accepts as an image, and logs that it did.
func fakeBuild(dir string) error {
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
	b := &builder{dir: tmp, archives: map[string]string{"fmt": "fmt.a"}}
	for _, f := range []string{"worker", "symbols", "importcfg", "fmt.a"} {
		if err := os.WriteFile(filepath.Join(tmp, f), []byte(f), 0o644); err != nil {
			return err
		}
	}
	if err := b.finish(); err != nil {
		return err
	}
	time.Sleep(50 * time.Millisecond) // other processes call open meanwhile
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

func TestTrim(t *testing.T) {
	images := t.TempDir()
	old := time.Now().Add(-48 * time.Hour)
	var kept *Image
	for i := range 7 {
		m, err := open(t.Context(), images, fmt.Sprintf("k%d", i), fakeBuild)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			kept = m // the oldest image stays in use
		} else if m.use != nil {
			m.use.Close()
		}
		when := old.Add(time.Duration(i) * time.Hour)
		if err := os.Chtimes(filepath.Join(m.Dir, useFile), when, when); err != nil {
			t.Fatal(err)
		}
	}
	stale := filepath.Join(images, ".build-dead")
	if err := os.Mkdir(stale, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(stale, old, old); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(images, ".build-alive"), 0o755); err != nil {
		t.Fatal(err)
	}
	trim(images)
	var names []string
	entries, err := os.ReadDir(images)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got, want := strings.Join(names, " "), ".build-alive builds k0 k3 k4 k5 k6 lock"; got != want {
		t.Errorf("left are %s, want %s", got, want)
	}
	if err := kept.Check(); err != nil {
		t.Error(err)
	}
}

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
	if err == nil || !strings.Contains(err.Error(), "make it writable or set PERIJOVE_CACHE") {
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
	if err == nil || !strings.Contains(err.Error(), "let \"perijove install\" fetch them once") || strings.Count(err.Error(), "GOPROXY=off") != 1 {
		t.Errorf("%v", err)
	}
}

func TestExplainText(t *testing.T) {
	err := explain("/cache", errors.New("go build: exit status 1\nwrite $WORK/b001/_pkg_.a: no space left on device"))
	if !strings.HasPrefix(err.Error(), "no space left for the worker image") {
		t.Errorf("%v", err)
	}
	other := errors.New("something else")
	if explain("/cache", other) != other {
		t.Error("an error of another kind was changed")
	}
}

func TestToolchainIsRemembered(t *testing.T) {
	dir := t.TempDir()
	tc, err := findToolchain(t.Context(), Options{CacheDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "toolchains", "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%q, %v", files, err)
	}
	var kept remembered
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &kept); err != nil || kept.Toolchain != tc {
		t.Errorf("kept is %+v, want %+v (%v)", kept, tc, err)
	}
	if err := os.WriteFile(files[0], []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if again, err := findToolchain(t.Context(), Options{CacheDir: dir}); err != nil || again != tc {
		t.Errorf("from a broken file: %+v, %v", again, err)
	}
}

func TestLang(t *testing.T) {
	for version, want := range map[string]string{"go1.26.8": "go1.26", "go1.26": "go1.26", "go1.26rc2": "go1.26", "go1.99.1": (Toolchain{Version: runtime.Version()}).release()} {
		if got := (Toolchain{Version: version}).Lang(); got != want {
			t.Errorf("%s: %s, want %s", version, got, want)
		}
	}
	if err := checkSupported(Toolchain{Version: "go1.19.2", Root: "/usr/lib/go"}); err == nil || !strings.Contains(err.Error(), "PERIJOVE_GO") {
		t.Errorf("an old toolchain: %v", err)
	}
	if _, err := Open(t.Context(), Options{Go: "/nowhere/go", Source: perijove.Source, CacheDir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "/nowhere/go") {
		t.Errorf("a go command that is not there: %v", err)
	}
}

// fakeGo returns the path of a script that acts as a go command of a version. If GOTOOLCHAIN
// names another version it acts as that. choice is its default setting of GOTOOLCHAIN.
func fakeGo(t *testing.T, version, choice string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "go")
	script := `#!/bin/sh
version=` + version + `
case "$GOTOOLCHAIN" in go*) version=$GOTOOLCHAIN ;; esac
printf '{"GOROOT":"/r","GOTOOLDIR":"/r/tool","GOVERSION":"%s","GOTOOLCHAIN":"%s"}' "$version" "` + choice + `"
`
	if err := os.WriteFile(file, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestOtherToolchains: a toolchain that the linker does not support is replaced by another
// if the user's GOTOOLCHAIN allows it. Otherwise it is refused if it is too old, and cells
// run as programs if it is newer.
func TestOtherToolchains(t *testing.T) {
	t.Setenv("GOTOOLCHAIN", "")
	for _, c := range []struct {
		version, choice string
		want, err       string
	}{
		{"go1.26.3", "auto", "go1.26.3", ""},
		{"go1.25.4", "auto", fetched(), ""},
		{"go1.25.4", "local+auto", fetched(), ""},
		{"go1.25.4", "local", "", "Go 1.25.4 at /r is too old: Perijove needs Go 1.26 or newer"},
		{"go1.99.1", "auto", fetched(), ""},
		{"go1.99.1", "local", "go1.99.1", ""},
		{"devel go1.99-abc", "local", "go1.99-abc", ""},
	} {
		tc, err := ToolchainOf(t.Context(), fakeGo(t, "'"+c.version+"'", c.choice))
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), "set GOTOOLCHAIN="+fetched()) {
				t.Errorf("%s: %v, want %q", c.version, err, c.err)
			}
		case err != nil || tc.Version != c.want:
			t.Errorf("%s, %s: %s, %v, want %s", c.version, c.choice, tc.Version, err, c.want)
		case (tc.Switch != "") != (tc.Version != c.version && c.choice != "local"):
			t.Errorf("%s: GOTOOLCHAIN=%s", c.version, tc.Switch)
		}
	}
}

// TestVersionConflicts: an error before any compilation names all modules whose versions in
// the notebook differ from those that the worker can have.
func TestVersionConflicts(t *testing.T) {
	m := testImage(t)
	set := &CSet{Packages: []string{"gonum.org/v1/gonum/mat"}, Modules: []Module{
		{Path: "gonum.org/v1/gonum", Version: "v0.15.0"},
		{Path: "golang.org/x/image", Version: "v0.18.0"},
		{Path: "golang.org/x/sys", Version: "v0.49.0"},
	}}
	var steps []string
	_, err := m.With(t.Context(), set, func(s string) { steps = append(steps, s) })
	if err == nil {
		t.Fatal("an image of versions that do not go together")
	}
	for _, want := range []string{
		"golang.org/x/image v0.18.0 (the worker needs v0.", "gonum.org/v1/gonum v0.15.0 (the worker needs v0.",
		"%get golang.org/x/image@v0.", " gonum.org/v1/gonum@v0.",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "x/sys") {
		t.Errorf("a module of the right version is named: %v", err)
	}
	if len(steps) == 0 || steps[len(steps)-1] != "image: compare versions" {
		t.Errorf("the steps were %q", steps)
	}
}

func TestConflicts(t *testing.T) {
	var list []listed
	if err := json.Unmarshal([]byte(`[
		{"ImportPath": "a/x", "Module": {"Path": "a", "Version": "v1.2.0"}},
		{"ImportPath": "a/y", "Module": {"Path": "a", "Version": "v1.2.0"}},
		{"ImportPath": "b", "Module": {"Path": "b", "Version": "v1.0.0"}},
		{"ImportPath": "c", "Module": {"Path": "c", "Version": "v1.0.0", "Replace": {"Path": "./c"}}},
		{"ImportPath": "d", "Module": {"Path": "d", "Version": "v0.3.0"}},
		{"ImportPath": "fmt"}]`), &list); err != nil {
		t.Fatal(err)
	}
	err := conflicts([]Module{{"a", "v1.0.0", ""}, {"b", "v1.0.0", ""}, {"c", "v0.1.0", ""}, {"d", "v0.1.0", ""}, {"e", "v1.0.0", ""}}, list)
	if err == nil || !strings.HasSuffix(err.Error(), "%get a@v1.2.0 d@v0.3.0") {
		t.Errorf("got %v", err)
	}
	if err := conflicts([]Module{{"a", "v1.2.0", ""}, {"d", "v0.1.0", "./d"}}, list); err != nil {
		t.Errorf("got %v", err)
	}
}
