package mp_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// handles has a nil pointer to each type whose methods need an object behind them.
var handles = []any{
	(*mp.Array[int])(nil), (*mp.Barrier)(nil), (*mp.BoundedSemaphore)(nil), (*mp.Call[int])(nil), (*mp.Cond)(nil),
	(*mp.Conn[int])(nil), (*mp.Counter)(nil), (*mp.Event)(nil), (*mp.Future[int])(nil), (*mp.Group)(nil),
	(*mp.JoinableQueue[int])(nil), (*mp.Mutex)(nil), (*mp.Pool)(nil), (*mp.Process)(nil), (*mp.Queue[int])(nil),
	(*mp.RWMutex)(nil), (*mp.ReentrantMutex)(nil), (*mp.Ref[int])(nil), (*mp.Semaphore)(nil), (*mp.ServedList[int])(nil),
	(*mp.ServedMap[int, int])(nil), (*mp.Value[int])(nil), (*mp.WaitGroup)(nil),
}

// TestHandlesAreComplete checks that handles has every exported type with methods,
// except for errors and numbers.
func TestHandlesAreComplete(t *testing.T) {
	listed := map[string]bool{"Backend": true, "MapError": true, "Option": true}
	for _, h := range handles {
		name, _, _ := strings.Cut(reflect.TypeOf(h).Elem().Name(), "[")
		listed[name] = true
	}
	files := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || !fn.Name.IsExported() {
				continue
			}
			if name := receiverName(fn.Recv.List[0].Type); ast.IsExported(name) {
				if found++; !listed[name] {
					t.Errorf("%s.%s: the type is not among the handles", name, fn.Name.Name)
					listed[name] = true
				}
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d methods were found", found)
	}
}

func receiverName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiverName(e.X)
	case *ast.IndexExpr:
		return receiverName(e.X)
	case *ast.IndexListExpr:
		return receiverName(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// callMethod calls a method with zero arguments, except for a context, and returns its
// error or the value of its panic.
func callMethod(ctx context.Context, m reflect.Value) (panicked any, err error) {
	defer func() { panicked = recover() }()
	var args []reflect.Value
	for i := range m.Type().NumIn() {
		in := m.Type().In(i)
		switch {
		case m.Type().IsVariadic() && i == m.Type().NumIn()-1:
			continue
		case in == reflect.TypeFor[context.Context]():
			args = append(args, reflect.ValueOf(ctx))
		case in.Kind() == reflect.Func:
			args = append(args, reflect.MakeFunc(in, func([]reflect.Value) (out []reflect.Value) {
				for k := range in.NumOut() {
					out = append(out, reflect.Zero(in.Out(k)))
				}
				return out
			}))
		case in.Kind() == reflect.Pointer:
			args = append(args, reflect.New(in.Elem()))
		default:
			args = append(args, reflect.Zero(in))
		}
	}
	out := m.Call(args)
	if n := len(out); n > 0 {
		err, _ = out[n-1].Interface().(error)
	}
	return nil, err
}

// TestMethodsOfNilHandles checks that each method of a nil handle returns an error that
// names the handle, or panics with one.
func TestMethodsOfNilHandles(t *testing.T) {
	for _, h := range handles {
		v := reflect.ValueOf(h)
		for i := range v.NumMethod() {
			name := fmt.Sprintf("(%v).%s", v.Type(), v.Type().Method(i).Name)
			if v.Type().Method(i).Name == "String" {
				if got := fmt.Sprint(h); got != "<nil>" {
					t.Errorf("%s: got %q", name, got)
				}
				continue
			}
			panicked, err := callMethod(watchdog(t), v.Method(i))
			if panicked != nil {
				err, _ = panicked.(error)
			}
			if strings.HasSuffix(name, ".RLocker") && err == nil {
				continue // its methods are those of the mutex
			}
			if err == nil || !strings.Contains(err.Error(), "is nil; in a child process") {
				t.Errorf("%s: got %v, panic %v", name, err, panicked)
			}
		}
	}
}

// TestMethodsOfZeroHandles checks that each method of a zero handle works, or that its
// error or panic says how to make a handle that works.
func TestMethodsOfZeroHandles(t *testing.T) {
	for _, h := range handles {
		for i := range reflect.TypeOf(h).NumMethod() {
			v := reflect.New(reflect.TypeOf(h).Elem())
			name := fmt.Sprintf("(%v).%s", v.Type(), v.Type().Method(i).Name)
			ctx, cancel := context.WithTimeout(watchdog(t), 10*time.Millisecond)
			ended := make(chan struct{})
			var err error
			var panicked any
			go func() {
				defer close(ended)
				panicked, err = callMethod(ctx, v.Method(i))
			}()
			select {
			case <-ended:
			case <-time.After(time.Second):
				if waits := []string{"Wait", "Close", "Lock", "RLock"}; !containsSuffix(waits, name) {
					t.Errorf("%s does not return", name)
				}
				cancel()
				continue
			}
			cancel()
			if _, bad := panicked.(runtime.Error); bad {
				t.Errorf("%s: panic %v", name, panicked)
			}
			if errors.Is(err, mp.ErrRunning) {
				t.Errorf("%s waits for nothing: %v", name, err)
			}
		}
	}
}

func containsSuffix(suffixes []string, s string) bool {
	for _, suffix := range suffixes {
		if strings.HasSuffix(s, "."+suffix) {
			return true
		}
	}
	return false
}

// TestNilPlaces checks that a nil pointer for a received value is an error, and loses
// no value. A nil Waiter is an error, too.
func TestNilPlaces(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		q := made(mp.NewQueue[int](b, 1))
		if err := q.Put(watchdog(t), 1); err != nil {
			t.Fatal(err)
		}
		refused(t, q.GetInto(watchdog(t), nil), "pointer", "nil")
		expect(t, 1)(q.Get(watchdog(t)))
		x, y, err := mp.NewPipe[int](b)
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Send(watchdog(t), 2); err != nil {
			t.Fatal(err)
		}
		refused(t, y.RecvInto(watchdog(t), nil), "pointer", "nil")
		expect(t, 2)(y.Recv(watchdog(t)))
	})
	_, err := mp.WaitAny(watchdog(t), nil)
	refused(t, err, "is nil")
}

// TestZeroErrors checks that the zero values of the package's errors have a text.
func TestZeroErrors(t *testing.T) {
	for _, err := range []error{new(mp.MapError), new(mp.PanicError), new(mp.RemoteError), new(mp.ExitError)} {
		_ = fmt.Sprint(err) // does not panic: fmt would say so
		if text := fmt.Sprint(err); strings.Contains(text, "PANIC") {
			t.Errorf("%T: %s", err, text)
		}
	}
}
