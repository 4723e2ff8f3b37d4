package child

import (
	"time"

	"github.com/perijove/perijove/lib/mp/internal/protocol"
)

// report returns a frame that reports the finished tasks, and marks the tasks as reported.
// The frame has the room that SendRoom needs. report returns nil if no task has finished
// and last is false.
func (v *batchRun) report(last bool) []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.inRow {
		return v.reportRow(last)
	}
	if v.done == 0 && !last {
		return nil
	}
	r := protocol.Reply{Last: last, Done: v.done, Errs: v.errs, Elapsed: time.Since(v.since)}
	b := r.Room(v.out.B)
	v.out.B, v.errs, v.done, v.since = v.out.B[:0], nil, 0, time.Now()
	return b
}

// reportRow is report for results in an array. The last report, if it has no errors, is sent
// from the memory of the results: its head overwrites results that were reported before, and
// the trailer follows the results.
func (v *batchRun) reportRow(last bool) []byte {
	done := v.begun()
	if !last {
		done = max(done-1, 0) // the last one may still run
	}
	if done == v.done && !last {
		return nil
	}
	r := protocol.Reply{Last: last, Done: done - v.done, Elapsed: time.Since(v.since)}
	var later []protocol.TaskError
	for _, e := range v.errs {
		if e.At < done {
			r.Errs = append(r.Errs, protocol.TaskError{At: e.At - v.done, Text: e.Text})
		} else {
			later = append(later, e)
		}
	}
	var b []byte
	if len(r.Errs) == 0 && last {
		b = v.row[v.done*v.size : rowHead+done*v.size+protocol.TrailerSize]
		r.PutHead(b[protocol.HeaderSize:])
	} else {
		b = r.Room(v.without(r.Errs, done))
	}
	v.errs, v.done, v.since = later, done, time.Now()
	return b
}

// without returns the unreported results of tasks before done, and leaves out failed
// tasks.
func (v *batchRun) without(errs []protocol.TaskError, done int) []byte {
	var values []byte
	from := v.done
	for _, e := range errs {
		values = append(values, v.results(from, v.done+e.At)...)
		from = v.done + e.At + 1
	}
	return append(values, v.results(from, done)...)
}

func (v *batchRun) results(from, to int) []byte {
	return v.row[rowHead+from*v.size : rowHead+to*v.size]
}
