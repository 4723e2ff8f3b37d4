package remote

import "context"

// keepMethods contains calls of methods that only generic code calls. The linker drops
// methods that no call in the program can reach, but the worker process of a notebook may
// later load cells that call them. Its arguments are nil.
//
//go:noinline
func keepMethods(r Reference, m MethodCall) {
	if r != nil {
		_ = r.Ask(context.Background(), CalledMethod{}, nil, nil)
		_, _ = r.Encode()
		_ = r.Close()
	}
	if m != nil {
		m.Function()
		m.Call(CalledMethod{})
	}
}

func init() { keepMethods(nil, nil) }
