package transport

import (
	"net"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// arrivals counts the packets of a router: as arrived when they are handed to
// Recv, as taken in when Recv is called again, which is when its caller is done
// with the one before.
type arrivals struct {
	arrived, taken atomic.Int64
	held           bool // Recv has returned a packet; of the goroutine that calls it
}

func (a *arrivals) arrive() { a.arrived.Add(1) }

// next is called when Recv begins, and hold when it returns a packet.
func (a *arrivals) next() {
	if a.held {
		a.held = false
		a.taken.Add(1)
	}
}

func (a *arrivals) hold() { a.held = true }

func (a *arrivals) pending() bool { return a.taken.Load() != a.arrived.Load() }

// unread reports whether the system has bytes of the connection.
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
