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

const replyHead = 1 + 4 + 4 + 8

func (r *reply) append(b []byte, values []byte) []byte {
	b = append(b, byte(btoi(r.last)))
	b = binary.LittleEndian.AppendUint32(b, uint32(r.done))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.errs)))
	b = binary.LittleEndian.AppendUint64(b, uint64(r.elapsed))
	for _, e := range r.errs {
		b = binary.LittleEndian.AppendUint32(b, uint32(e.at))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(e.text)))
		b = append(b, e.text...)
	}
	return append(b, values...)
}

func parseReply(b []byte) (*reply, error) {
	if len(b) < replyHead {
		return nil, errMalformed
	}
	r := &reply{
		last: b[0] == 1, done: int(binary.LittleEndian.Uint32(b[1:])),
		elapsed: time.Duration(binary.LittleEndian.Uint64(b[9:])),
	}
	n := int(binary.LittleEndian.Uint32(b[5:]))
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

// report takes what is done out of the invocation as a frame's body.
func (v *invocation) report(last bool) []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.done == 0 && !last {
		return nil
	}
	r := reply{last: last, done: v.done, errs: v.errs, elapsed: time.Since(v.since)}
	b := r.append(make([]byte, 0, replyHead+len(v.out.b)), v.out.b)
	v.out.b, v.errs, v.done, v.since = v.out.b[:0], nil, 0, time.Now()
	return b
}
