package mp

import (
	"encoding/binary"
	"time"

	"github.com/perijove/perijove/lib/mp/internal/codec"
	"github.com/perijove/perijove/lib/mp/internal/failure"
)

// A reply reports tasks of a batch that are done, in order. A batch has one
// or more; the last one says so.
type reply struct {
	last    bool
	done    int
	elapsed time.Duration // since the first of these tasks began
	errs    []taskError   // by place in this reply
	values  codec.Reader  // of the tasks without error
}

// replyHead is how many bytes precede the errors and values of a reply: so
// many that the values are aligned.
const replyHead = 24

// putHead writes the first replyHead bytes.
func (r *reply) putHead(b []byte) {
	clear(b[:replyHead])
	if r.last {
		b[0] = 1
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(r.done))
	binary.LittleEndian.PutUint32(b[8:], uint32(len(r.errs)))
	binary.LittleEndian.PutUint64(b[16:], uint64(r.elapsed))
}

// room makes a frame's room for a reply with these values.
func (r *reply) room(values []byte) []byte {
	b := make([]byte, headerSize+replyHead, headerSize+replyHead+len(values)+trailerSize)
	r.putHead(b[headerSize:])
	for _, e := range r.errs {
		b = binary.LittleEndian.AppendUint32(b, uint32(e.at))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(e.text)))
		b = append(b, e.text...)
	}
	return withTrailer(append(b, values...))
}

func parseReply(b []byte) (*reply, error) {
	if len(b) < replyHead {
		return nil, failure.ErrMalformed
	}
	r := &reply{
		last: b[0] == 1, done: int(binary.LittleEndian.Uint32(b[4:])),
		elapsed: time.Duration(binary.LittleEndian.Uint64(b[16:])),
	}
	n := int(binary.LittleEndian.Uint32(b[8:]))
	b = b[replyHead:]
	for range n {
		if len(b) < 8 {
			return nil, failure.ErrMalformed
		}
		at, size := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		if uint64(size) > uint64(len(b)-8) || int(at) >= r.done {
			return nil, failure.ErrMalformed
		}
		r.errs = append(r.errs, taskError{int(at), b[8 : 8+size]})
		b = b[8+size:]
	}
	r.values.B = b
	return r, nil
}

// A taskError is the encoded error of one task, by its place among the tasks
// that are reported together.
type taskError struct {
	at   int
	text []byte
}
