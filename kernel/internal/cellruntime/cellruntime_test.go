package cellruntime

import (
	"errors"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/control"
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
		{panicking{}, "(cellruntime.panicking) whose text cannot be had: it panics itself"},
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
