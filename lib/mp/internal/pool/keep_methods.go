package pool

// keepMethods contains calls of methods that only generic code calls. The linker drops
// methods that no call in the program can reach, but the worker process of a notebook may
// later load cells that call them. Its argument is nil.
//
//go:noinline
func keepMethods(s Streaming) {
	if s == nil {
		return
	}
	s.Feed(nil)
	s.Returned()
	s.Fed()
	_, _, _ = s.Next()
	s.Close()
}

func init() { keepMethods(nil) }
