package pool

// keepMethods makes the calls that only generic code makes: the linker drops methods
// that no call in a program can reach, and a notebook's worker gets cells with
// such calls later. It is called with nothing.
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
