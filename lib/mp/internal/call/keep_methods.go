package call

// keepMethods contains calls of methods that only generic code calls. The linker drops
// methods that no call in the program can reach, but the worker process of a notebook may
// later load cells that call them. Its argument is nil.
//
//go:noinline
func keepMethods(l Caller) {
	if l == nil {
		return
	}
	l.Function()
	l.Caller(Function{})
}

func init() { keepMethods(nil) }
