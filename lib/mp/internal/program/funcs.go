package program

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"unsafe"
)

// Describe returns a name of the code at pc for messages: "main.AccessX (main.go:12)",
// or "the function literal at main.go:12".
func Describe(pc uintptr) string {
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

// Name returns the name of the code at pc, "main.f", for traces.
func Name(pc uintptr) string {
	if f := runtime.FuncForPC(pc); f != nil {
		return f.Name()
	}
	return "?"
}

// isLiteral reports whether a symbol is that of a function literal, such as
// "main.f.func1". It returns false for literals in generic functions: their names are
// useful in messages.
func isLiteral(name string) bool {
	i := strings.LastIndex(name, ".func")
	return i >= 0 && !strings.Contains(name, "[...]") && strings.Trim(name[i+len(".func"):], "0123456789.-") == "" && len(name) > i+len(".func")
}

// CaptureError returns the error for a func value that cannot be sent because it captures
// variables. pc is the address of its code.
func CaptureError(pc uintptr) error {
	if f := runtime.FuncForPC(pc); f != nil && strings.HasSuffix(f.Name(), "-fm") {
		method := strings.TrimSuffix(f.Name(), "-fm")
		return fmt.Errorf("mp: %s is a method value: it holds its receiver, which a child process does not share; "+
			"send the method expression (T.Method or (*T).Method) and pass the receiver as the argument", method)
	}
	name := Describe(pc)
	if strings.Contains(name, "[...]") {
		return fmt.Errorf("mp: %s was made in generic code and holds captured variables or type arguments, which a child process does not share: "+
			"make the function value outside of generic code, as in double[int], and pass that value to the generic code", name)
	}
	return fmt.Errorf("mp: %s captures variables, which a child process does not share; "+
		"make it a top-level function and pass what it needs as its argument", name)
}

// FuncID returns a name of the function that starts at pc: its distance from a fixed
// point of the binary, which is the same at every load address, and its symbol.
func FuncID(pc uintptr) (string, error) {
	f := runtime.FuncForPC(pc)
	if f == nil || f.Entry() != pc {
		return "", fmt.Errorf("mp: cannot send a function: no function of this program starts at the address %#x", pc)
	}
	return strconv.FormatInt(int64(pc)-int64(Base()), 16) + " " + f.Name(), nil
}

// FuncPC returns the address of the function that FuncID named in another process that
// runs the same binary.
func FuncPC(id string) (uintptr, error) {
	offset, name, _ := strings.Cut(id, " ")
	off, err := strconv.ParseInt(offset, 16, 64)
	if err != nil {
		return 0, fmt.Errorf("mp: cannot find the function that another process names: its id %q is malformed", id)
	}
	pc := uintptr(int64(Base()) + off)
	if f := runtime.FuncForPC(pc); f == nil || f.Entry() != pc || f.Name() != name {
		return 0, fmt.Errorf("mp: parent and child run different binaries, since %s has another address in the child: start both from the same executable", name)
	}
	return pc, nil
}

// Base returns the address from which offsets in the binary are counted.
func Base() uintptr { return **(**uintptr)(unsafe.Pointer(&fixedPoint)) }

var fixedPoint = func() {}

// ShortName returns a short name of the function at pc: the result of Describe for a function
// literal, and otherwise the symbol without its package path.
func ShortName(pc uintptr) string {
	f := runtime.FuncForPC(pc)
	if f == nil {
		return "the function"
	}
	if isLiteral(f.Name()) {
		return Describe(pc)
	}
	name := filepath.Base(f.Name())
	return strings.TrimPrefix(name, "main.")
}
