package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/security/null"
	"github.com/perijove/perijove/kernel/internal/transport"
	"github.com/perijove/perijove/kernel/internal/wire"
)

// A discarder subscribes to iopub and reads all messages, but decodes only status messages.
type discarder struct {
	net.Conn
	in *bufio.Reader
}

// newDiscarder subscribes to all messages of a kernel, and waits until the subscription is in effect.
func newDiscarder(c transport.Connection) (*discarder, error) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.Endpoint(c.IOPubPort), "tcp://"))
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(5 * time.Minute))
	z, err := zmq4.Open(conn, null.Security(), zmq4.Sub, nil, false, nil)
	if err == nil {
		err = z.SendMsg(zmq4.NewMsg([]byte{1}))
	}
	d := &discarder{Conn: conn, in: bufio.NewReaderSize(conn, 1<<20)}
	for topic := "x"; err == nil && topic != ""; { // iopub_welcome has the subscription, which is empty, as its topic
		var frames [][]byte
		if frames, _, err = d.message(); err == nil {
			topic = string(frames[0])
		}
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return d, nil
}

const maxKept = 4 << 10 // size in bytes of the longest frame that message returns

// message returns the frames of the next message, and the number of bytes in all of them. It discards frames of more than maxKept bytes and returns nil for
// them.
func (d *discarder) message() (frames [][]byte, size int, err error) {
	const more, long = 1, 2
	for {
		flags, err := d.in.ReadByte()
		if err != nil {
			return nil, 0, err
		}
		var length [8]byte
		head := length[7:]
		if flags&long != 0 {
			head = length[:]
		}
		if _, err := io.ReadFull(d.in, head); err != nil {
			return nil, 0, err
		}
		n := int(binary.BigEndian.Uint64(length[:]))
		var frame []byte
		if n > maxKept {
			_, err = d.in.Discard(n)
		} else {
			frame = make([]byte, n)
			_, err = io.ReadFull(d.in, frame)
		}
		if err != nil {
			return nil, 0, err
		}
		frames, size = append(frames, frame), size+n
		if flags&more == 0 {
			return frames, size, nil
		}
	}
}

// untilIdle reads up to the idle status of a request. It returns the size of all stream messages, in bytes.
func (d *discarder) untilIdle(id string) (text int, err error) {
	const parent, content, count = 4, 6, 7 // positions after the topic
	for {
		frames, size, err := d.message()
		if err != nil {
			return 0, err
		}
		switch topic := string(frames[0]); {
		case strings.HasSuffix(topic, ".stream"):
			text += size
		case strings.HasSuffix(topic, ".error"):
			return 0, fmt.Errorf("the cell failed: %s", bytes.Join(frames, []byte("\n")))
		case strings.HasSuffix(topic, ".status"):
			var h wire.Header
			var s wire.KernelStatus
			if len(frames) < count || json.Unmarshal(frames[parent], &h) != nil || json.Unmarshal(frames[content], &s) != nil {
				return 0, fmt.Errorf("the kernel sent a status in a form that the benchmark does not know")
			}
			if h.MsgID == id && s.ExecutionState == wire.Idle {
				return text, nil
			}
		}
	}
}
