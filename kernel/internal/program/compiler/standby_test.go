package compiler

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/program/programtest"
	"github.com/perijove/perijove/kernel/internal/program/reducedexports"
)

func TestMain(m *testing.M) { programtest.Main(m) }

func newCompiler(t *testing.T, edit ...func(*Config)) *Compiler {
	t.Helper()
	std := programtest.NewStd(t)
	cfg := Config{Tool: std.Compile, Lang: "go1.26", Dir: t.TempDir(), Env: os.Environ(), Importcfg: std.Importcfg}
	for _, f := range edit {
		f(&cfg)
	}
	c := New(cfg)
	t.Cleanup(c.Close)
	return c
}

func prepared(t *testing.T, c *Compiler) *process {
	t.Helper()
	c.Prepare()
	w, err := c.standby.wait()
	if err != nil || w == nil {
		t.Fatal("no compiler on standby", err)
	}
	return w
}

// unit returns a unit of files with these texts, each after a package clause.
func unit(texts ...string) (u Unit) {
	for i, text := range texts {
		u.Files = append(u.Files, File{fmt.Sprintf("f%d.go", i), "package main\n" + text})
	}
	return u
}

func object(t *testing.T, c *Compiler, texts ...string) string {
	t.Helper()
	file, err := c.Compile(t.Context(), unit(texts...))
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(file); err != nil || st.Size() == 0 {
		t.Fatalf("the object: %v, %v", st, err)
	}
	return file
}

// onStandby reports whether a standby compiler made an object.
func onStandby(object string) bool { return strings.HasPrefix(filepath.Base(object), "s") }

func TestStandbyCompiles(t *testing.T) {
	c := newCompiler(t)
	prepared(t, c)
	first := object(t, c, "import \"fmt\"\nfunc f() { fmt.Println(2) }")
	if !onStandby(first) {
		t.Errorf("the compiler on standby was not used: %s", first)
	}
	if late := object(t, c, "func f() {}"); onStandby(late) {
		t.Errorf("one compiler made two objects: %s", late)
	}
	prepared(t, c)
	if next := object(t, c, "func f() {}"); !onStandby(next) || next == first {
		t.Errorf("the second compiler on standby: %s after %s", next, first)
	}
}

// The object must not depend on whether the compiler read its sources from pipes or from
// files. Only the name of the generated file differs, and no position uses that.
func TestStandbySameObject(t *testing.T) {
	src := "import (\"fmt\"; \"strings\")\n//line Cell [1]:1:1\ntype T struct{ a, b int }\nfunc (t T) Sum() int { return t.a + t.b }\n" +
		"func f() { fmt.Println(strings.ToUpper(\"x\"), T{1, 2}.Sum())\nfor i := range 3 { defer func() { println(i) }() } }"
	p, q := newCompiler(t), newCompiler(t)
	prepared(t, p)
	first := object(t, p, src)
	a, b := functions(t, first), functions(t, object(t, q, src))
	if !onStandby(first) || len(a) < 3 || !maps.Equal(a, b) {
		t.Errorf("the functions differ:\n%v\n%v", a, b)
	}
}

// functions returns the code of an object's functions by name.
func functions(t *testing.T, file string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := goobj.ParseArchive(b)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, o := range objects {
		for i := range o.NumDef() {
			if s := o.Sym(i); s.Kind().IsText() {
				out[s.Name()] = fmt.Sprintf("%x", s.Data())
			}
		}
	}
	return out
}

func TestStandbyManyFiles(t *testing.T) {
	c := newCompiler(t)
	prepared(t, c)
	var texts []string
	for i := range 2 * standbyFiles {
		texts = append(texts, fmt.Sprintf("func f%d() {}", i))
	}
	if o := object(t, c, texts...); onStandby(o) {
		t.Errorf("%d files went through %d pipes: %s", len(texts), standbyFiles, o)
	}
}

func TestStandbyDead(t *testing.T) {
	c := newCompiler(t)
	w := prepared(t, c)
	if err := w.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if o := object(t, c, "func f() {}"); onStandby(o) {
		t.Errorf("an object of a dead compiler: %s", o)
	}
}

func TestStandbyOtherImports(t *testing.T) {
	c := newCompiler(t)
	w := prepared(t, c)
	w.importcfg = "another"
	if o := object(t, c, "func f() {}"); onStandby(o) {
		t.Errorf("compiled with an importcfg that is not the unit's: %s", o)
	}
	ended(t, w)
}

func TestStandbyLargeSource(t *testing.T) {
	c := newCompiler(t)
	prepared(t, c)
	src := "var text = `" + strings.Repeat("0123456789abcdef\n", 20_000) + "`"
	if o := object(t, c, src); !onStandby(o) {
		t.Errorf("340 kB did not go through the pipe: %s", o)
	}
}

// TestStandbyError: a unit that a standby compiler refuses is compiled again by a new
// process, whose messages name the files.
func TestStandbyError(t *testing.T) {
	c := newCompiler(t)
	w := prepared(t, c)
	_, err := c.Compile(t.Context(), unit("//line Cell [1]:1:1\nfunc large() [1 << 31]byte { return [1 << 31]byte{} }\nfunc f() byte { a := large(); return a[5] }"))
	var refused *Error
	if !errors.As(err, &refused) || !strings.Contains(refused.Output, "Cell [1]:1:6") {
		t.Errorf("the error: %v", err)
	}
	ended(t, w)
	object(t, c, "func f() {}")
}

