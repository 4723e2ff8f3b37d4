package call

// keepMethods contains calls of methods that only generic code calls. The linker drops
// methods that no call in the program can reach, but cells that a notebook's worker
// loads later may call them. It is called with nil.
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
