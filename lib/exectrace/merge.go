package exectrace

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// batchOf says to which batch the task of a span belongs.
type batchOf struct {
	span int
	key  uint64
}

// nameWaits gives the states within a wait for an object of package mp the name of that
// object: a process that waits for another is in a system call.
func (h *history) nameWaits() {
	var waits []Span
	for _, s := range h.Spans {
		if s.Kind == Wait {
			waits = append(waits, s)
		}
	}
	for i := range h.States {
		s := &h.States[i]
		for len(waits) > 0 && waits[0].End <= s.Begin {
			waits = waits[1:]
		}
		if len(waits) > 0 && waits[0].Begin <= s.Begin && (s.Kind == Blocked || s.Kind == Syscall) {
			s.Kind, s.Reason, s.P, s.Thread = Blocked, waits[0].Name, -1, -1
		}
	}
}

// A merger puts the traces of processes together.
type merger struct {
	trace  *Trace
	files  []*fileReader
	start  time.Duration // of the traced function, on the monotonic clock
	queues map[lockKey]int
}

func newMerger(t *Trace) *merger { return &merger{trace: t, queues: map[lockKey]int{}} }

func (m *merger) merge() {
	for _, f := range m.files {
		f.shift(f.clock.offset)
	}
	m.orderProcesses()
	first := m.files[0]
	if first.root != nil {
		m.start = *first.root
	}
	m.trace.Length = first.last - m.start
	m.numberTasks()
	for _, f := range m.files {
		m.process(f)
	}
	for _, f := range m.files {
		for _, a := range f.arrows {
			m.arrow(a.kind, a.what, message{at: a.at, by: a.from, line: a.line}, message{at: a.at, by: a.to})
		}
	}
	for _, p := range m.pairs() {
		m.message(p.kind, p.sent, p.received)
	}
	m.passLocks()
	slices.SortStableFunc(m.trace.Arrows, func(a, b Arrow) int { return cmp.Compare(a.To.At, b.To.At) })
	for _, p := range m.trace.Processes {
		if p.Problem != "" {
			m.trace.Problems = append(m.trace.Problems, fmt.Sprintf("process %d: %s", p.PID, p.Problem))
		}
	}
}

// numberTasks adds the index of the first task of each batch to the indexes of its
// tasks.
func (m *merger) numberTasks() {
	first := map[uint64]int{}
	for _, f := range m.files {
		for _, s := range f.sends {
			if s.kind == "batch" {
				first[s.key] = s.first
			}
		}
	}
	for _, f := range m.files {
		for _, h := range f.order {
			for _, b := range h.batches {
				if b.key != 0 {
					h.Spans[b.span].Index += first[b.key]
				}
			}
		}
	}
}

func (m *merger) time(at time.Duration) time.Duration { return clip(at-m.start, m.trace.Length) }

// process completes the data of the process that has written a file.
func (m *merger) process(f *fileReader) {
	p := f.process
	p.Begin, p.End = m.trace.Length, 0
	shown := map[int64]bool{}
	for _, h := range f.order { // creators come before those that they create
		creator := f.goroutines[h.creator]
		shown[h.ID] = h.root || !h.library && packageOf(h.Name) != "runtime" && (h.user || creator != nil && shown[creator.ID])
	}
	for _, h := range f.order {
		h.end(f.last)
		m.clip(f, h)
		if len(h.States) == 0 && len(h.Spans) == 0 {
			continue
		}
		if shown[h.ID] {
			h.listed = true
			p.Goroutines = append(p.Goroutines, &h.Goroutine)
		} else {
			p.Others.Count++
			p.Others.Running += h.Totals()[Running]
		}
		for _, s := range h.States {
			p.Begin, p.End = min(p.Begin, s.Begin), max(p.End, s.End)
		}
	}
	for _, s := range f.gc {
		if s.Begin, s.End = m.time(s.Begin), m.time(s.End); s.Begin < s.End {
			p.GC = append(p.GC, s)
		}
	}
	for _, s := range f.cpu {
		if at := s.At - m.start; at >= -20*time.Millisecond && at <= m.trace.Length+20*time.Millisecond {
			p.CPU = append(p.CPU, Sample{clip(at, m.trace.Length), s.Used})
		}
	}
	p.Begin = min(p.Begin, p.End)
}

// clip moves the times of a goroutine to the origin of the trace, and removes what is
// outside of it.
func (m *merger) clip(f *fileReader, h *history) {
	kept := h.States[:0]
	for _, s := range h.States {
		if s.Begin, s.End = m.time(s.Begin), m.time(s.End); s.Begin < s.End {
			kept = append(kept, s)
		}
	}
	h.States = kept
	spans := h.Spans[:0] // in the order of Begin
	for _, s := range h.Spans {
		if s.Open {
			s.End = f.last
		}
		if s.Begin, s.End = m.time(s.Begin), m.time(s.End); s.Begin < s.End {
			spans = append(spans, s)
		}
	}
	h.Spans = spans
	h.Marks = slices.DeleteFunc(h.Marks, func(x Mark) bool { return x.At < m.start || x.At-m.start > m.trace.Length })
	for i := range h.Marks {
		h.Marks[i].At -= m.start
	}
	h.nameWaits()
	h.Created.Process = f.process
	h.Created.At = m.time(h.Created.At)
	if creator := f.goroutines[h.creator]; creator != nil {
		h.Created.Goroutine = &creator.Goroutine
	} else {
		h.Created = Place{}
	}
}

func (m *merger) place(x message) Place {
	p := Place{Process: x.by.file.process, At: m.time(x.at), Line: x.line}
	if x.by.listed {
		p.Goroutine = &x.by.Goroutine
	}
	return p
}

