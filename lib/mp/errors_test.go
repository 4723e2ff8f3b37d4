package mp_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

type badRange struct{ Lo, Hi int }

func (r *badRange) Error() string { return fmt.Sprintf("not in %d..%d", r.Lo, r.Hi) }

type failedAt struct {
	step int
	err  error
}

func (f failedAt) Error() string { return fmt.Sprint("step ", f.step, ": ", f.err) }
func (f failedAt) Unwrap() error { return f.err }

type unsendable struct{ c chan int }

func (unsendable) Error() string        { return "has a channel" }
func (unsendable) Is(target error) bool { return target == fs.ErrExist }

var (
	errSentinel             = errors.New("a sentinel")
	errLooksAlike           = errors.New("a sentinel")
	errFormatted            = fmt.Errorf("formatted %d", 7)
	errWrapping             = fmt.Errorf("wraps %w", errSentinel)
	errPointer              = &badRange{1, 2}
	errMade                 = makeRange(3)
	errUnsendable     error = unsendable{make(chan int)}
	errInStruct             = struct{ NotFound, Other error }{NotFound: errors.New("not found")}
	errReassigned           = errors.New("first")
	errReassignedPtr        = makeRange(8)
	errAssignedLater  error
	errPointerChanged = &badRange{5, 6}
	errsInList        = [2]error{errors.New("listed"), nil}
)

//go:noinline
func makeRange(n int) *badRange { return &badRange{n, 10 * n} }

// sentinels returns errors that must be the same in parent and child.
func sentinels() map[string]error {
	return map[string]error{
		"EOF": io.EOF, "sql": sql.ErrNoRows, "canceled": context.Canceled, "deadline": context.DeadlineExceeded, "closed": mp.ErrClosed,
		"notexist": fs.ErrNotExist, "exec": exec.ErrNotFound, "own": errSentinel, "alike": errLooksAlike, "formatted": errFormatted,
		"wrapping": errWrapping, "pointer": errPointer, "made": errMade, "instruct": errInStruct.NotFound, "listed": errsInList[0],
		"unsendable": errUnsendable,
	}
}

func failAs(name string) (int, error) {
	errAssignedLater = errors.New("later")
	errReassigned = errors.New("second")
	errReassignedPtr = makeRange(8)
	errPointerChanged.Hi = 7
	err := sentinels()[name]
	switch name {
	case "wrapped":
		err = fmt.Errorf("reading: %w", io.EOF)
	case "joined":
		err = errors.Join(errSentinel, fmt.Errorf("two: %w", sql.ErrNoRows), &badRange{1, 9})
	case "value":
		err = &badRange{0, 9}
	case "nested":
		err = failedAt{2, fmt.Errorf("deeper: %w", failedAt{3, errSentinel})}
	case "channel":
		err = unsendable{make(chan int)}
	case "path":
		_, err = os.Open("/does/not/exist")
	case "later":
		err = errAssignedLater
	case "reassigned":
		err = errReassigned
	case "reassignedpointer":
		err = errReassignedPtr
	case "changed":
		err = errPointerChanged
	case "typednil":
		err = (*badRange)(nil)
	case "selfwrap":
		err = selfWrapping{}
	case "panicking":
		err = panicking{"x"}
	}
	return 0, err
}

//lint:ignore U1000 what cannot be sent
type selfWrapping struct{ f *func() }

func (selfWrapping) Error() string   { return "wraps itself" }
func (s selfWrapping) Unwrap() error { return s }

type panicking struct{ text string }

func (panicking) Error() string { panic("no text") }

func failure(t *testing.T, name string) error {
	t.Helper()
	_, err := result(mp.Go[int](watchdog(t), mp.Processes, failAs, name))
	if err == nil {
		t.Fatalf("%s: no error", name)
	}
	return err
}

// TestErrorsOfPackageVariables checks that an error in a package variable, returned by
// a child, is the same error in the parent.
func TestErrorsOfPackageVariables(t *testing.T) {
	for name, want := range sentinels() {
		if err := failure(t, name); err != want {
			t.Errorf("%s: %#v arrived as %#v", name, want, err)
		}
	}
	if errors.Is(failure(t, "own"), errLooksAlike) || errors.Is(failure(t, "alike"), errSentinel) {
		t.Error("two errors with one text are taken for each other")
	}
	for _, name := range []string{"later", "reassigned", "reassignedpointer", "changed"} {
		err := failure(t, name)
		for _, v := range []error{errReassigned, errReassignedPtr, errPointerChanged} {
			if errors.Is(err, v) {
				t.Errorf("%s: an error that was made later arrived as the variable's first one", name)
			}
		}
	}
}

// TestErrorsOfPackageVariablesInAChild checks that an error in a package variable, sent
// to a child, is the same error there.
func TestErrorsOfPackageVariablesInAChild(t *testing.T) {
	for name, err := range sentinels() {
		expect(t, true)(result(mp.Go[bool](watchdog(t), mp.Processes, isSentinel, namedError{name, err, []any{err}})))
		wrapped := namedError{name, fmt.Errorf("wrapped: %w", err), []any{err}}
		expect(t, true)(result(mp.Go[bool](watchdog(t), mp.Processes, isSentinel, wrapped)))
	}
}

