package exectrace

import "time"

// A clock finds the offset of the monotonic clock, which is the same for all processes
// of a machine, from the clock of a trace.
type clock struct {
	offset time.Duration
	known  bool
}

// add adds a snapshot of both clocks. The runtime reads the monotonic clock first, so the
// difference is too small by the time between the two reads. The thread may be suspended
// between them, so the largest difference is the most accurate one.
func (c *clock) add(difference time.Duration) {
	if !c.known || difference > c.offset {
		c.offset, c.known = difference, true
	}
}

// shift moves all times of a file by d.
func (f *fileReader) shift(d time.Duration) {
	if d == 0 {
		return
	}
	f.last += d
	if f.root != nil {
		*f.root += d
	}
	for _, h := range f.order {
		h.Created.At += d
		for i := range h.States {
			h.States[i].Begin += d
			h.States[i].End += d
		}
		shiftSpans(h.Spans, d)
		for i := range h.Marks {
			h.Marks[i].At += d
		}
	}
	shiftSpans(f.gc, d)
	for i := range f.cpu {
		f.cpu[i].At += d
	}
	for i := range f.sends {
		f.sends[i].at += d
	}
	for i := range f.receives {
		f.receives[i].at += d
	}
	for i := range f.locks {
		f.locks[i].at += d
	}
	for i := range f.arrows {
		f.arrows[i].at += d
	}
}

func shiftSpans(spans []Span, d time.Duration) {
	for i := range spans {
		spans[i].Begin += d
		spans[i].End += d
	}
}

// orderProcesses corrects the error of the snapshots, which is about 100 ns. If a value
// seems to be received before it was sent, orderProcesses moves the times of a child by the
// smallest duration that puts all values in order.
func (m *merger) orderProcesses() {
	least := make([]time.Duration, len(m.files))
	most := make([]time.Duration, len(m.files))
	index := map[*fileReader]int{}
	for i, f := range m.files {
		index[f] = i
	}
	for _, p := range m.pairs() {
		early := p.sent.at - p.received.at
		if from, to := index[p.sent.by.file], index[p.received.by.file]; early > 0 && from != to {
			if to > 0 {
				least[to] = max(least[to], early)
			} else {
				most[from] = max(most[from], early)
			}
		}
	}
	for i, f := range m.files {
		if least[i] > 0 {
			f.shift(least[i])
		} else if most[i] > 0 {
			f.shift(-most[i])
		}
	}
}
