package program

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

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/goobj"
)

func newAhead(t *testing.T) *Program {
	p := newProgram(t)
	p.cfg.KeepSources = false
	t.Cleanup(p.Close)
	return p
}

func prepared(t *testing.T, p *Program) *waiting {
	t.Helper()
	p.Prepare()
	w, err := p.standby.settled()
	if err != nil || w == nil {
		t.Fatal("no compiler waits", err)
	}
	return w
}

func object(t *testing.T, p *Program, n int, src string) string {
	t.Helper()
	u, err := buildText(context.Background(), p, n, src)
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(u.Object); err != nil || st.Size() == 0 {
		t.Fatalf("the object: %v, %v", st, err)
	}
	p.Commit(u)
	return u.Object
}

func ahead(object string) bool { return strings.HasPrefix(filepath.Base(object), "s") }

func TestAheadCompiles(t *testing.T) {
	p := newAhead(t)
	prepared(t, p)
	first := object(t, p, 1, `func twice(n int) int { return 2 * n }; fmt.Println(twice(3))`)
	if !ahead(first) {
		t.Errorf("the compiler that waited was not used: %s", first)
	}
	if late := object(t, p, 2, `twice(4)`); ahead(late) {
		t.Errorf("one compiler made two objects: %s", late)
	}
	prepared(t, p)
	if again := object(t, p, 3, `x := twice(5)`); !ahead(again) || again == first {
		t.Errorf("the second compiler that waited: %s after %s", again, first)
	}
}

// The object must not depend on how the compiler got its sources, but for the
// name of the generated file, which no position uses.
func TestAheadSameObject(t *testing.T) {
	src := "import \"strings\"\ntype T struct{ a, b int }\nfunc (t T) Sum() int { return t.a + t.b }\n" +
		"fmt.Println(strings.ToUpper(\"x\"), T{1, 2}.Sum())\nfor i := range 3 { defer func() { println(i) }() }"
	p, q := newAhead(t), newAhead(t)
	prepared(t, p)
	a, b := functions(t, object(t, p, 1, src)), functions(t, object(t, q, 1, src))
	if len(a) < 3 || !maps.Equal(a, b) {
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

func TestAheadManyFiles(t *testing.T) {
	p := newAhead(t)
	object(t, p, 50, "type T = int")
	var calls []string
	for i := 1; i <= 2*standbyFiles; i++ {
		object(t, p, i, fmt.Sprintf("func f%d() T { var t T; return t }", i))
		calls = append(calls, fmt.Sprintf("f%d()", i))
	}
	prepared(t, p)
	// Each f is compiled again, in its own cell's file.
	if o := object(t, p, 100, "type T = string\nfmt.Println("+strings.Join(calls, ", ")+")"); ahead(o) {
		t.Errorf("%d files went through %d pipes: %s", 2*standbyFiles, standbyFiles, o)
	}
}

func TestAheadDead(t *testing.T) {
	p := newAhead(t)
	w := prepared(t, p)
	if err := w.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if o := object(t, p, 1, `x := 1`); ahead(o) {
		t.Errorf("an object of a dead compiler: %s", o)
	}
}

func TestAheadOtherImports(t *testing.T) {
	p := newAhead(t)
	w := prepared(t, p)
	w.importcfg = "another"
	if o := object(t, p, 1, `x := 1`); ahead(o) {
		t.Errorf("compiled with an importcfg that is not the cell's: %s", o)
	}
	gone(t, w)
}

func TestAheadLargeSource(t *testing.T) {
	p := newAhead(t)
	prepared(t, p)
	src := "text := `" + strings.Repeat("0123456789abcdef\n", 20_000) + "`"
	if o := object(t, p, 1, src); !ahead(o) {
		t.Errorf("340 kB did not go through the pipe: %s", o)
	}
}

// What only the compiler refuses is told with the cell's position.
func TestAheadError(t *testing.T) {
	p := newAhead(t)
	w := prepared(t, p)
	_, err := buildText(context.Background(), p, 1, "func large() [1 << 31]byte { return [1 << 31]byte{} }\nfunc f() byte { a := large(); return a[5] }")
	var errs cell.Errors
	if !errors.As(err, &errs) || errs[0].Pos.Line != 1 {
		t.Errorf("the error: %v", err)
	}
	gone(t, w)
	object(t, p, 2, "x := 1")
}

func TestAheadCanceled(t *testing.T) {
	p := newAhead(t)
	w := prepared(t, p)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := buildText(ctx, p, 1, "x := 1"); !errors.Is(err, context.Canceled) {
		t.Errorf("the error: %v", err)
	}
	gone(t, w)
	object(t, p, 2, "x := 1")
}

func TestAheadClosed(t *testing.T) {
	p := newAhead(t)
	w := prepared(t, p)
	p.Close()
	gone(t, w)
	p.Prepare()
	if w, err := p.standby.settled(); err != nil || w != nil {
		t.Errorf("after Close: %v, %v", err, w)
	}
	object(t, p, 1, "x := 1")
}

// A unit that another follows at once has the next compiler started as soon as
// its own has its sources, however that came by them.
func TestAheadOfNext(t *testing.T) {
	p := newAhead(t)
	more := true
	p.cfg.Next = func() bool { return more }
	if fresh := object(t, p, 1, `x := 1`); ahead(fresh) {
		t.Errorf("nobody had started a compiler: %s", fresh)
	}
	for n := 2; n < 5; n++ {
		if o := object(t, p, n, `x++`); !ahead(o) {
			t.Errorf("unit %d had to wait for a compiler: %s", n, o)
		}
	}
	w, _ := p.standby.settled()
	more = false
	if o := object(t, p, 5, `x++`); w == nil || o != w.object {
		t.Errorf("the last unit was not compiled by the compiler that waited: %s", o)
	}
	if w, _ := p.standby.settled(); w != nil {
		t.Error("a compiler was started though no unit follows")
	}
}

// A compiler that is about to start is waited for, not doubled.
func TestAheadStarting(t *testing.T) {
	p := newAhead(t)
	for n := 1; n < 10; n++ {
		p.Prepare()
		if o := object(t, p, n, `x := 1`); !ahead(o) {
			t.Fatalf("unit %d was compiled beside the compiler that started: %s", n, o)
		}
	}
	p.Prepare()
	p.Close()
	if w, _ := p.standby.settled(); w != nil {
		t.Error("a compiler that was starting outlives Close")
	}
}

// gone waits for the compiler's process to end.
func gone(t *testing.T, w *waiting) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if errors.Is(syscall.Kill(w.cmd.Process.Pid, 0), syscall.ESRCH) {
			return
		}
	}
	t.Error("the compiler is there still")
}
