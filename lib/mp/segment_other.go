//go:build !linux

package mp

import (
	"os"
	"sync/atomic"
	"time"
)

// A segment is memory that processes share; not on this system.
type segment struct{ mem []byte }

func newSegment(int64, bool) (*segment, error) { return nil, ErrUnsupported }

func openSegment([]byte, bool) (*segment, error) { return nil, ErrUnsupported }

func (s *segment) handle() ([]byte, error) { return nil, ErrUnsupported }

func (s *segment) close() {}

func (s *segment) discard(int, int) {}

func self() owner { return owner{pid: uint32(os.Getpid())} }

func (o owner) alive() bool { return true }

func futexWait(*atomic.Uint32, uint32, time.Duration) {}

func futexWake(*atomic.Uint32, int) {}

func heapAllows(int) error { return nil }
