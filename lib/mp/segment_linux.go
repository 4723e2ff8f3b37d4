package mp

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
	"weak"

	"golang.org/x/sys/unix"
)

// A segment is memory that processes share. It is a file without a name: when
// the last process that has it is gone, or has dropped it, it is gone, too.
type segment struct {
	mem  []byte
	fd   int
	node uint64 // identifies the file on this machine

	inHeap bool // mem is part of Go's heap, which frees it

	closing sync.Once
	closed  atomic.Bool     // fd is closed
	cleanup runtime.Cleanup // closes it
}

// segments are the segments of this process, so that one that arrives twice is
// mapped once.
var segments struct {
	mu sync.Mutex
	m  map[uint64]weak.Pointer[segment]
}

// newSegment makes a segment. If inHeap, its memory is part of Go's heap.
func newSegment(size int64, inHeap bool) (*segment, error) {
	fd, err := unix.MemfdCreate("mp", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("mp: cannot make shared memory: %w", err)
	}
	if err := unix.Ftruncate(fd, size); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("mp: cannot make %d bytes of shared memory: %w", size, err)
	}
	segments.mu.Lock()
	defer segments.mu.Unlock()
	return mapSegment(fd, inHeap)
}

// mapSegment maps the file fd, which it takes over. segments.mu is held.
func mapSegment(fd int, inHeap bool) (*segment, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return nil, err
	}
	if s := segments.m[st.Ino].Value(); s != nil {
		unix.Close(fd)
		return s, nil
	}
	mem, err := mapFile(fd, int(st.Size), inHeap)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("mp: cannot map %d bytes of shared memory: %w", st.Size, err)
	}
	s := &segment{mem: mem, fd: fd, node: st.Ino, inHeap: inHeap}
	if segments.m == nil {
		segments.m = make(map[uint64]weak.Pointer[segment])
	}
	segments.m[s.node] = weak.Make(s)
	if !inHeap {
		runtime.AddCleanup(s, func(mem []byte) { _ = unix.Munmap(mem) }, mem)
	}
	s.cleanup = runtime.AddCleanup(s, closeSegment, descriptor{fd, s.node})
	return s, nil
}

// A descriptor is an open segment's file.
type descriptor struct {
	fd   int
	node uint64
}

// closeSegment closes the file of a segment that is gone.
func closeSegment(d descriptor) {
	segments.mu.Lock()
	if segments.m[d.node].Value() == nil {
		delete(segments.m, d.node)
	}
	segments.mu.Unlock()
	_ = unix.Close(d.fd)
}

// close closes the file. The memory stays mapped for as long as it is in use.
func (s *segment) close() {
	s.closing.Do(func() {
		s.closed.Store(true)
		s.cleanup.Stop()
		segments.mu.Lock()
		delete(segments.m, s.node)
		segments.mu.Unlock()
		_ = unix.Close(s.fd)
	})
}

// handle is how another process finds the segment: through this process's
// descriptor of it.
func (s *segment) handle() ([]byte, error) {
	if s.closed.Load() {
		return nil, ErrClosed
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(os.Getpid()))
	b = binary.LittleEndian.AppendUint32(b, uint32(s.fd))
	return binary.LittleEndian.AppendUint64(b, s.node), nil
}

func openSegment(h []byte, inHeap bool) (*segment, error) {
	if len(h) != 16 {
		return nil, errMalformed
	}
	pid, fd := binary.LittleEndian.Uint32(h), binary.LittleEndian.Uint32(h[4:])
	node := binary.LittleEndian.Uint64(h[8:])
	segments.mu.Lock()
	defer segments.mu.Unlock()
	if s := segments.m[node].Value(); s != nil {
		return s, nil
	}
	mine, err := unix.Open(fmt.Sprintf("/proc/%d/fd/%d", pid, fd), unix.O_RDWR|unix.O_CLOEXEC, 0)
	var st unix.Stat_t
	if err == nil {
		err = unix.Fstat(mine, &st)
	}
	if err != nil || st.Ino != node {
		if mine >= 0 {
			unix.Close(mine)
		}
		return nil, fmt.Errorf("process %d, which sent it, does not have it any more (keep it referenced until it has arrived): %w", pid, os.ErrNotExist)
	}
	return mapSegment(mine, inHeap)
}

// discard gives back the memory of a range, which reads as zeros then.
func (s *segment) discard(from, to int) {
	_ = unix.Madvise(s.mem[from:to], unix.MADV_REMOVE) // without it the memory is kept
}

// self identifies this process.
var self = sync.OnceValue(func() owner {
	o := owner{pid: uint32(os.Getpid())}
	_, o.start = processState(o.pid)
	return o
})

// alive reports whether the process exists, and is not a zombie.
func (o owner) alive() bool {
	if o.pid == 0 {
		return true
	}
	if unix.Kill(int(o.pid), 0) == unix.ESRCH {
		return false
	}
	state, start := processState(o.pid)
	if state == 0 { // /proc does not say
		return unix.Kill(int(o.pid), 0) != unix.ESRCH
	}
	return state != 'Z' && state != 'X' && (o.start == 0 || start == o.start)
}

// processState reads a process's state and its start time from /proc.
func processState(pid uint32) (state byte, start uint32) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(int(pid)) + "/stat")
	if err != nil {
		return 0, 0
	}
	// The second field, the name, is in parentheses and may contain anything.
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(f) < 20 {
		return 0, 0
	}
	ticks, err := strconv.ParseUint(f[19], 10, 64)
	if err != nil {
		return 0, 0
	}
	return f[0][0], uint32(ticks)
}

// futexWait sleeps while *word is val, for at most d, until futexWake.
func futexWait(word *atomic.Uint32, val uint32, d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	const wait = 0 // not private: the word may be shared
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), wait, uintptr(val), uintptr(unsafe.Pointer(&ts)), 0, 0)
}

func futexWake(word *atomic.Uint32, n int) {
	const wake = 1
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), wake, uintptr(n), 0, 0, 0)
}
