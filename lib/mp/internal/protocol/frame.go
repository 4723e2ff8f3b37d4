package protocol

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// A Frame is a message between a parent and a child, in either direction. It is sent as
// a header of 16 bytes {kind, low part of the check, length of the body, id, high part
// of the check}, little endian, then the body, then a trailer of 8 bytes. The check is
// a hash of the other fields of the header; the trailer is the full hash. If other code
// writes to the library's file descriptors, or reads from them, the checks fail before
// the bytes are used.
type Frame struct {
	Kind byte
	Id   uint64
	Body []byte
}

const (
	FrameUpdate  byte = iota + 1 // to the child: Body is a message of Host.Update; if Id is 1, the child replies with FrameReady
	FrameDefine                  // to the child: Id is the number of a slot; Body has a flag, a runner id and a function id for the slot
	FrameTask                    // to the child: Id is the id of a batch; Body has the slot, flags, the number of tasks and the arguments
	FrameCancel                  // to the child: Id is the id of a batch; Body is the index of the task to cancel
	FrameEnd                     // to the child: it must exit
	FrameResult                  // to the parent: Id is the id of a batch; Body is a Reply
	FrameBroken                  // to the parent: Body is the encoded error because of which the child exits
	FrameMessage                 // in both directions: Body is a message for Host.Message
	FrameReady                   // to the parent: the child has applied its first update
	FrameTimeout                 // to the child: Body is the time limit for tasks of the batches that follow
	FrameTrace                   // to the child: Body is the folder into which the child records a trace
	FrameProfile                 // to the child: Body is the folder into which the child writes a profile
	FrameKeys                    // to the child: Id is the id of the next batch; Body has the keys of its tasks
	frameKinds
)

const (
	HeaderSize  = 16
	TrailerSize = 8
)

// maxFrame is a limit of the size of a body, in bytes.
const maxFrame = 1 << 31

// MaxValue is the largest size in bytes of one encoded argument, result or initializer
// argument. It leaves room in a frame for other data. Tests lower it.
var MaxValue = maxFrame - 1<<20

// CheckSize returns an error if an encoded value of n bytes is too large for a frame.
func CheckSize(n int) error {
	if n > MaxValue {
		return fmt.Errorf("mp: cannot send a value of %d bytes to another process; the limit is %d bytes: share large data through an mp.Array: %w", n, MaxValue, failure.Unprefixed(failure.ErrTooLarge))
	}
	return nil
}

// check returns a hash of the fields of a header. The low 40 bits go into the header,
// all 64 into the trailer.
func check(kind byte, n uint32, id uint64) uint64 {
	h := (id<<8 | uint64(kind)) * 0x9e3779b97f4a7c15
	h ^= h >> 29
	h = (h + uint64(n)) * 0xbf58476d1ce4e5b9
	h ^= h >> 32
	h *= 0x94d049bb133111eb
	return h ^ h>>31
}

const idBits = 48

func putHeader(h []byte, kind byte, n uint32, id uint64) (sum uint64) {
	id &= 1<<idBits - 1
	sum = check(kind, n, id)
	binary.LittleEndian.PutUint32(h, uint32(kind)|uint32(sum)<<8)
	binary.LittleEndian.PutUint32(h[4:], n)
	binary.LittleEndian.PutUint64(h[8:], id|(sum>>24&0xffff)<<idBits)
	return sum
}

func parseHeader(h []byte) (kind byte, n uint32, id, sum uint64, ok bool) {
	kind, n = h[0], binary.LittleEndian.Uint32(h[4:])
	last := binary.LittleEndian.Uint64(h[8:])
	id = last & (1<<idBits - 1)
	sum = check(kind, n, id)
	ok = kind > 0 && kind < frameKinds && n < maxFrame &&
		binary.LittleEndian.Uint32(h) == uint32(kind)|uint32(sum)<<8 && last>>idBits == sum>>24&0xffff
	return kind, n, id, sum, ok
}

// A FrameWriter writes frames. Its methods may be called concurrently.
type FrameWriter struct {
	mu sync.Mutex
	W  io.WriteCloser
}

func (c *FrameWriter) Send(f Frame) error {
	b := make([]byte, HeaderSize+len(f.Body)+TrailerSize)
	copy(b[HeaderSize:], f.Body)
	return c.SendRoom(f.Kind, f.Id, b)
}

// SendMessage sends msg to the other side's Host.Message.
func (c *FrameWriter) SendMessage(msg []byte) error {
	return c.Send(Frame{Kind: FrameMessage, Body: msg})
}

// SendRoom sends a frame without copying its body. room consists of HeaderSize bytes, the body,
// and TrailerSize bytes; SendRoom writes the header and the trailer into it.
func (c *FrameWriter) SendRoom(kind byte, id uint64, room []byte) error {
	n := len(room) - HeaderSize - TrailerSize
	if uint64(n) >= maxFrame {
		return CheckSize(n)
	}
	sum := putHeader(room, kind, uint32(n), id)
	binary.LittleEndian.PutUint64(room[HeaderSize+n:], sum)
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.W.Write(room)
	return err
}

// WithTrailer appends room for the trailer to a body.
func WithTrailer(b []byte) []byte { return append(b, make([]byte, TrailerSize)...) }

// ReadFrame reads a frame. It returns io.EOF if the input ends before a frame, and
// failure.ErrMalformed if the bytes are not a frame. If room is not nil, ReadFrame calls it with
// the kind of the frame, for n bytes of memory for the body and the trailer. If room returns
// nil, ReadFrame allocates the memory.
func ReadFrame(r *bufio.Reader, room func(kind byte, n int) []byte) (Frame, error) {
	var h [HeaderSize]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return Frame{}, err
	}
	kind, n, id, sum, ok := parseHeader(h[:])
	if !ok {
		return Frame{}, failure.ErrMalformed
	}
	var b []byte
	if room != nil {
		b = room(kind, int(n)+TrailerSize)
	}
	if b == nil {
		b = make([]byte, int(n)+TrailerSize)
	}
	if _, err := io.ReadFull(r, b); err != nil {
		return Frame{}, noEOF(err)
	}
	if binary.LittleEndian.Uint64(b[n:]) != sum {
		return Frame{}, failure.ErrMalformed
	}
	return Frame{Kind: kind, Id: id, Body: b[:n]}, nil
}

// noEOF turns io.EOF, at an end within a frame, into io.ErrUnexpectedEOF.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// maxKept is the largest buffer, in bytes, that is kept for the next message.
const maxKept = 4 << 20

// Kept returns b, or nil if b is too large to keep for reuse.
func Kept(b []byte) []byte {
	if cap(b) > maxKept {
		return nil
	}
	return b
}

// Spares has memory of bodies of earlier batches, for reuse. Without it, a child with little
// memory would run the garbage collector after every few batches.
type Spares chan []byte

func (s Spares) Take(kind byte, n int) []byte {
	if kind != FrameTask {
		return nil
	}
	select {
	case b := <-s:
		if cap(b) >= n {
			return b[:n]
		}
	default:
	}
	return nil
}

func (s Spares) Put(b []byte) {
	select {
	case s <- Kept(b):
	default:
	}
}
