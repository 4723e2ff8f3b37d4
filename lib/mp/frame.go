package mp

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"github.com/perijove/perijove/lib/mp/internal/failure"
)

// Frames go both ways between a parent and a child: a header of 16 bytes {kind,
// low part of the check, length of the body, id, high part of the check}, little
// endian, then the body, then a trailer of 8 bytes. The check is of the rest of
// the header, and the trailer of the header: a program that writes to the
// library's descriptors, or reads from them, is found out before its bytes are
// taken for a length, or for a part of a result.
type frame struct {
	kind byte
	id   uint64
	body []byte
}

const (
	frameUpdate  byte = iota + 1 // to the child: a message of Host.Update; id is 1 if it is to answer frameReady
	frameDefine                  // to the child: id is a slot; flag, runner and function ids
	frameTask                    // to the child: batch id; slot, flags, number, arguments
	frameCancel                  // to the child: batch id; which of its tasks
	frameEnd                     // to the child: exit
	frameResult                  // to the parent: batch id; a reply
	frameBroken                  // to the parent: the encoded error for which the child exits
	frameMessage                 // both ways: for Host.Message
	frameReady                   // to the parent: the child has applied its first update
	frameTimeout                 // to the child: how long a task of the batches that follow may take
	frameKinds
)

const (
	headerSize  = 16
	trailerSize = 8
)

// maxFrame bounds a body.
const maxFrame = 1 << 31

// maxValue is the limit of one encoded argument, result or initializer argument
// in bytes: a frame's body holds a little more than it. Tests lower it.
var maxValue = maxFrame - 1<<20

// checkSize refuses an encoded value that no frame can hold.
func checkSize(n int) error {
	if n > maxValue {
		return fmt.Errorf("mp: a value of %d bytes is %w (at most %d bytes can be sent)", n, failure.Unprefixed(failure.ErrTooLarge), maxValue)
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

// A conn writes frames whole, from any goroutine.
type conn struct {
	mu sync.Mutex
	w  io.WriteCloser
}

func (c *conn) send(f frame) error {
	b := make([]byte, headerSize+len(f.body)+trailerSize)
	copy(b[headerSize:], f.body)
	return c.sendRoom(f.kind, f.id, b)
}

// sendMessage sends a message from Host to Host.
func (c *conn) sendMessage(msg []byte) error { return c.send(frame{kind: frameMessage, body: msg}) }

// sendRoom sends a frame whose body lies between headerSize and trailerSize
// bytes of room.
func (c *conn) sendRoom(kind byte, id uint64, room []byte) error {
	n := len(room) - headerSize - trailerSize
	if n >= maxFrame {
		return checkSize(n)
	}
	sum := putHeader(room, kind, uint32(n), id)
	binary.LittleEndian.PutUint64(room[headerSize+n:], sum)
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.w.Write(room)
	return err
}

// withTrailer makes room for the trailer behind a body.
func withTrailer(b []byte) []byte { return append(b, make([]byte, trailerSize)...) }

// readFrame returns io.EOF at a clean end, and failure.ErrMalformed for what sendRoom
// did not write. room, if not nil, provides the memory of a body.
func readFrame(r *bufio.Reader, room func(kind byte, n int) []byte) (frame, error) {
	var h [headerSize]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return frame{}, err
	}
	kind, n, id, sum, ok := parseHeader(h[:])
	if !ok {
		return frame{}, failure.ErrMalformed
	}
	var b []byte
	if room != nil {
		b = room(kind, int(n)+trailerSize)
	}
	if b == nil {
		b = make([]byte, int(n)+trailerSize)
	}
	if _, err := io.ReadFull(r, b); err != nil {
		return frame{}, noEOF(err)
	}
	if binary.LittleEndian.Uint64(b[n:]) != sum {
		return frame{}, failure.ErrMalformed
	}
	return frame{kind: kind, id: id, body: b[:n]}, nil
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

// kept returns b if it is worth keeping, else nil.
func kept(b []byte) []byte {
	if cap(b) > maxKept {
		return nil
	}
	return b
}

// Spares are bodies of batches, to be used again: without them a child with
// little memory collects garbage after every few batches.
type spares chan []byte

func (s spares) take(kind byte, n int) []byte {
	if kind != frameTask {
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

func (s spares) put(b []byte) {
	select {
	case s <- kept(b):
	default:
	}
}