// arrow adds an arrow, unless both ends are in goroutines that are not listed, or
// outside of the trace.
func (m *merger) arrow(kind ArrowKind, what string, from, to message) {
	if !from.by.listed && !to.by.listed || to.at < m.start || from.at-m.start > m.trace.Length {
		return
	}
	m.trace.Arrows = append(m.trace.Arrows, Arrow{kind, what, m.place(from), m.place(to)})
}

// messageID identifies the values that are received in the order in which they are sent.
type messageID struct {
	kind     string
	key, seq uint64
}

var messageKinds = map[string]ArrowKind{"start": Starts, "batch": Tasks, "result": Results, "queue": Passes,
	"local-batch": Tasks, "local-result": Results, "local-queue": Passes}

// A pair is a value that was sent and received.
type pair struct {
	kind           ArrowKind
	sent, received message
}

// pairs returns the values that went from one process, or goroutine, to another.
func (m *merger) pairs() (list []pair) {
	for _, f := range m.files {
		list = append(list, f.localPairs()...)
	}
	sent := map[messageID][]message{}
	for _, f := range m.files {
		for _, s := range f.sends {
			if s.local {
				continue
			}
			id := messageID{s.kind, s.key, s.seq}
			sent[id] = append(sent[id], s)
		}
	}
	for _, f := range m.files {
		for _, r := range f.receives {
			id := messageID{r.kind, r.key, r.seq}
			if kind, known := messageKinds[r.kind]; known && !r.local && len(sent[id]) > 0 {
				list = append(list, pair{kind, sent[id][0], r})
				sent[id] = sent[id][1:]
			}
		}
	}
	return list
}

// localPairs returns the values that stay within a process. It pairs the receipt of a value
// with the last value that was sent before it under the same id: ids are reused, a value may
// be received more than once, and a put that fails has logged a value. Of the tasks of a
// Map, only the first that each worker receives count.
func (f *fileReader) localPairs() (list []pair) {
	type part struct {
		sent message
		by   *history
	}
	sent, began, next := map[messageID]message{}, map[part]bool{}, 0
	for _, r := range f.receives {
		kind, known := messageKinds[r.kind]
		if !known || !r.local {
			continue
		}
		for ; next < len(f.sends) && f.sends[next].at <= r.at; next++ {
			if s := f.sends[next]; s.local {
				sent[messageID{s.kind, s.key, s.seq}] = s
			}
		}
		if s, ok := sent[messageID{r.kind, r.key, r.seq}]; ok && s.by != r.by && !(kind == Tasks && began[part{s, r.by}]) {
			began[part{s, r.by}] = true
			list = append(list, pair{kind, s, r})
		}
	}
	return list
}

// message adds the arrow of a value. Ends in goroutines of package mp are shown at their
// process.
func (m *merger) message(kind ArrowKind, s, r message) {
	what := ""
	if kind == Passes {
		key := lockKey{key: r.key}
		if r.local {
			key.pid = r.by.file.process.PID
		}
		if m.queues[key] == 0 {
			m.queues[key] = len(m.queues) + 1
		}
		what = "queue " + strconv.Itoa(m.queues[key])
	}
	if r.local {
		m.arrow(kind, what, s, r)
		return
	}
	if r.at < m.start || s.at-m.start > m.trace.Length {
		return
	}
	m.trace.Arrows = append(m.trace.Arrows, Arrow{kind, what, m.place(s), m.place(r)})
}

// A holding identifies a lock that is held. A lock that is held to read has one holding for
// each reader.
type holding struct {
	lockKey
	reader *history
}

func (e *lockEvent) holding() holding {
	if e.reads {
		return holding{e.key, e.by}
	}
	return holding{lockKey: e.key}
}

// passLocks adds the spans in which locks are held, and the arrows from a goroutine that
// releases a lock to the one that waited for it.
func (m *merger) passLocks() {
	var all []lockEvent
	for _, f := range m.files {
		all = append(all, f.locks...)
	}
	slices.SortStableFunc(all, func(a, b lockEvent) int { return cmp.Compare(a.at, b.at) })
	released, held, names := map[lockKey]lockEvent{}, map[holding]lockEvent{}, map[lockKey]int{}
	for _, e := range all {
		if names[e.key] == 0 {
			names[e.key] = len(names) + 1
		}
		name := "lock " + strconv.Itoa(names[e.key])
		if !e.locks {
			m.hold(held[e.holding()], e, name)
			delete(held, e.holding())
			released[e.key] = e
			continue
		}
		if last, ok := released[e.key]; ok && e.waited && last.by != e.by {
			m.arrow(Unlocks, name, message{at: last.at, by: last.by}, message{at: e.at, by: e.by})
		}
		held[e.holding()] = e
	}
	for _, e := range held {
		m.hold(e, lockEvent{at: m.start + m.trace.Length}, "lock "+strconv.Itoa(names[e.key]))
	}
	for _, f := range m.files {
		for _, h := range f.order {
			slices.SortStableFunc(h.Spans, func(a, b Span) int { return cmp.Compare(a.Begin, b.Begin) })
		}
	}
}

// hold adds the span of a lock that was taken, unless the goroutine that took it is not
// known or not listed. If the trace ends before the lock is released, released.by is nil.
func (m *merger) hold(taken, released lockEvent, name string) {
	if taken.by == nil || !taken.by.listed {
		return
	}
	end := released.at
	if released.by == nil {
		end = min(end, taken.by.file.last)
	}
	s := Span{Kind: Held, Name: name, Begin: m.time(taken.at), End: m.time(end), Index: -1, Open: released.by == nil}
	taken.by.Spans = append(taken.by.Spans, s)
}
