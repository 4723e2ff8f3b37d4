package call

// keepMethods makes the calls that only generic code makes: the linker drops methods
// that no call in a program can reach, and a notebook's worker gets cells with
// such calls later. It is called with nothing.
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
