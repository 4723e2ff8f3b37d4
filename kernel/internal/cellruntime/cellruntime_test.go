package cellruntime

import (
	"errors"
	"fmt"
	"image"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/lib/mp"
)

func TestResult(t *testing.T) {
	for _, test := range []struct {
		values []any
		want   string
	}{
		{[]any{1}, "1"},
		{[]any{nil}, "nil"},
		{[]any{1, nil}, "1"},
		{[]any{1, errors.New("failed")}, "1\nfailed"},
	} {
		if got := Result(test.values...).Data["text/plain"]; got != test.want {
			t.Errorf("%v: %q, want %q", test.values, got, test.want)
		}
	}
	for r, want := range map[rune]string{'x': "120 'x'", 0: "0"} {
		if got := RuneResult(r).Data["text/plain"]; got != want {
			t.Errorf("rune %d: %q, want %q", r, got, want)
		}
	}
}

// TestResultWithPicture: a picture among several values is shown as a picture.
func TestResultWithPicture(t *testing.T) {
	type moon struct{ Name string }
	m := Result([]moon{{"Io"}, {"Europa"}}, image.NewGray(image.Rect(0, 0, 4, 2)), "<b>", nil)
	page, _ := m.Data["text/html"].(string)
	for _, want := range []string{"<table", `src="data:image/png;base64,iVBOR`, `width="4" height="2"`, "<pre>&#34;&lt;b&gt;&#34;</pre>"} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is not in %s", want, page)
		}
	}
	if text := m.Data["text/plain"].(string); !strings.HasSuffix(text, "\n[*image.Gray, 4 × 2 pixels]\n\"<b>\"") {
		t.Errorf("%s", text)
	}
	if m := Result([]moon{{"Io"}, {"Europa"}}, 3); m.Data["text/html"] != nil {
		t.Errorf("without a picture: %v", m.Data)
	}
}

// TestErrorResult: an error is shown in red with the errors that it wraps, and its metadata marks it as an error.
func TestErrorResult(t *testing.T) {
	_, err := os.Open("missing.txt")
	m := Result(1, fmt.Errorf("reading: %w", err))
	want := "1\nreading: open missing.txt: no such file or directory\n" +
		"  wraps *fs.PathError: open missing.txt: no such file or directory\n    wraps syscall.Errno: no such file or directory"
	if m.Data["text/plain"] != want || !strings.Contains(m.Data["text/html"].(string), "color:var(--jp-error-color1") || m.Metadata[ErrorMetadata] == nil {
		t.Errorf("%+v", m)
	}
	if m := Result(errors.Join(errors.New("a"), errors.New("b"))); m.Data["text/plain"] != "a\nb" {
		t.Errorf("%+v", m)
	}
	child := &mp.PanicError{Text: "oh", PID: 7, Stack: "goroutine 1 [running]:\nmain.f(...)\n\t/x/Cell [3]:4 +0x1a\nmp.run()\n\t/y/mp.go:5 +0x1\nmain.cell.2()\n\t/x/Cell [2]:1\n"}
	if m := Result(child); m.Data["text/plain"] != "panic: oh (in process 7)\nCell [3] line 4, in f\nCell [2] line 1, in cell.2" {
		t.Errorf("%s", m.Data["text/plain"])
	}
	if PanicText(child) != "panic: oh (in process 7)" || len(ChildFrames(child)) != 2 {
		t.Errorf("%s, %v", PanicText(child), ChildFrames(child))
	}
}

func TestEarlier(t *testing.T) {
	defer DropEarlier()
	for i := range maxKept + 5 {
		Keep(i+1, i)
	}
	Keep(200, "x", nil)
	Keep(201, 1, 2)
	Keep(202, make([]byte, 10))
	Keep(0, "of no cell")
	if Earlier(200) != "x" || Earlier(105) != 104 || len(earlier.kept) != maxKept {
		t.Errorf("%v", earlier.kept)
	}
	for _, cell := range []int{1, 201, 0} {
		if _, ok := earlier.get(cell); ok {
			t.Errorf("Out[%d] is kept", cell)
		}
	}
	Keep(203, make([]byte, maxKeptBytes+1))
	if len(earlier.kept) != 0 || earlier.bytes != 0 {
		t.Errorf("%d kept, %d bytes", len(earlier.kept), earlier.bytes)
	}
}

type panicking struct{}

func (panicking) String() string { panic("in String") }

func TestPanicText(t *testing.T) {
	for _, test := range []struct {
		value any
		want  string
	}{
		{"text", "text"},
		{errors.New("failed"), "failed"},
		{7, "int(7)"},
		{struct{ A int }{1}, "(struct { A int }) {A:1}"},
		{panicking{}, "(cellruntime.panicking) without a text: its Error or String method panicked"},
	} {
		if got := PanicText(test.value); got != test.want {
			t.Errorf("%#v: %q, want %q", test.value, got, test.want)
		}
	}
}

func TestFrames(t *testing.T) {
	list := outer(t)
	if len(list) != 2 || !strings.HasSuffix(list[0].Func, ".inner") || !strings.HasSuffix(list[1].Func, ".outer") {
		t.Errorf("%+v", list)
	}
}

//go:noinline
func outer(t *testing.T) []control.Frame { return inner(t) }

//go:noinline
func inner(t *testing.T) []control.Frame {
	last := reflect.ValueOf(TestFrames).Pointer()
	return Frames(0, func(f runtime.Frame) bool { return f.Entry == last })
}

func TestApplySetup(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("PERIJOVE_TEST_SET", "")
	t.Setenv("PERIJOVE_TEST_UNSET", "1")
	args := os.Args
	defer func() { os.Args = args }()
	dir := t.TempDir()
	if err := ApplySetup(control.Setup{Dir: dir, Env: []string{"PERIJOVE_TEST_SET=a=b", "PERIJOVE_TEST_UNSET"}, Args: []string{"notebook", "x"}}); err != nil {
		t.Fatal(err)
	}
	now, err := os.Getwd()
	_, isSet := os.LookupEnv("PERIJOVE_TEST_UNSET")
	if err != nil || now != dir || os.Getenv("PERIJOVE_TEST_SET") != "a=b" || isSet || !reflect.DeepEqual(os.Args[1:], []string{"x"}) {
		t.Errorf("%v, folder %s, environment %q, %v, arguments %q", err, now, os.Getenv("PERIJOVE_TEST_SET"), isSet, os.Args)
	}
	if err := ApplySetup(control.Setup{Dir: dir + "/none"}); err == nil {
		t.Error("no error for a folder that does not exist")
	}
}

// A countedError counts the calls of its method.
type countedError struct{ calls *int }

func (e countedError) Error() string { *e.calls++; return "counted" }

// TestErrorIsCalledOnce shows an error alone, beside another value, and in a slice.
func TestErrorIsCalledOnce(t *testing.T) {
	var calls int
	err := countedError{&calls}
	for _, values := range [][]any{{err}, {1, err}, {[]error{err}}} {
		calls = 0
		m := Result(values...)
		if text, _ := m.Data["text/plain"].(string); calls != 1 || !strings.Contains(text, "counted") {
			t.Errorf("%d calls for %q", calls, text)
		}
	}
}
