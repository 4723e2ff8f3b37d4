package protocol

import (
	"encoding/binary"
	"time"

	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// A Reply reports finished tasks of a batch, in order. A batch has one or more replies;
// Last is set in the last one.
type Reply struct {
	Last    bool
	Done    int
	Elapsed time.Duration // time since the first of these tasks began
	Errs    []TaskError   // errors of tasks, in the order of the tasks in this reply
	Values  codec.Reader  // results of the tasks without an error
}

// ReplyHead is how many bytes precede the errors and values of a reply. It keeps the
// values aligned.
const ReplyHead = 24

// PutHead writes the first ReplyHead bytes of an encoded reply.
func (r *Reply) PutHead(b []byte) {
	clear(b[:ReplyHead])
	if r.Last {
		b[0] = 1
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(r.Done))
	binary.LittleEndian.PutUint32(b[8:], uint32(len(r.Errs)))
	binary.LittleEndian.PutUint64(b[16:], uint64(r.Elapsed))
}

// Room returns the encoded reply in the form that SendRoom takes as room. values has the encoded
// results.
func (r *Reply) Room(values []byte) []byte {
	b := make([]byte, HeaderSize+ReplyHead, HeaderSize+ReplyHead+len(values)+TrailerSize)
	r.PutHead(b[HeaderSize:])
	for _, e := range r.Errs {
		b = binary.LittleEndian.AppendUint32(b, uint32(e.At))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(e.Text)))
		b = append(b, e.Text...)
	}
	return WithTrailer(append(b, values...))
}

func ParseReply(b []byte) (*Reply, error) {
	if len(b) < ReplyHead {
		return nil, failure.ErrMalformed
	}
	r := &Reply{
		Last: b[0] == 1, Done: int(binary.LittleEndian.Uint32(b[4:])),
		Elapsed: time.Duration(binary.LittleEndian.Uint64(b[16:])),
	}
	n := int(binary.LittleEndian.Uint32(b[8:]))
	b = b[ReplyHead:]
	for range n {
		if len(b) < 8 {
			return nil, failure.ErrMalformed
		}
		at, size := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		if uint64(size) > uint64(len(b)-8) || int(at) >= r.Done {
			return nil, failure.ErrMalformed
		}
		r.Errs = append(r.Errs, TaskError{int(at), b[8 : 8+size]})
		b = b[8+size:]
	}
	r.Values.B = b
	return r, nil
}

// A TaskError is the encoded error of one task. At is the task's index in the reply.
type TaskError struct {
	At   int
	Text []byte
}
