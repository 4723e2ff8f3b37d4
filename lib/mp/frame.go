package mp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Frames go both ways between a parent and a child: a header of 16 bytes
// {kind, 3 unused, length of the body, id}, little endian, then the body.
type frame struct {
	kind byte
	id   uint64
	body []byte
}

const (
	frameUpdate  byte = iota + 1 // to the child: a message of Host.Update
	frameDefine                  // to the child: id is a slot; flag, runner and function ids
	frameTask                    // to the child: batch id; slot, flags, number, arguments
	frameCancel                  // to the child: batch id; which of its tasks
	frameEnd                     // to the child: exit
	frameResult                  // to the parent: batch id; a reply
	frameBroken                  // to the parent: the encoded error for which the child exits
	frameMessage                 // both ways: for Host.Message
)

const headerSize = 16

// maxFrame bounds a body against a corrupt header.
const maxFrame = 1 << 31

var errMalformed = errors.New("mp: malformed message between parent and child")

// A conn writes frames whole, from any goroutine.
type conn struct {
	mu sync.Mutex
	w  io.WriteCloser
}

func (c *conn) send(f frame) error {
	return c.sendRoom(f.kind, f.id, append(make([]byte, headerSize, headerSize+len(f.body)), f.body...))
}

// sendRoom sends a frame whose body follows on headerSize bytes of room.
func (c *conn) sendRoom(kind byte, id uint64, room []byte) error {
	n := len(room) - headerSize
	if n >= maxFrame {
		return fmt.Errorf("mp: a value of %d bytes is too large to send; share it through an Array", n)
	}
	room[0], room[1], room[2], room[3] = kind, 0, 0, 0
	binary.LittleEndian.PutUint32(room[4:], uint32(n))
	binary.LittleEndian.PutUint64(room[8:], id)
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.w.Write(room)
	return err
}

// readFrame returns io.EOF at a clean end. room, if not nil, provides the
// memory of a body.
func readFrame(r *bufio.Reader, room func(kind byte, n int) []byte) (frame, error) {
	var h [headerSize]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return frame{}, err
	}
	f := frame{kind: h[0], id: binary.LittleEndian.Uint64(h[8:])}
	n := binary.LittleEndian.Uint32(h[4:])
	if n >= maxFrame {
		return frame{}, errMalformed
	}
	if room != nil {
		f.body = room(f.kind, int(n))
	}
	if f.body == nil {
		f.body = make([]byte, n)
	}
	_, err := io.ReadFull(r, f.body)
	return f, err
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

func appendStrings(b []byte, ss ...string) []byte {
	for _, s := range ss {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

func splitStrings(b []byte) ([]string, error) {
	var ss []string
	for len(b) > 0 {
		n, k := binary.Uvarint(b)
		if k <= 0 || n > uint64(len(b)-k) {
			return nil, errMalformed
		}
		ss = append(ss, string(b[k:k+int(n)]))
		b = b[k+int(n):]
	}
	return ss, nil
}
