package transport

import (
	"net"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// arrivals counts the packets of a router. A packet counts as arrived when it is passed to Recv, and as taken when Recv
// is called again, since the caller of Recv has then handled it.
type arrivals struct {
	arrived, taken atomic.Int64
	held           bool // Recv has returned a packet; used by the goroutine that calls Recv
}

func (a *arrivals) arrive() { a.arrived.Add(1) }

// next must be called when Recv begins, and hold when Recv returns a packet.
func (a *arrivals) next() {
	if a.held {
		a.held = false
		a.taken.Add(1)
	}
}

func (a *arrivals) hold() { a.held = true }

func (a *arrivals) pending() bool { return a.taken.Load() != a.arrived.Load() }

// unread reports whether the operating system has received bytes of the connection
// that the program has not read.
func unread(c net.Conn) bool {
	s, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	n := 0
	if err == nil {
		err = raw.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.TIOCINQ) })
	}
	return err == nil && n > 0
}
