package session

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/perijove/perijove"
	"github.com/perijove/perijove/kernel/internal/image"
	"golang.org/x/sys/unix"
)

// moduleProxy makes a folder a module proxy with one small module, and makes the go command use that proxy and an empty
// module cache.
func moduleProxy(t *testing.T, path, version, source string) {
	t.Helper()
	dir := t.TempDir()
	addVersion(t, dir, path, version, source)
	t.Setenv("GOPROXY", "file://"+dir)
	t.Setenv("GONOSUMDB", "*")
	modules := t.TempDir()
	t.Setenv("GOMODCACHE", modules)
	t.Cleanup(func() { // the go command makes the module cache's folders read-only
		_ = filepath.WalkDir(modules, func(p string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				err = os.Chmod(p, 0o755)
			}
			return err
		})
	})
}

// addVersion adds a version of a module to a proxy's folder.
func addVersion(t *testing.T, dir, path, version, source string) {
	t.Helper()
	at := filepath.Join(dir, path, "@v")
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	mod := "module " + path + "\n\ngo 1.26\n"
	for name, text := range map[string]string{"list": version + "\n", version + ".info": `{"Version":"` + version + `"}`, version + ".mod": mod} {
		if err := os.WriteFile(filepath.Join(at, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Create(filepath.Join(at, version+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	for name, text := range map[string]string{"go.mod": mod, "dep.go": source} {
		w, err := z.Create(path + "@" + version + "/" + name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// TestSecondNotebook imports a package that another notebook with the same go.mod has
// imported before: no go command runs for it.
func TestSecondNotebook(t *testing.T) {
	img := *newTestSession(t).cfg.Image
	moduleProxy(t, "dep.example/dep", "v1.2.3", "package dep\n\nfunc Name() string { return \"dep\" }\n")
	const mod = "module notebook\n\ngo 1.26\n"
	const code = "import \"dep.example/dep\"\ndep.Name()"
	cache := t.TempDir()
	open := func(img image.Image) *Session {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := New(Config{Image: &img, Dir: dir, CacheDir: cache, ProgressDelay: noProgress})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	first := open(img)
	mustContain(t, show(t, first, "%get dep.example/dep@v1.2.3\n"+code), `"dep"`)
	img.Toolchain.Go = "/nowhere/go"
	second := open(img)
	for _, name := range []string{"go.mod", "go.sum"} {
		b, err := os.ReadFile(filepath.Join(first.modules.Dir(), name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(second.modules.Dir(), name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, second, code, "[result text/plain]\n\"dep\"\n")
	mustContain(t, show(t, open(img), code), "/nowhere/go") // shows that the session would need a go command
}

// TestOtherVersionLater gets another version of a module whose package was imported before.
func TestOtherVersionLater(t *testing.T) {
	s := newTestSession(t)
	moduleProxy(t, "dep.example/dep", "v1.0.0", "package dep\n\ntype T struct{ N int }\n\nfunc Name() string { return \"one\" }\n")
	addVersion(t, strings.TrimPrefix(os.Getenv("GOPROXY"), "file://"), "dep.example/dep", "v1.1.0",
		"package dep\n\ntype T struct{ N string }\n\nfunc Name() string { return \"one dot one\" }\n")
	mustContain(t, show(t, s, "%get dep.example/dep@v1.0.0\nimport \"dep.example/dep\"\nd := dep.T{N: 5}\nkept := 7\ndep.Name()"), `"one"`)
	mustContain(t, show(t, s, "%get dep.example/dep@v1.1.0\ndep.T{N: dep.Name()}"),
		"reloaded dep.example/dep, which changed", "its types are new", `"one dot one"`)
	mustContain(t, show(t, s, "fmt.Printf(\"%q\", d.N)"), "reset to the zero value, since the type changed: d", `""`)
	expect(t, s, "kept", "[result text/plain]\n7\n")
}

const plotCode = `import ("gonum.org/v1/plot"; "github.com/perijove/perijove/lib/mp"; "github.com/perijove/perijove/lib/display")
p := plot.New()
p.Title.Text = "t"
display.Text(mp.Processes) + p.Title.Text`

// TestOffline imports the library and gonum/plot without a go command, and so without
// network, in a folder that is not writable, with and without a go.mod.
func TestOffline(t *testing.T) {
	img := *newTestSession(t).cfg.Image
	img.Toolchain.Go = "/nowhere/go"
	for _, mod := range []string{"", "module example.com/m\n\ngo 1.26\n"} {
		dir := smallDisk(t, "size=64k")
		if mod != "" {
			if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := unix.Mount("perijove-test", dir, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		s, err := New(Config{Image: &img, Dir: dir, CacheDir: filepath.Join(dir, "cache"), ProgressDelay: noProgress})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, s, plotCode, "[result text/plain]\n\"processest\"\n")
		expect(t, s, "os.Getwd()", fmt.Sprintf("[result text/plain]\n%q\n", dir))
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// smallDisk mounts a tmpfs with these options and returns its folder. If that is not possible, the test is skipped, or
// fails if PERIJOVE_REQUIRE_MOUNT is set, as in CI.
func smallDisk(t *testing.T, options string) string {
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

// TestDiskFillsUp: small cells need no space on the disk, as long as there is memory for their objects. A cell that cannot be
// compiled because the disk is full says so and changes nothing. Once there is space again, the notebook works.
func TestDiskFillsUp(t *testing.T) {
	img := newTestSession(t).cfg.Image
	dir := smallDisk(t, "size=4m")
	t.Setenv("TMPDIR", dir)
	s, err := New(Config{Image: img, CacheDir: filepath.Join(dir, "cache"), ProgressDelay: noProgress})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	expect(t, s, "x := 5\nfunc twice(n int) int { return 2 * n }", "")
	filler := filepath.Join(dir, "filler")
	_ = os.WriteFile(filler, make([]byte, 8<<20), 0o644) // fails when the disk is full
	if s.objects != nil {
		s.program.Load().Compiler.Prepare()
		expect(t, s, "x = twice(x) / 2\nx", "[result text/plain]\n5\n")
		if err := os.RemoveAll(s.objects.Path); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		mustContain(t, show(t, s, "x = twice(x)\nx"), "no space left")
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	expect(t, s, "x = twice(x)\nx", "[result text/plain]\n10\n")
}

// TestTwoKernelsAtOnce starts two kernels with an empty cache, which import the same module.
func TestTwoKernelsAtOnce(t *testing.T) {
	cache := t.TempDir()
	atOnce := func(f func(i int)) {
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() { f(i) })
		}
		wg.Wait()
	}
	var sessions [2]*Session
	atOnce(func(i int) {
		img, err := image.Open(t.Context(), image.Options{Source: perijove.Source, CacheDir: cache})
		if err == nil {
			sessions[i], err = New(Config{Image: img, Dir: t.TempDir(), ProgressDelay: noProgress})
		}
		if err != nil {
			t.Error(err)
		}
	})
	if t.Failed() {
		return
	}
	moduleProxy(t, "dep.example/twin", "v0.1.0", "package twin\n\nfunc Name() string { return \"twin\" }\n")
	atOnce(func(i int) {
		defer sessions[i].Close()
		if got := show(t, sessions[i], "%get dep.example/twin\nimport \"dep.example/twin\"\ntwin.Name()"); !strings.Contains(got, `"twin"`) {
			t.Error(got)
		}
	})
	images, err := filepath.Glob(filepath.Join(cache, "images", "*", "worker"))
	if err != nil || len(images) != 1 {
		t.Errorf("images %q, %v", images, err)
	}
}

// TestCacheDeleted: the whole cache is deleted while a notebook runs. The notebook's variables stay until the kernel is
// restarted.
func TestCacheDeleted(t *testing.T) {
	whole := newTestSession(t).cfg.Image
	cache := t.TempDir()
	dir := filepath.Join(cache, "images", "k")
	if err := os.CopyFS(dir, os.DirFS(whole.Dir)); err != nil {
		t.Fatal(err)
	}
	img := *whole
	img.Dir = dir
	moduleProxy(t, "dep.example/dep", "v1.2.3", "package dep\n\nfunc Name() string { return \"dep\" }\n")
	s, err := New(Config{Image: &img, Dir: t.TempDir(), ProgressDelay: noProgress})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	expect(t, s, "ticks := make(chan int)\ngo func() { for i := 0; ; i++ { ticks <- i } }()\n<-ticks", "[result text/plain]\n0\n")
	if err := os.RemoveAll(cache); err != nil {
		t.Fatal(err)
	}
	if got := show(t, s, "<-ticks"); got != "[result text/plain]\n1\n" && !strings.Contains(got, "restart the kernel") {
		t.Errorf("after the cache was deleted: %s", got) // 1 is right if a compiler on standby had read the files before
	}
	mustContain(t, show(t, s, "%get dep.example/dep\nimport \"dep.example/dep\"\ndep.Name()"), "restart the kernel")
	if err := os.CopyFS(dir, os.DirFS(whole.Dir)); err != nil {
		t.Fatal(err)
	}
	if got := show(t, s, "<-ticks > 0"); got != "[result text/plain]\ntrue\n" { // the worker process kept running
		t.Error(got)
	}
}

// TestEnvReachesGoCommand: %env sets the go command's variables about module downloads, but not the variables on which
// the image depends.
func TestEnvReachesGoCommand(t *testing.T) {
	moduleProxy(t, "dep.example/dep", "v1.0.0", "package dep\n\nconst Answer = 42\n")
	proxy := os.Getenv("GOPROXY")
	t.Setenv("GOPROXY", "off")
	s := newTestSession(t)
	mustContain(t, show(t, s, "%get dep.example/dep"), "GOPROXY=off")
	if got := show(t, s, "%env GOPROXY="+proxy); got != "" {
		t.Errorf("%%env GOPROXY says %q", got)
	}
	mustContain(t, show(t, s, "%env GOFLAGS=-race"), "GOFLAGS is set for cells", "start of the kernel")
	mustContain(t, show(t, s, "%get dep.example/dep"), "dep.example/dep v1.0.0")
	mustContain(t, show(t, s, "import \"dep.example/dep\"\ndep.Answer, os.Getenv(\"GOFLAGS\")"), "42\n\"-race\"")
}
