package query

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program"
	"github.com/perijove/perijove/kernel/internal/program/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }

// newProgram returns a program that has executed cells.
func newProgram(t *testing.T, im program.Importer, cells ...string) *program.Program {
	t.Helper()
	compile := programtest.NewStd(t).Compile // in GOROOT/pkg/tool/PLATFORM
	p := program.New(program.Config{Compile: compile, GOROOT: filepath.Join(compile, "../../../.."), Dir: t.TempDir(), Importer: im})
	for i, src := range cells {
		c, errs := cell.Parse(i+1, src)
		if errs != nil {
			t.Fatal(errs)
		}
		u, err := p.Build(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		p.Commit(u)
	}
	return p
}

// TestComplete: | marks the cursor. The wanted candidates must be in the list;
// those with a minus sign must not.
func TestComplete(t *testing.T) {
	p := newProgram(t, programtest.NewStd(t), "type point struct{ X, Y int }\nfunc (p point) Norm() int { return p.X }\nvar origin point\nconst limit = 3")
	for _, test := range []struct {
		src  string
		want []string
	}{
		{"ori|", []string{"origin"}},
		{"origin.|", []string{"X", "Y", "Norm", "-origin"}},
		{"point{|}", []string{"X", "Y", "-Norm"}},
		{"strings.ToUp|", []string{"ToUpper", "-ToLower"}},
		{"import \"net/htt|", []string{"net/http"}},
		{"if lim| > 2 {", []string{"limit"}},
		{"ct|", []string{"ctx"}},
		{"\"ori|\"", []string{"-origin"}},
	} {
		cursor := slices.Index([]byte(test.src), '|')
		list, _, _ := Complete(p, test.src[:cursor]+test.src[cursor+1:], cursor)
		for _, want := range test.want {
			name, unwanted := want, false
			if want[0] == '-' {
				name, unwanted = want[1:], true
			}
			if has := slices.ContainsFunc(list, func(c Candidate) bool { return c.Name == name }); has == unwanted {
				t.Errorf("%q: %s, of %v", test.src, want, list)
			}
		}
	}
}

func TestDescribe(t *testing.T) {
	p := newProgram(t, programtest.NewStd(t), "// half halves.\nfunc half(n int) int { return n / 2 }")
	d, ok := Describe(p, "half(3)", 1)
	if !ok || d.Text != "func half(n int) int" || d.Doc != "half halves." || d.Cell != 1 {
		t.Errorf("half: %v, %+v", ok, d)
	}
	if d, ok := Describe(p, "half(3", 6); !ok || d.Text != "func half(n int) int" {
		t.Errorf("in the arguments: %v, %+v", ok, d)
	}
	if d, ok := Describe(p, "unknown", 2); ok {
		t.Errorf("unknown: %+v", d)
	}
}

// TestDescribeType: a struct or interface type of a package is described by its source, without what is not exported.
func TestDescribeType(t *testing.T) {
	p := newProgram(t, programtest.NewStd(t), "type own struct{ n int }")
	for name, want := range map[string]string{
		"strings.Builder": "type strings.Builder struct {\n\t// fields that are not exported\n}",
		"sync.Pool":       "type sync.Pool struct {\n\t// New optionally specifies a function",
		"fmt.Stringer":    "type fmt.Stringer interface {\n\tString() string\n}",
		"io.ReadWriter":   "type io.ReadWriter interface {\n\tReader\n\tWriter\n}",
		"atomic.Pointer":  "type atomic.Pointer[T any] struct {",
		"time.Duration":   "type time.Duration int64",
		"own":             "type own struct{n int}",
	} {
		d, ok := Describe(p, name, len(name))
		if !ok || !strings.HasPrefix(d.Text, want) {
			t.Errorf("%s: %q", name, d.Text)
		}
	}
}

// TestOwnNamesComeFirst: names that the notebook declares come before packages.
func TestOwnNamesComeFirst(t *testing.T) {
	p := newProgram(t, programtest.NewStd(t), "import \"path\"\n_ = path.Base\nprimes, pz := []int{2}, 1")
	list, _, _ := Complete(p, "p", 1)
	var names []string
	for _, c := range list {
		names = append(names, c.Name)
	}
	if len(names) < 8 || !slices.Equal(names[:3], []string{"primes", "pz", "path"}) || slices.Index(names, "panic") > slices.Index(names, "palette") && slices.Contains(names, "palette") || !slices.Contains(names, "parser") {
		t.Errorf("%v", names)
	}
}

// A busyImporter blocks while busy is open, as an Importer does while the go command runs.
type busyImporter struct {
	*programtest.Std
	busy chan struct{} // if it is nil or closed, the importer answers
}

func (im *busyImporter) Archive(path string) (string, error) {
	if im.busy != nil {
		<-im.busy
	}
	return im.Std.Archive(path)
}

func (im *busyImporter) Packages() map[string]string {
	if im.busy != nil {
		<-im.busy
	}
	return map[string]string{"example.com/a": "a"}
}

// TestQueriesBesideBusyPackages: a query does not wait for packages that the go command is
// loading. A later query has them.
func TestQueriesBesideBusyPackages(t *testing.T) {
	im := &busyImporter{Std: programtest.NewStd(t)}
	p := newProgram(t, im, "import \"strings\"\nvar known = strings.ToUpper(\"a\")")
	im.busy = make(chan struct{})
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		for _, test := range []struct{ src, want string }{
			{"strings.ToUp", "ToUpper"},
			{"kno", "known"},
			{"undefined.X + bytes.TrimSp", ""},
			{"import \"net/htt", "net/http"},
			{"import \"net/url\"\nkno", "known"},
		} {
			list, _, _ := Complete(p, test.src, len(test.src))
			if has := slices.ContainsFunc(list, func(c Candidate) bool { return c.Name == test.want }); has != (test.want != "") {
				t.Errorf("%q: %v", test.src, list)
			}
		}
		Describe(p, "bytes.TrimSpace", 8)
	}()
	select {
	case <-answered:
	case <-time.After(time.Minute):
		t.Fatal("a query waits for the go command")
	}
	close(im.busy)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if list, _, _ := Complete(p, "bytes.TrimSp", 12); len(list) == 1 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the package never comes")
		}
	}
}
