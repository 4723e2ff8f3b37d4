package effects

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// A callee describes the function or value that a call calls.
type callee struct {
	key       string      // key of a notebook function, or ""
	fn        *types.Func // the function or method; nil for values and built-in functions
	recv      ast.Expr    // the receiver of a method call
	isValue   bool        // the callee is a value of a function type
	isBuiltin bool        // the callee is a built-in function or a conversion
	name      string      // name of a built-in function
}

func (f *funcAnalysis) callee(x *ast.CallExpr) callee {
	fun := ast.Unparen(x.Fun)
	if tv := f.info.Types[fun]; tv.IsType() {
		return callee{isBuiltin: true}
	}
	switch i := fun.(type) {
	case *ast.IndexExpr:
		if f.info.Types[i.Index].IsType() {
			fun = i.X
		}
	case *ast.IndexListExpr:
		fun = i.X
	}
	switch e := fun.(type) {
	case *ast.Ident:
		switch obj := f.info.Uses[e].(type) {
		case *types.Builtin:
			return callee{isBuiltin: true, name: obj.Name()}
		case *types.Func:
			return callee{key: f.functions[obj], fn: obj}
		}
	case *ast.SelectorExpr:
		fn, ok := f.info.Uses[e.Sel].(*types.Func)
		if !ok {
			break
		}
		c := callee{fn: fn}
		if sel := f.info.Selections[e]; sel != nil && sel.Kind() == types.MethodVal {
			c.recv = e.X
			c.key = f.methodKey(fn)
		}
		return c
	}
	return callee{isValue: true}
}

// methodKey returns the key of a method of a notebook type, and "" for other functions.
func (f *funcAnalysis) methodKey(fn *types.Func) string {
	if fn.Pkg() != f.pkg || fn.Signature().Recv() == nil {
		return ""
	}
	t := fn.Signature().Recv().Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if named, ok := t.(*types.Named); ok && !types.IsInterface(named) {
		return mangle.Demangle(named.Obj().Name()) + "." + fn.Name()
	}
	return ""
}

// call records the possible effects of a call.
func (f *funcAnalysis) call(x *ast.CallExpr) {
	c := f.callee(x)
	switch {
	case c.isBuiltin:
		f.builtin(c.name, x)
		return
	case c.fn != nil && c.fn.Pkg() == f.pkg && c.key == "" && c.recv == nil:
		return // a generated function, which shows a value
	case c.fn != nil && c.fn.FullName() == "runtime.KeepAlive":
		return
	case c.key != "":
		f.notebookCall(c, x)
		return
	}
	var all roots
	if c.isValue {
		all.add(f.memoryRoots(x.Fun))
	}
	if c.recv != nil {
		f.method(c, &all)
	}
	if c.fn != nil && c.recv == nil {
		f.sum.process = f.sum.process || setsProcess(c.fn)
	}
	for i, a := range x.Args {
		if c.fn == nil || c.recv != nil || changesArgument(c.fn, i) {
			all.add(f.valueRoots(a))
			f.methodsOf(f.info.TypeOf(a))
		}
	}
	f.write(all)
	f.share(all, all)
}

// method records the possible effects of a method of another package, or of an interface, on its receiver. It adds the
// memory that the method may change to all.
func (f *funcAnalysis) method(c callee, all *roots) {
	sig := c.fn.Signature()
	t := sig.Recv().Type()
	if types.IsInterface(t) {
		for _, key := range f.nb.MethodsNamed(c.fn.Name()) {
			f.sum.Calls = append(f.sum.Calls, Call{Key: key})
		}
	}
	if observingMethods[c.fn.Name()] || leavesReceiver(c.fn) {
		return
	}
	if _, ptr := t.(*types.Pointer); ptr {
		r := f.memoryRoots(c.recv)
		all.add(r)
		f.sum.addressed.Add(r.variables()...)
	} else if types.IsInterface(t) || c.fn.Pkg() == nil || c.fn.Pkg().Path() == "reflect" {
		all.add(f.valueRoots(c.recv))
	}
}

// methodsOf records calls of all methods of t if t is a notebook type: code that gets a value of t may call them.
func (f *funcAnalysis) methodsOf(t types.Type) {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := t.(*types.Named)
	if !ok || named.Obj().Pkg() != f.pkg {
		return
	}
	for i := range named.NumMethods() {
		f.sum.Calls = append(f.sum.Calls, Call{Key: mangle.Demangle(named.Obj().Name()) + "." + named.Method(i).Name()})
	}
}

// notebookCall records the call of a function whose source is known.
func (f *funcAnalysis) notebookCall(c callee, x *ast.CallExpr) {
	call := Call{Key: c.key, args: map[int]roots{}}
	var all roots
	last := c.fn.Signature().Params().Len() - 1
	for i, a := range x.Args {
		r := f.valueRoots(a)
		i = min(i, max(last, 0))
		sum := call.args[i]
		sum.add(r)
		call.args[i] = sum
		all.add(r)
	}
	if c.recv != nil {
		r := f.valueRoots(c.recv)
		if _, ptr := c.fn.Signature().Recv().Type().(*types.Pointer); ptr {
			r = f.memoryRoots(c.recv)
			f.sum.addressed.Add(r.variables()...)
		}
		call.args[-1] = r
		all.add(r)
	}
	f.sum.Calls = append(f.sum.Calls, call)
	f.share(all, all)
}