func TestStandbyCanceled(t *testing.T) {
	c := newCompiler(t)
	w := prepared(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Compile(ctx, unit("func f() {}")); !errors.Is(err, context.Canceled) {
		t.Errorf("the error: %v", err)
	}
	ended(t, w)
	object(t, c, "func f() {}")
}

func TestStandbyClosed(t *testing.T) {
	c := newCompiler(t)
	w := prepared(t, c)
	c.Close()
	ended(t, w)
	c.Prepare()
	if w, err := c.standby.wait(); err != nil || w != nil {
		t.Errorf("after Close: %v, %v", err, w)
	}
	object(t, c, "func f() {}")
}

// TestStandbyOfNext: if another unit follows immediately, the next compiler is started as soon as
// the current one has its sources, by pipe or by file.
func TestStandbyOfNext(t *testing.T) {
	more := true
	c := newCompiler(t, func(cfg *Config) { cfg.Next = func() bool { return more } })
	if first := object(t, c, "func f() {}"); onStandby(first) {
		t.Errorf("a compiler was on standby before the first unit: %s", first)
	}
	for n := 2; n < 5; n++ {
		if o := object(t, c, "func f() {}"); !onStandby(o) {
			t.Errorf("unit %d had to wait for a compiler: %s", n, o)
		}
	}
	w, _ := c.standby.wait()
	more = false
	if o := object(t, c, "func f() {}"); w == nil || o != w.object {
		t.Errorf("the last unit was not compiled by the compiler on standby: %s", o)
	}
	if w, _ := c.standby.wait(); w != nil {
		t.Error("a compiler was started though no unit follows")
	}
}

// TestStandbyStarting: Compile waits for a compiler that is starting and does not start
// another.
func TestStandbyStarting(t *testing.T) {
	c := newCompiler(t)
	for n := 1; n < 10; n++ {
		c.Prepare()
		if o := object(t, c, "func f() {}"); !onStandby(o) {
			t.Fatalf("unit %d was compiled beside the compiler that started: %s", n, o)
		}
	}
	c.Prepare()
	c.Close()
	if w, _ := c.standby.wait(); w != nil {
		t.Error("a compiler that was starting outlives Close")
	}
}

// ended waits for the compiler's process to end.
func ended(t *testing.T, w *process) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if errors.Is(syscall.Kill(w.cmd.Process.Pid, 0), syscall.ESRCH) {
			return
		}
	}
	t.Error("the compiler is there still")
}

// TestStandbyNoInlining checks that a compiler with inlining and one without wait, and that a unit gets the right one.
func TestStandbyNoInlining(t *testing.T) {
	c := newCompiler(t)
	u := unit("import \"fmt\"\nfunc f() { fmt.Println(1) }")
	u.Imports, u.Names = []string{"fmt"}, reducedexports.Names{"fmt": {"Println"}}
	for range 2 {
		prepared(t, c)
		without, err := c.noInline.wait()
		if err != nil || without == nil {
			t.Fatal("no compiler without inlining on standby", err)
		}
		for _, noInlining := range []bool{false, true} {
			u.NoInlining = noInlining
			file, err := c.Compile(t.Context(), u)
			if err != nil {
				t.Fatal(err)
			}
			if noInlining != (file == without.object) || !noInlining && !onStandby(file) {
				t.Errorf("no inlining %v: compiled to %s", noInlining, file)
			}
		}
	}
	if with, without := compiled(t, c, false), compiled(t, c, true); with == without {
		t.Error("the same code with and without inlining")
	}
	w := prepared(t, c)
	without, _ := c.noInline.wait()
	c.Close()
	ended(t, w)
	ended(t, without)
}

// TestStandbyMissingName checks that a unit with an object outside of its list of names is compiled against the complete export data.
func TestStandbyMissingName(t *testing.T) {
	c := newCompiler(t)
	prepared(t, c)
	u := unit("import \"fmt\"\nfunc f() { fmt.Println(1) }")
	u.Imports, u.NoInlining = []string{"fmt"}, true
	if _, err := c.Compile(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	if n := c.Counts(); n.Failed != 1 {
		t.Errorf("the unit was compiled without the name: %v", n)
	}
}

// compiled returns the code of a function that a new process compiles.
func compiled(t *testing.T, c *Compiler, noInlining bool) string {
	t.Helper()
	u := unit("import \"fmt\"\nfunc f() { fmt.Println(1) }")
	u.NoInlining = noInlining
	file, err := c.Compile(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	return functions(t, file)["main.f"]
}

// TestNoInliningOfFlags: the flag -l of the user's settings does not turn inlining on again.
func TestNoInliningOfFlags(t *testing.T) {
	plain, flags := newCompiler(t), newCompiler(t, func(cfg *Config) { cfg.Flags = []string{"-l"} })
	if want := compiled(t, plain, true); compiled(t, flags, true) != want || compiled(t, flags, false) != want {
		t.Error("-l twice inlines")
	}
}
