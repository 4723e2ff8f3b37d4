package remote

import "context"

// keepMethods makes the calls that only generic code makes: the linker drops methods
// that no call in a program can reach, and a notebook's worker gets cells with
// such calls later. It is called with nothing.
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
