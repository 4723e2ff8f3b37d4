package mp

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"unsafe"
)

// A funcval is what a func value points to: the address of its code, and for
// a closure the captured variables after it.
type funcval struct{ pc uintptr }

// funcvalOf returns what fn, which must be of a func type, points to.
func funcvalOf[F any](fn F) *funcval {
	return *(**funcval)(unsafe.Pointer(&fn))
}

// funcOf is the inverse of funcvalOf, for a funcval of the type F.
func funcOf[F any](v *funcval) F {
	return *(*F)(unsafe.Pointer(&v))
}

// runnerPC returns the code of r's run method, by way of the interface table
// {interface, type, hash, methods}. The wrapper found there is specific to
// r's exact type even where that is generic, and takes no hidden dictionary:
// one code address carries a function's argument and result types to a child.
//
// The linker drops methods that no interface call can reach, so there is one
// here, with nothing to do; inlined, it would become a direct call.
//
//go:noinline
func runnerPC(r runner) uintptr {
	r.run(nil)
	table := *(**[4]uintptr)(unsafe.Pointer(&r))
	return table[3]
}

// runnerAt makes the method that runnerPC found callable; the receiver is unused.
func runnerAt(pc uintptr) func(unsafe.Pointer, loop) {
	return funcOf[func(unsafe.Pointer, loop)](&funcval{pc})
}

// describe names the code at pc for people: "main.AccessX (main.go:12)", or
// "the function literal at main.go:12", whose own name says nothing.
func describe(pc uintptr) string {
	f := runtime.FuncForPC(pc)
	if f == nil {
		return fmt.Sprintf("the function at %#x", pc)
	}
	file, line := f.FileLine(pc)
	if isLiteral(f.Name()) {
		return fmt.Sprintf("the function literal at %s:%d", filepath.Base(file), line)
	}
	if line == 0 { // a notebook's function in a child
		return strings.TrimPrefix(f.Name(), "main.")
	}
	return fmt.Sprintf("%s (%s:%d)", f.Name(), filepath.Base(file), line)
}

// isLiteral reports whether a symbol names a function literal: "main.f.func1".
// Literals of generic functions keep their name, which says what they are of.
func isLiteral(name string) bool {
	i := strings.LastIndex(name, ".func")
	return i >= 0 && !strings.Contains(name, "[...]") && strings.Trim(name[i+len(".func"):], "0123456789.-") == "" && len(name) > i+len(".func")
}

// captureError says why the func value with this code cannot be sent.
func captureError(pc uintptr) error {
	if f := runtime.FuncForPC(pc); f != nil && strings.HasSuffix(f.Name(), "-fm") {
		method := strings.TrimSuffix(f.Name(), "-fm")
		return fmt.Errorf("mp: %s is a method value: it holds its receiver, which a process does not share; "+
			"send the method expression (T.Method or (*T).Method) and pass the receiver as the argument", method)
	}
	name := describe(pc)
	if strings.Contains(name, "[...]") {
		return fmt.Errorf("mp: %s holds captured variables or the type arguments of the generic function that it was made in; "+
			"a process does not share them: make the function value outside of generic code, as in double[int], and pass that in", name)
	}
	return fmt.Errorf("mp: %s captures variables, which a process does not share; "+
		"make it a top-level function and pass what it needs as its argument", name)
}

// programID names code by symbol and by its distance from a fixed point of
// the binary, which position-independent loading does not change.
func programID(pc uintptr) (string, error) {
	f := runtime.FuncForPC(pc)
	if f == nil || f.Entry() != pc {
		return "", fmt.Errorf("mp: no function starts at %#x", pc)
	}
	return strconv.FormatInt(int64(pc)-int64(basePC()), 16) + " " + f.Name(), nil
}

// programPC finds the code that programID named, in another process that runs
// the same binary.
func programPC(id string) (uintptr, error) {
	offset, name, _ := strings.Cut(id, " ")
	off, err := strconv.ParseInt(offset, 16, 64)
	if err != nil {
		return 0, fmt.Errorf("mp: malformed function id %q", id)
	}
	pc := uintptr(int64(basePC()) + off)
	if f := runtime.FuncForPC(pc); f == nil || f.Entry() != pc || f.Name() != name {
		return 0, fmt.Errorf("mp: parent and child run different binaries: %s is not at its place", name)
	}
	return pc, nil
}

func basePC() uintptr { return funcvalOf(fixedPoint).pc }

// fixedPoint is what distances in the binary are measured from.
func fixedPoint() {}

func addressOf(v *funcval) uintptr { return uintptr(unsafe.Pointer(v)) }
