// Package jobs defines the record of a job on the server, and the encoding of the job's results.
package jobs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mpremote"
)

// Prefix is the beginning of the ids of jobs. To workers, a job is a pool that always
// exists.
const Prefix = "job-"

const (
	// maxValue is the largest size of a result of a job. It is part of a message.
	maxValue = 512 << 10
	// maxText is the largest size of the text of an error.
	maxText = 128 << 10
)

// Is reports whether the pool with the given id is a job.
func Is(pool string) bool { return strings.HasPrefix(pool, Prefix) }

// A Record describes a job. The server stores it as JSON under the job's key.
type Record struct {
	ID    string
	Tasks int
	Batch int    // number of tasks in each batch but the last
	Func  string // name of the function, for messages
	Calls string // hash of the function's name, the types and the arguments
	Shape string // Text of the Shape of the result type
	Build string // the build whose workers run the tasks
	Mixed bool   // whether other builds have run tasks, too
	Sent  bool   // whether all tasks were sent
}

// Value returns the Value of an outcome of a task of a job. An error is stored twice: as text,
// for other builds, and in package mpremote's encoding.
func Value(b *wire.Batch, o mpremote.Outcome, err error) wire.Value {
	if n := len(o.Bytes); n > maxValue {
		err = fmt.Errorf("cluster: the result or error of %s takes %d bytes, more than the limit of %d for a job: return a smaller value: %w", b.FuncName, n, maxValue, mp.ErrTooLarge)
		o = mpremote.Failure(err)
	}
	if !o.Failed {
		return wire.Value{Form: wire.Inline, Bytes: o.Bytes}
	}
	text := err.Error()
	text = text[:min(len(text), maxText)]
	v := binary.AppendUvarint(nil, uint64(len(text)))
	return wire.Value{Form: wire.Failed, Bytes: append(append(v, text...), o.Bytes...)}
}

// failure decodes the error of a Value. name is the name of the job.
func failure(v []byte, name string, sameBuild bool) error {
	n, size := binary.Uvarint(v)
	if size <= 0 || n > uint64(len(v)-size) {
		return fmt.Errorf("cluster: cannot read the error of a task of job %s: %w", name, wire.ErrMalformed)
	}
	text, encoded := string(v[size:size+int(n)]), v[size+int(n):]
	if !sameBuild {
		return errors.New(text)
	}
	return mpremote.Outcome{Failed: true, Bytes: encoded}.Err()
}

// An Over is the error of a stream of results that ends before all results of the job were read.
type Over struct {
	Job string // name of the job
	Err error
}

func (o *Over) Error() string {
	if o.Err == mp.ErrClosed {
		return fmt.Sprintf("cluster: job %s was deleted, or the Cluster was closed: %v", o.Job, o.Err)
	}
	return fmt.Sprintf("cluster: job %s: %v", o.Job, o.Err)
}

func (o *Over) Unwrap() error { return o.Err }

// Unserved returns the error for a job whose tasks no worker has. The error wraps reason and says
// what to do.
func Unserved(reason error) error {
	return fmt.Errorf("%w: its tasks wait for workers of the program that has started it, and there are none; "+
		"call StartJob again with the same name, function and arguments: it gives these tasks to workers that have the function", reason)
}

// Show writes the messages of each subject in to to the Writer of that subject, until stop is
// called.
func Show(conn *nats.Conn, to map[string]io.Writer) (stop func()) {
	var subs []*nats.Subscription
	for subject, w := range to {
		sub, err := conn.Subscribe(subject, func(m *nats.Msg) { _, _ = w.Write(m.Data) })
		if err == nil {
			subs = append(subs, sub)
		}
	}
	return func() {
		for _, s := range subs {
			_ = s.Drain()
		}
	}
}

// An Ending is the encoded result of a task of a job, or its error.
type Ending struct {
	Result []byte
	Err    error
}

// Endings returns the Endings in a message, by the index of their task. name is the name of
// the job; sameBuild tells whether all results come from this build of the program.
func (r *Record) Endings(subject string, data []byte, name string, sameBuild bool) map[int]Ending {
	id, _ := strconv.Atoi(subject[strings.LastIndexByte(subject, '.')+1:])
	first := (id - 1) * r.Batch
	last := min(first+r.Batch, r.Tasks) - 1
	if id < 1 || id > r.Tasks || last < first {
		return nil // no worker sends it
	}
	ends := make(map[int]Ending)
	s, err := wire.DecodeResult(data)
	if err == nil && (s.Pool != r.ID || s.Batch != uint64(id)) {
		err = fmt.Errorf("%w: the message with results belongs to another batch of tasks", wire.ErrMalformed)
	}
	if err != nil {
		for i := first; i <= last; i++ {
			ends[i] = Ending{Err: fmt.Errorf("cluster: no result of %s: %w; it is unknown whether the task has run", r.Func, err)}
		}
		return ends
	}
	for i, at := range s.Indexes {
		switch v := s.Values[i]; {
		case first+at > last:
		case v.Form == wire.Failed:
			ends[first+at] = Ending{Err: failure(v.Bytes, name, sameBuild)}
		case v.Form == wire.Inline:
			ends[first+at] = Ending{Result: v.Bytes}
		}
	}
	return ends
}
