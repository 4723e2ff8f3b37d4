//go:build !linux

package shm

import (
	"os"
	"sync/atomic"
	"time"
)

// A Segment is shared memory, which is not supported on this system.
type Segment struct{ mem []byte }

// NewSegment returns ErrUnsupported.
func NewSegment(int, bool) (*Segment, error) { return nil, ErrUnsupported }

func openSegment([]byte, bool, int) (*Segment, error) { return nil, ErrUnsupported }

func (s *Segment) handle() ([]byte, error) { return nil, ErrUnsupported }

// Close does nothing.
func (s *Segment) Close() {}

func (s *Segment) name() uint64 { return 0 }

func (s *Segment) discard(int, int) {}

func (s *Segment) grow(int) error { return ErrUnsupported }

func (s *Segment) window(from, to int) ([]byte, error) { return nil, ErrUnsupported }

// HeapAllows returns nil.
func HeapAllows(int) error { return nil }

// Self returns this process as an Owner.
func Self() Owner { return Owner{PID: uint32(os.Getpid())} }

// Child returns a child of this process as an Owner.
func Child(pid int) Owner { return Owner{PID: uint32(pid)} }

// Alive returns true, since no process is known to be dead on this system.
func (o Owner) Alive() bool { return true }

func futexWait(*atomic.Uint32, uint32, time.Duration) bool { return false }

func futexWake(*atomic.Uint32, int) int { return 0 }

// Retry calls f.
func Retry(f func() error) error { return f() }
