package mp

import (
	"runtime"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/object"
)

// A Counter is a number to which many goroutines or processes add at once, and which they
// seldom read. Each goroutine adds to one of several cache lines, so goroutines seldom wait
// for each other. With a Value they all wait for the same cache line. The zero Counter
// works for goroutines.
type Counter struct {
	at   object.Handle
	mine uintptr // added to the number of a stripe, so that processes use different stripes
}

const (
	counterOpened  = 0 // offset of the number of processes that have opened it
	counterFirst   = 128
	counterStripes = 64
	stripeSize     = 128 // bytes: two cache lines, since some processors fetch pairs
	counterSize    = counterFirst + counterStripes*stripeSize
)

// NewCounter makes a Counter that is 0.
func NewCounter(b Backend) (*Counter, error) {
	c := new(Counter)
	if err := makeHandle(&c.at, b, counterSize); err != nil {
		return nil, err
	}
	return c, nil
}

// Add adds d, which may be negative.
func (c *Counter) Add(d int) {
	if c == nil {
		panicNil("Counter")
	}
	var here byte
	// Each goroutine has its own stack, so the address of a local variable spreads the
	// goroutines over the stripes.
	spread := uintptr(unsafe.Pointer(&here)) >> 11 * 0x9e3779b9 >> 7
	stripe := (c.mine + spread) % counterStripes
	c.at.Object(counterSize).U64(counterFirst + int(stripe)*stripeSize).Add(uint64(d))
	runtime.KeepAlive(c)
}

// Load returns the sum of all additions before the call. It may include additions that
// are made at the same time.
func (c *Counter) Load() int {
	if c == nil {
		panicNil("Counter")
	}
	var sum uint64
	o := c.at.Object(counterSize)
	for i := range counterStripes {
		sum += o.U64(counterFirst + i*stripeSize).Load()
	}
	runtime.KeepAlive(c)
	return int(sum)
}

// Close makes it impossible to send the Counter to more processes. Processes that have
// it can still use it.
func (c *Counter) Close() {
	if c == nil {
		panicNil("Counter")
	}
	c.at.Object(counterSize).Close()
}

// GobEncode lets a Counter be part of a value that is sent to a process, as a reference.
func (c *Counter) GobEncode() ([]byte, error) {
	if c == nil {
		return nil, nilError("Counter")
	}
	return c.at.Encode("Counter")
}

// GobDecode is the inverse of GobEncode.
func (c *Counter) GobDecode(b []byte) error {
	if c == nil {
		return nilError("Counter")
	}
	err := c.at.Open(b, "Counter")
	if err == nil {
		c.mine = uintptr(c.at.Object(counterSize).U32(counterOpened).Add(1))
	}
	return err
}
