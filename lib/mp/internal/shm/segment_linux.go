package shm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"golang.org/x/sys/unix"
)

// A Segment is memory that processes share. It is a file without a name, which the
// system removes when no process has it open or mapped.
type Segment struct {
	mem  []byte
	fd   int
	node uint64 // inode of the file, which identifies it on this machine

	closing sync.Once
	closed  atomic.Bool     // fd is closed
	cleanup runtime.Cleanup // closes fd
}

// segments has the segments of this process, so that a segment that arrives twice is
// mapped once.
var segments struct {
	mu sync.Mutex
	m  map[uint64]weak.Pointer[Segment]
}

// NewSegment makes a segment of size bytes. If inHeap is true, its memory is part of Go's heap.
func NewSegment(size int, inHeap bool) (*Segment, error) {
	var fd int
	err := Retry(func() (err error) {
		fd, err = unix.MemfdCreate("mp", unix.MFD_CLOEXEC)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("mp: cannot make a file for %d bytes of shared memory: %w", size, err)
	}
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("mp: cannot reserve %d bytes of shared memory: %w", size, err)
	}
	return mapSegment(fd, inHeap, size)
}

// mapSegment maps the first size bytes of the file fd, or all of it if size is 0. It
// closes fd on an error.
func mapSegment(fd int, inHeap bool, size int) (*Segment, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return nil, err
	}
	inHeap = inHeap || alwaysInHeap
	if size == 0 || size > int(st.Size) {
		size = int(st.Size)
	}
	var mem []byte
	err := Retry(func() (err error) {
		mem, err = mapFile(fd, 0, size, inHeap)
		return err
	})
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("mp: cannot map %d bytes of shared memory: %w", size, err)
	}
	s := &Segment{mem: mem, fd: fd, node: st.Ino}
	if !inHeap {
		runtime.AddCleanup(s, unmap, mem)
	}
	s.cleanup = runtime.AddCleanup(s, closeSegment, descriptor{fd, s.node})
	segments.mu.Lock()
	defer segments.mu.Unlock()
	if segments.m == nil {
		segments.m = make(map[uint64]weak.Pointer[Segment])
	}
	if other := segments.m[s.node].Value(); other != nil {
		return other, nil // another goroutine was faster
	}
	segments.m[s.node] = weak.Make(s)
	return s, nil
}

func unmap(mem []byte) { _ = unix.Munmap(mem) }

// A descriptor is the file of an open segment.
type descriptor struct {
	fd   int
	node uint64
}

// closeSegment closes the file of a segment that is no longer reachable.
func closeSegment(d descriptor) {
	forget(d.node)
	_ = unix.Close(d.fd)
}

func forget(node uint64) {
	segments.mu.Lock()
	defer segments.mu.Unlock()
	if segments.m[node].Value() == nil {
		delete(segments.m, node)
	}
}

// Close closes the file, so the segment cannot be sent any more. The memory stays
// mapped while it is in use.
func (s *Segment) Close() {
	s.closing.Do(func() {
		s.closed.Store(true)
		s.cleanup.Stop()
		segments.mu.Lock()
		delete(segments.m, s.node)
		segments.mu.Unlock()
		_ = unix.Close(s.fd)
	})
}

// handle returns a handle by which another process opens the segment, through this
// process's file descriptor.
func (s *Segment) handle() ([]byte, error) {
	if s.closed.Load() {
		return nil, ErrClosed
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(os.Getpid()))
	b = binary.LittleEndian.AppendUint32(b, uint32(s.fd))
	return binary.LittleEndian.AppendUint64(b, s.node), nil
}

// openSegment opens the segment that a handle names, and maps its first size bytes, or
// all if size is 0.
func openSegment(h []byte, inHeap bool, size int) (*Segment, error) {
	if len(h) != handleSize {
		return nil, ErrMalformed
	}
	pid, fd := binary.LittleEndian.Uint32(h), binary.LittleEndian.Uint32(h[4:])
	node := binary.LittleEndian.Uint64(h[8:])
	segments.mu.Lock()
	known := segments.m[node].Value()
	segments.mu.Unlock()
	if known != nil {
		return known, nil
	}
	mine := -1
	err := Retry(func() (err error) {
		mine, err = unix.Open(fmt.Sprintf("/proc/%d/fd/%d", pid, fd), unix.O_RDWR|unix.O_CLOEXEC, 0)
		return err
	})
	var st unix.Stat_t
	if err == nil {
		err = unix.Fstat(mine, &st)
	}
	if err == nil && st.Ino == node {
		return mapSegment(mine, inHeap, size)
	}
	if mine >= 0 {
		unix.Close(mine)
	}
	if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) {
		return nil, err
	}
	if unix.Kill(int(pid), 0) == nil {
		return nil, &droppedError{pid}
	}
	return nil, fmt.Errorf("process %d, which sent the object, has ended, and the object's memory is lost: %w", pid, os.ErrNotExist)
}

// name returns a number that identifies the segment on this machine.
func (s *Segment) name() uint64 { return s.node }

// check returns an error if the file descriptor is not the segment's any more: the
// program may have closed it, and the number may belong to another file.
func (s *Segment) check() error {
	var st unix.Stat_t
	if err := unix.Fstat(s.fd, &st); err != nil {
		return fmt.Errorf("mp: cannot use shared memory: code of this program has closed the memory's file descriptor: %w", err)
	}
	if st.Ino != s.node {
		return fmt.Errorf("mp: cannot use shared memory: code of this program has closed the memory's file descriptor, and another file now has its number: %w", os.ErrClosed)
	}
	return nil
}

// discard returns the memory of a range to the system. The range then reads as zeros.
func (s *Segment) discard(from, to int) {
	const mode = unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE
	if s.check() != nil {
		return
	}
	_ = unix.Fallocate(s.fd, mode, int64(from), int64(to-from)) // if this fails, the memory is kept
}

// grow extends the file to size bytes, if it is smaller.
func (s *Segment) grow(size int) error {
	if err := s.check(); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(s.fd, &st); err != nil {
		return err
	}
	if int(st.Size) >= size {
		return nil
	}
	return unix.Ftruncate(s.fd, int64(size))
}

// window maps a range of the file. The mapping lives as long as the segment.
func (s *Segment) window(from, to int) (mem []byte, err error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	err = Retry(func() error {
		mem, err = mapFile(s.fd, from, to-from, alwaysInHeap)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("mp: cannot map %d more bytes of shared memory: %w", to-from, err)
	}
	if !alwaysInHeap {
		runtime.AddCleanup(s, unmap, mem)
	}
	return mem, nil
}

// Retry calls f. If file descriptors, mappings or memory are scarce, it runs the
// garbage collector and calls f again, several times: unreachable objects hold such
// resources until they are collected.
func Retry(f func() error) error {
	err := f()
	for wait := time.Millisecond; scarce(err) && wait < 100*time.Millisecond; wait *= 2 {
		runtime.GC()
		if err = f(); scarce(err) {
			time.Sleep(wait) // cleanups run in goroutines
			err = f()
		}
	}
	return err
}

func scarce(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM)
}
