package protocol

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// Frames go both ways between a parent and a child: a header of 16 bytes {kind,
// low part of the check, length of the body, id, high part of the check}, little
// endian, then the body, then a trailer of 8 bytes. The check is of the rest of
// the header, and the trailer of the header: a program that writes to the
// library's descriptors, or reads from them, is found out before its bytes are
// taken for a length, or for a part of a result.
type Frame struct {
	Kind byte
	Id   uint64
	Body []byte
}

const (
	FrameUpdate  byte = iota + 1 // to the child: a message of Host.Update; id is 1 if it is to answer frameReady
	FrameDefine                  // to the child: id is a slot; flag, runner and function ids
	FrameTask                    // to the child: batch id; slot, flags, number, arguments
	FrameCancel                  // to the child: batch id; which of its tasks
	FrameEnd                     // to the child: exit
	FrameResult                  // to the parent: batch id; a reply
	FrameBroken                  // to the parent: the encoded error for which the child exits
	FrameMessage                 // both ways: for Host.Message
	FrameReady                   // to the parent: the child has applied its first update
	FrameTimeout                 // to the child: how long a task of the batches that follow may take
	frameKinds
)

const (
	HeaderSize  = 16
	TrailerSize = 8
)

// maxFrame bounds a body.
const maxFrame = 1 << 31

// MaxValue is the limit of one encoded argument, result or initializer argument
// in bytes: a frame's body holds a little more than it. Tests lower it.
var MaxValue = maxFrame - 1<<20

// CheckSize refuses an encoded value that no frame can hold.
func CheckSize(n int) error {
	if n > MaxValue {
		return fmt.Errorf("mp: a value of %d bytes is %w (at most %d bytes can be sent)", n, failure.Unprefixed(failure.ErrTooLarge), MaxValue)
	}
	return nil
}

// check mixes the fields of a header to 64 bits: the low 40 go into the
// header, all of them into the trailer.
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

// A FrameWriter writes frames whole, from any goroutine.
type FrameWriter struct {
	mu sync.Mutex
	W  io.WriteCloser
}

func (c *FrameWriter) Send(f Frame) error {
	b := make([]byte, HeaderSize+len(f.Body)+TrailerSize)
	copy(b[HeaderSize:], f.Body)
	return c.SendRoom(f.Kind, f.Id, b)
}

// SendMessage sends a message from Host to Host.
func (c *FrameWriter) SendMessage(msg []byte) error {
	return c.Send(Frame{Kind: FrameMessage, Body: msg})
}

// SendRoom sends a frame whose body lies between headerSize and trailerSize
// bytes of room.
func (c *FrameWriter) SendRoom(kind byte, id uint64, room []byte) error {
	n := len(room) - HeaderSize - TrailerSize
	if n >= maxFrame {
		return CheckSize(n)
	}
	sum := putHeader(room, kind, uint32(n), id)
	binary.LittleEndian.PutUint64(room[HeaderSize+n:], sum)
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.W.Write(room)
	return err
}

// WithTrailer makes room for the trailer behind a body.
func WithTrailer(b []byte) []byte { return append(b, make([]byte, TrailerSize)...) }

// ReadFrame returns io.EOF at a clean end, and failure.ErrMalformed for what sendRoom
// did not write. room, if not nil, provides the memory of a body.
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

// noEOF makes an end within a frame different from one between two.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// maxKept bounds the memory that is kept for the next message of a kind.
const maxKept = 4 << 20

// Kept returns b if it is worth keeping, else nil.
func Kept(b []byte) []byte {
	if cap(b) > maxKept {
		return nil
	}
	return b
}

// Spares are bodies of batches, to be used again: without them a child with
// little memory collects garbage after every few batches.
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