type namedError struct {
	Name string
	Err  error
	Held []any
}

func isSentinel(n namedError) bool {
	want := sentinels()[n.Name]
	return errors.Is(n.Err, want) && n.Held[0] == any(want)
}

func TestErrorsKeepWhatTheyAre(t *testing.T) {
	err := failure(t, "wrapped")
	if !errors.Is(err, io.EOF) || err.Error() != "reading: EOF" {
		t.Errorf("wrapped: %v", err)
	}
	err = failure(t, "joined")
	var r *badRange
	if !errors.Is(err, errSentinel) || !errors.Is(err, sql.ErrNoRows) || errors.Is(err, io.EOF) || !errors.As(err, &r) || r.Hi != 9 {
		t.Errorf("joined: %v", err)
	}
	if err := failure(t, "value"); !errors.As(err, &r) || *r != (badRange{0, 9}) || r == errPointer {
		t.Errorf("value: %#v", err)
	}
	err = failure(t, "nested")
	var f failedAt
	if !errors.Is(err, errSentinel) || !errors.As(err, &f) || f.step != 2 || err.Error() != "step 2: deeper: step 3: a sentinel" {
		t.Errorf("nested: %#v", err)
	}
	var remote *mp.RemoteError
	if err := failure(t, "channel"); !errors.As(err, &remote) || remote.Type != "mp_test.unsendable" || err.Error() != "has a channel" || !errors.Is(err, fs.ErrExist) {
		t.Errorf("channel: %#v", err)
	}
	var path *fs.PathError
	if err := failure(t, "path"); !errors.As(err, &path) || path.Path != "/does/not/exist" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("path: %#v", err)
	}
	if err := failure(t, "selfwrap"); err.Error() != "wraps itself" {
		t.Errorf("selfwrap: %v", err)
	}
}

// TestErrorsWhoseMethodsPanic checks that methods of a user's error may panic.
func TestErrorsWhoseMethodsPanic(t *testing.T) {
	err := failure(t, "typednil")
	refused(t, err, "a nil *mp_test.badRange", "nil pointer dereference")
	var r *badRange
	if !errors.As(err, &r) || r != nil {
		t.Errorf("errors.As finds %v", r)
	}
	refused(t, failure(t, "panicking"), "a mp_test.panicking, whose Error method panicked: no text")
}

func panicBy(how string) (int, error) {
	var m map[string]int
	var list []int
	var p *badRange
	switch how {
	case "index":
		return list[len(how)], nil
	case "map":
		//lint:ignore SA5000 it is to panic
		m[how] = 1
	case "nil":
		return p.Lo, nil
	case "assert":
		return any(how).(int), nil
	case "divide":
		return 1 / len(list), nil
	case "own":
		panic(failedAt{9, errSentinel})
	case "value":
		panic(badRange{1, 2})
	case "func":
		panic(func() {})
	case "panicnil":
		panic(nil)
	}
	return 0, nil
}

func TestPanicErrorHasTheValue(t *testing.T) {
	for _, b := range []mp.Backend{mp.Goroutines, mp.Processes} {
		panicked := func(how string) *mp.PanicError {
			_, err := result(mp.Go[int](watchdog(t), b, panicBy, how))
			p, ok := errors.AsType[*mp.PanicError](err)
			if !ok {
				t.Fatalf("%v, %s: %v", b, how, err)
			}
			return p
		}
		for _, how := range []string{"index", "map", "nil", "assert", "divide", "panicnil"} {
			p := panicked(how)
			var re runtime.Error
			if !errors.As(p, &re) || re.Error() != p.Text {
				t.Errorf("%v, %s: no runtime.Error in %#v", b, how, p)
			}
		}
		p := panicked("own")
		if f, ok := errors.AsType[failedAt](p); !ok || f.step != 9 || !errors.Is(p, errSentinel) {
			t.Errorf("%v: own: %#v", b, p)
		}
		if p := panicked("value"); p.Value != (badRange{1, 2}) {
			t.Errorf("%v: value: %#v", b, p)
		}
		if p := panicked("func"); b == mp.Processes && p.Value != p.Text || p.Text == "" {
			t.Errorf("%v: func: %#v", b, p)
		}
	}
}

// TestErrorsInOtherBinaries checks that package variables are found in a stripped
// binary, and in a position-independent one.
func TestErrorsInOtherBinaries(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs")
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Fatal("the go command, which builds the programs, was not found:", err)
	}
	for name, flags := range map[string][]string{
		"stripped": {"-ldflags=-s -w"}, "pie": {"-buildmode=pie"}, "strippedpie": {"-buildmode=pie", "-ldflags=-s -w"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), name)
			build := exec.CommandContext(watchdog(t), goTool, append(append([]string{"build", "-o", file}, flags...), "./testdata/sentinels")...)
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			out, err := exec.CommandContext(watchdog(t), file).CombinedOutput()
			if err != nil || strings.TrimSpace(string(out)) != "ok" {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
