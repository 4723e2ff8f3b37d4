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
	if len(f.body) >= maxFrame {
		return fmt.Errorf("mp: a value of %d bytes is too large to send; share it through an Array", len(f.body))
	}
	var h [headerSize]byte
	h[0] = f.kind
	binary.LittleEndian.PutUint32(h[4:], uint32(len(f.body)))
	binary.LittleEndian.PutUint64(h[8:], f.id)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(f.body) <= 4096 {
		_, err := c.w.Write(append(h[:], f.body...))
		return err
	}
	if _, err := c.w.Write(h[:]); err != nil {
		return err
	}
	_, err := c.w.Write(f.body)
	return err
}

// readFrame returns io.EOF at a clean end.
func readFrame(r *bufio.Reader) (frame, error) {
	var h [headerSize]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return frame{}, err
	}
	f := frame{kind: h[0], id: binary.LittleEndian.Uint64(h[8:])}
	n := binary.LittleEndian.Uint32(h[4:])
	if n >= maxFrame {
		return frame{}, errMalformed
	}
	f.body = make([]byte, n)
	_, err := io.ReadFull(r, f.body)
	return f, err
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