func (f *funcAnalysis) builtin(name string, x *ast.CallExpr) {
	switch name {
	case "copy", "delete", "clear", "close":
		f.write(f.memoryRoots(x.Args[0]))
	case "append":
		if _, ok := ast.Unparen(x.Args[0]).(*ast.SliceExpr); ok {
			f.write(f.memoryRoots(x.Args[0]))
		}
	}
}

// observingMethods lists names of methods that are assumed to have no lasting effect,
// whichever package declares them.
var observingMethods = map[string]bool{
	"String": true, "Error": true, "GoString": true, "Len": true, "Cap": true, "Size": true, "Load": true,
	"Lock": true, "Unlock": true, "RLock": true, "RUnlock": true, "Name": true, "Bytes": true, "Done": true,
	"Err": true, "Format": true, "Equal": true, "Cmp": true, "Sign": true,
}

// observingTypes maps types to patterns of the methods that change their receiver. The other methods of these types do
// not change it. All methods of these types have pointer receivers.
var observingTypes = map[string][]string{
	"regexp.Regexp": {"Longest", "Unmarshal*"}, "strings.Replacer": {}, "time.Location": {}, "strings.Reader": {"Read*", "Seek", "Reset", "Unread*", "WriteTo"},
	"text/template.Template": {"New", "Parse*", "Funcs", "Option", "Delims", "AddParseTree"}, "html/template.Template": {"*"}, "net/url.URL": {"Unmarshal*"},
}

func leavesReceiver(fn *types.Func) bool {
	p, ok := fn.Signature().Recv().Type().(*types.Pointer)
	if !ok {
		return false
	}
	named, ok := p.Elem().(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return false
	}
	changing, ok := observingTypes[named.Obj().Pkg().Path()+"."+named.Obj().Name()]
	return ok && !matchesAny(changing, fn.Name())
}

// allArguments, as an index, stands for every argument.
const allArguments = -1

// observingPackages lists packages whose functions do not change the memory that their
// arguments refer to. The exceptions are listed with the index of the argument that
// they change, or allArguments.
var observingPackages = map[string]map[string]int{
	"fmt": {"Fprint": 0, "Fprintf": 0, "Fprintln": 0, "Sscan": allArguments, "Sscanf": allArguments, "Sscanln": allArguments,
		"Fscan": allArguments, "Fscanf": allArguments, "Fscanln": allArguments, "Scan": allArguments, "Scanf": allArguments, "Scanln": allArguments},
	"strings": {}, "strconv": {}, "bytes": {}, "math": {}, "math/bits": {}, "math/cmplx": {}, "unicode": {},
	"unicode/utf8": {"EncodeRune": 0}, "unicode/utf16": {}, "errors": {"As": 1}, "path": {}, "path/filepath": {"Walk": allArguments, "WalkDir": allArguments},
	"html": {}, "cmp": {}, "time": {}, "os": {}, "log": {}, "regexp": {}, "crypto/sha256": {}, "crypto/md5": {},
	"encoding/json": {"Unmarshal": 1, "Indent": 0, "Compact": 0, "HTMLEscape": 0}, "encoding/hex": {"Encode": 0, "Decode": 0},
	"reflect": {"Copy": 0, "Swapper": allArguments},
	"slices": {"Sort": 0, "SortFunc": 0, "SortStableFunc": 0, "Reverse": 0, "Delete": 0, "DeleteFunc": 0, "Insert": 0,
		"Compact": 0, "CompactFunc": 0, "Replace": 0},
	"maps": {"Copy": 0, "DeleteFunc": 0, "Insert": 0},
	"sort": {"Sort": 0, "Stable": 0, "Slice": 0, "SliceStable": 0, "Ints": 0, "Strings": 0, "Float64s": 0},
	"github.com/perijove/perijove/lib/display": {}, "github.com/perijove/perijove/lib/speedup": {},
	"github.com/perijove/perijove/lib/speedup/chart": {},
}

// changesArgument reports whether a function of another package may change
// the memory that its argument i refers to.
func changesArgument(fn *types.Func, i int) bool {
	if fn.Pkg() == nil {
		return true
	}
	table, ok := observingPackages[fn.Pkg().Path()]
	if !ok {
		return true
	}
	at, ok := table[fn.Name()]
	return ok && (at == allArguments || at == i)
}

// processSetters lists, by package, the functions that change state of the
// process. A pattern that ends with * matches all names with that prefix.
var processSetters = map[string][]string{
	"log": {"Set*"}, "log/slog": {"Set*"}, "net/http": {"Handle*", "ListenAndServe*"}, "os": {"Setenv", "Unsetenv", "Clearenv", "Chdir"},
	"math/rand": {"Seed"}, "runtime": {"GOMAXPROCS", "Set*"}, "runtime/debug": {"Set*"},
	"encoding/gob": {"Register*"}, "database/sql": {"Register"}, "image": {"RegisterFormat"}, "expvar": {"*"}, "mime": {"AddExtensionType"},
}

func setsProcess(fn *types.Func) bool {
	if fn.Pkg() == nil {
		return false
	}
	for _, name := range processSetters[fn.Pkg().Path()] {
		if head, ok := strings.CutSuffix(name, "*"); ok && strings.HasPrefix(fn.Name(), head) || name == fn.Name() {
			return true
		}
	}
	return false
}
