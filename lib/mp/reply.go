package mp

import (
	"encoding/binary"
	"time"
)

// A reply reports tasks of a batch that are done, in order. A batch has one
// or more; the last one says so.
type reply struct {
	last    bool
	done    int
	elapsed time.Duration // since the first of these tasks began
	errs    []taskError   // by place in this reply
	values  reader        // of the tasks without error
}

// replyHead is how many bytes precede the errors and values of a reply: so
// many that the values are aligned.
const replyHead = 24

// putHead writes the first replyHead bytes.
func (r *reply) putHead(b []byte) {
	clear(b[:replyHead])
	b[0] = byte(btoi(r.last))
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
		return nil, errMalformed
	}
	r := &reply{
		last: b[0] == 1, done: int(binary.LittleEndian.Uint32(b[4:])),
		elapsed: time.Duration(binary.LittleEndian.Uint64(b[16:])),
	}
	n := int(binary.LittleEndian.Uint32(b[8:]))
	b = b[replyHead:]
	for range n {
		if len(b) < 8 {
			return nil, errMalformed
		}
		at, size := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		if uint64(size) > uint64(len(b)-8) || int(at) >= r.done {
			return nil, errMalformed
		}
		r.errs = append(r.errs, taskError{int(at), b[8 : 8+size]})
		b = b[8+size:]
	}
	r.values.b = b
	return r, nil
}

// report takes what is done out of the invocation: the room of a frame, or nil
// if there is nothing to tell.
func (v *invocation) report(last bool) []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.inRow {
		return v.reportRow(last)
	}
	if v.done == 0 && !last {
		return nil
	}
	r := reply{last: last, done: v.done, errs: v.errs, elapsed: time.Since(v.since)}
	b := r.room(v.out.b)
	v.out.b, v.errs, v.done, v.since = v.out.b[:0], nil, 0, time.Now()
	return b
}

// reportRow is report for results in a row. The last ones are sent, if there are
// no errors, from where they are, with the heads in the room before them, where
// what lies was reported earlier, and the trailer behind.
func (v *invocation) reportRow(last bool) []byte {
	done := v.begun()
	if !last {
		done = max(done-1, 0) // the last one may still run
	}
	if done == v.done && !last {
		return nil
	}
	r := reply{last: last, done: done - v.done, elapsed: time.Since(v.since)}
	var later []taskError
	for _, e := range v.errs {
		if e.at < done {
			r.errs = append(r.errs, taskError{e.at - v.done, e.text})
		} else {
			later = append(later, e)
		}
	}
	var b []byte
	if len(r.errs) == 0 && last {
		b = v.row[v.done*v.size : rowHead+done*v.size+trailerSize]
		r.putHead(b[headerSize:])
	} else {
		b = r.room(v.without(r.errs, done))
	}
	v.errs, v.done, v.since = later, done, time.Now()
	return b
}

// without returns the results from v.done on but for those of failed tasks.
func (v *invocation) without(errs []taskError, done int) []byte {
	var values []byte
	from := v.done
	for _, e := range errs {
		values = append(values, v.results(from, v.done+e.at)...)
		from = v.done + e.at + 1
	}
	return append(values, v.results(from, done)...)
}

func (v *invocation) results(from, to int) []byte {
	return v.row[rowHead+from*v.size : rowHead+to*v.size]
}
