package mpremote

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/codec"
	"github.com/perijove/perijove/lib/mp/mpsource"
)

// registered has the functions that other builds may call.
var registered struct {
	mu     sync.Mutex
	byName map[string]*call.Function
}

// Register makes a function available to other builds under its name in mpsource.Current. F
// must satisfy mp.Func[A, R]. Programs that perijove build --worker writes call Register.
func Register[R, A, F any](name string, fn F) { register(name, call.Of[R, A](fn, false)) }

// RegisterTarget is Register for a function that satisfies mp.Target[A].
func RegisterTarget[A, F any](name string, fn F) {
	register(name, call.Of[struct{}, A](fn, true))
}

//go:noinline
func register(name string, c call.Function) {
	c.Named = true
	registered.mu.Lock()
	defer registered.mu.Unlock()
	if registered.byName == nil {
		registered.byName = make(map[string]*call.Function)
	}
	registered.byName[name] = &c
}

// Registers reports whether this program has registered functions and has the mpsource.Table
// of its source.
func Registers() bool {
	registered.mu.Lock()
	defer registered.mu.Unlock()
	return len(registered.byName) > 0 && mpsource.Current() != nil
}

// registeredFunction returns the function with the name and the hash of f. Equal hashes mean
// equal types.
func registeredFunction(f *Func) (*call.Function, error) {
	source := mpsource.Current().Function(f.Registered)
	registered.mu.Lock()
	c := registered.byName[f.Registered]
	registered.mu.Unlock()
	switch {
	case c == nil || source == nil:
		return nil, fmt.Errorf("mp: the program of this worker does not have the function %s: build the program again", f.Registered)
	case source.Hash != f.Hash:
		return nil, fmt.Errorf("mp: the function %s, or a declaration that it uses, has another source in the program of this worker: build the program again", f.Registered)
	}
	if _, _, err := call.Codecs(c); err != nil {
		return nil, err
	}
	return c, nil
}

// sourceOf returns the source of a function if other builds may run it, else nil and the
// reason.
func sourceOf(c *call.Function) (source *mpsource.Function, bound string) {
	table := mpsource.Current()
	if table == nil {
		return nil, "this program has no hashes of its source, which only notebooks have"
	}
	f := runtime.FuncForPC(c.Fn.PC)
	if f == nil {
		return nil, "it is not a declared function"
	}
	if source = table.BySymbol(f.Name()); source == nil {
		return nil, "it is a function literal or an instance of a generic function, and other programs know only declared functions"
	}
	if t := codec.HoldsInterface(c.Arg.Pointer); t != nil {
		return nil, fmt.Sprintf("its argument may hold the interface %v, and so types that only this program has", t)
	}
	if source.Hash == (mpsource.Hash{}) {
		return nil, source.Difference(table)
	}
	return source, ""
}

func decodeArgument(fn *call.Function, b []byte, p unsafe.Pointer, portable bool) error {
	c, err := codec.OfPointee(fn.Arg.Pointer)
	if err != nil {
		return err
	}
	return c.UnmarshalFor(b, p, portable)
}

func encodeResult(fn *call.Function, p unsafe.Pointer, portable bool) ([]byte, error) {
	c, err := codec.OfPointee(fn.Result.Pointer)
	if err != nil {
		return nil, err
	}
	return c.MarshalFor(p, portable)
}
