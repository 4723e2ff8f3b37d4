package mp

import "time"

// report takes what is done out of the batchRun: the room of a frame, or nil
// if there is nothing to tell.
func (v *batchRun) report(last bool) []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.inRow {
		return v.reportRow(last)
	}
	if v.done == 0 && !last {
		return nil
	}
	r := reply{last: last, done: v.done, errs: v.errs, elapsed: time.Since(v.since)}
	b := r.room(v.out.B)
	v.out.B, v.errs, v.done, v.since = v.out.B[:0], nil, 0, time.Now()
	return b
}

// reportRow is report for results in a row. The last ones are sent, if there are
// no errors, from where they are, with the heads in the room before them, where
// what lies was reported earlier, and the trailer behind.
func (v *batchRun) reportRow(last bool) []byte {
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
func (v *batchRun) without(errs []taskError, done int) []byte {
	var values []byte
	from := v.done
	for _, e := range errs {
		values = append(values, v.results(from, v.done+e.at)...)
		from = v.done + e.at + 1
	}
	return append(values, v.results(from, done)...)
}

func (v *batchRun) results(from, to int) []byte {
	return v.row[rowHead+from*v.size : rowHead+to*v.size]
}
