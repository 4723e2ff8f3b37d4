package exectrace

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	xtrace "golang.org/x/exp/trace"
)

// A fileReader reads the trace of one process. Its times are those of the trace's clock
// until merge moves them to the machine's monotonic clock.
type fileReader struct {
	process *Process
	code    code
	events  int
	limit   int // of events
	clock   clock
	last    time.Duration // of the last event

	goroutines map[xtrace.GoID]*history
	order      []*history
	ranges     map[string]time.Duration // garbage collections that have begun and not ended
	lines      map[xtrace.Stack]frames
	sends      []message
	receives   []message
	locks      []lockEvent
	arrows     []rawArrow
	cpu        []Sample
	gc         []Span
	root       *time.Duration // when the traced function was called
}

// A history has the data of a goroutine while the trace is read.
type history struct {
	Goroutine
	file    *fileReader
	open    bool // the last state has not ended
	regions []int
	creator xtrace.GoID
	library bool // package mp or the worker process has started it
	root    bool // it runs the traced function or tasks
	user    bool // it has run user code
	named   bool // Name is that of a user's function
	waited  int  // index + 1 of its last wait for a lock, or 0
	listed  bool // it is one of Process.Goroutines
	batches []batchOf
}

// A message is a value that is sent or received.
type message struct {
	kind     string
	local    bool // it stays within the process
	key, seq uint64
	first    int // index of the first task of a batch
	at       time.Duration
	by       *history
	line     Line
}

// A lockEvent is the lock or unlock of a Mutex for processes.
type lockEvent struct {
	key    lockKey
	reads  bool
	locks  bool
	waited bool
	at     time.Duration
	by     *history
}

// A lockKey identifies a lock, or any other object.
type lockKey struct {
	key uint64
	pid int // of the process that has the object; 0 if processes share it
}

// A rawArrow is an arrow within a process.
type rawArrow struct {
	kind     ArrowKind
	what     string
	from, to *history
	at       time.Duration
	line     Line
}

// frames has the properties of a stack that determine names and lines.
type frames struct {
	user      bool   // it has user code
	line      Line   // the innermost line of user code
	outerUser string // the outermost function of user code
	inner     string // the innermost function that is not of the standard library
	outer     string // the outermost function that is not of the standard library
	outermost string // the outermost function
}

func newFileReader(p *Process, c code, limit int) *fileReader {
	return &fileReader{process: p, code: c, limit: limit, goroutines: map[xtrace.GoID]*history{}, ranges: map[string]time.Duration{}, lines: map[xtrace.Stack]frames{}}
}

// read reads the file to its end, or to the first error.
func (f *fileReader) read() error {
	file, err := os.Open(f.process.File)
	if err != nil {
		return err
	}
	defer file.Close()
	r, err := xtrace.NewReader(bufio.NewReaderSize(file, 1<<20))
	for err == nil {
		var e xtrace.Event
		if e, err = r.ReadEvent(); err != nil {
			break
		}
		if f.events == f.limit {
			f.process.Problem = fmt.Sprintf("only its first %d events were read", f.limit)
			break
		}
		f.event(e)
	}
	if err == io.EOF {
		err = nil
	}
	return err
}

func (f *fileReader) event(e xtrace.Event) {
	f.events++
	if e.Kind() == xtrace.EventSync {
		if s := e.Sync().ClockSnapshot; s != nil {
			f.clock.add(time.Duration(s.Mono) - time.Duration(s.Trace))
		}
		return
	}
	at := time.Duration(e.Time())
	f.last = max(f.last, at)
	switch e.Kind() {
	case xtrace.EventStateTransition:
		if s := e.StateTransition(); s.Resource.Kind == xtrace.ResourceGoroutine {
			f.transition(e, s, at)
		}
	case xtrace.EventRegionBegin:
		f.beginRegion(f.goroutine(e.Goroutine()), e.Region().Type, at)
	case xtrace.EventRegionEnd:
		f.endRegion(f.goroutine(e.Goroutine()), e.Region().Type, at)
	case xtrace.EventLog:
		f.log(e, e.Log(), at)
	case xtrace.EventRangeBegin, xtrace.EventRangeActive, xtrace.EventRangeEnd:
		f.span(e, at)
	}
}

func (f *fileReader) goroutine(id xtrace.GoID) *history {
	h := f.goroutines[id]
	if h == nil {
		h = &history{file: f, creator: xtrace.NoGoroutine}
		h.ID, h.Process = int64(id), f.process
		f.goroutines[id] = h
		f.order = append(f.order, h)
	}
	return h
}

const (
	// cellCall is the name of the function that calls a cell: the worker process of a notebook gives it the name of the
	// function with which a program's main goroutine begins.
	cellCall      = "runtime.main"
	mainGoroutine = 1
	// cellName is the name of the goroutine of a cell whose code is in no stack, since the cell panicked before it waited.
	cellName = "main.the cell"
)

// transition changes the state of a goroutine.
func (f *fileReader) transition(e xtrace.Event, s xtrace.StateTransition, at time.Duration) {
	from, to := s.Goroutine()
	h := f.goroutine(s.Resource.Goroutine())
	seen := f.frames(s.Stack)
	h.user = h.user || seen.user
	if name := seen.name(); h.Name == "" || from == xtrace.GoNotExist || seen.user && !h.named {
		if f.code.notebook && name == cellCall && h.ID != mainGoroutine {
			name = cellName
		}
		h.Name, h.named = name, seen.user
	}
	if from == xtrace.GoNotExist && to == xtrace.GoRunnable {
		by := f.frames(e.Stack())
		h.creator, h.library = e.Goroutine(), f.code.isLibrary(by.inner)
		h.Created = Place{At: at, Line: by.line}
		if e.Goroutine() != xtrace.NoGoroutine {
			f.arrows = append(f.arrows, rawArrow{Creates, h.Name, f.goroutine(e.Goroutine()), h, at, by.line})
		}
	}
	if from == xtrace.GoWaiting && to == xtrace.GoRunnable && e.Goroutine() != xtrace.NoGoroutine && h.open {
		what := h.States[len(h.States)-1].Reason
		f.arrows = append(f.arrows, rawArrow{Wakes, what, f.goroutine(e.Goroutine()), h, at, f.frames(e.Stack()).line})
	}
	h.end(at)
	state := State{Begin: at, End: at, P: -1, Thread: -1}
	switch to {
	case xtrace.GoRunning:
		state.Kind, state.P, state.Thread = Running, int64(e.Proc()), int64(e.Thread())
	case xtrace.GoSyscall:
		state.Kind, state.At, state.P, state.Thread = Syscall, seen.line, int64(e.Proc()), int64(e.Thread())
	case xtrace.GoRunnable:
		state.Kind, state.Reason = Runnable, s.Reason
	case xtrace.GoWaiting:
		state.Kind, state.Reason, state.At = Blocked, s.Reason, seen.line
	default:
		return
	}
	h.States, h.open = append(h.States, state), true
}

// end ends the last state of a goroutine.
func (h *history) end(at time.Duration) {
	if h.open {
		h.States[len(h.States)-1].End, h.open = at, false
	}
}

// frames returns the frames of a stack. It examines equal stacks only once.
func (f *fileReader) frames(s xtrace.Stack) frames {
	if s == xtrace.NoStack {
		return frames{}
	}
	if known, ok := f.lines[s]; ok {
		return known
	}
	var out frames
	for frame := range s.Frames() {
		out.outermost = frame.Func
		if f.code.isStandard(frame.Func) {
			continue
		}
		if out.inner == "" {
			out.inner = frame.Func
		}
		out.outer = frame.Func
		if !f.code.isUser(frame.Func) {
			continue
		}
		out.outerUser = frame.Func
		if !out.user {
			out.user, out.line = true, Line{frame.File, int(frame.Line)}
		}
	}
	f.lines[s] = out
	return out
}

// name returns the name of the goroutine with this stack.
func (s frames) name() string {
	return cmp.Or(s.outerUser, s.outer, s.outermost)
}

// beginRegion and endRegion note a span of a goroutine.
func (f *fileReader) beginRegion(h *history, name string, at time.Duration) {
	span := Span{Kind: Region, Name: name, Begin: at, End: at, Open: true, Index: -1}
	if task, ok := strings.CutPrefix(name, "task "); ok {
		span.Kind, span.Name, h.root = Task, task, true
		if !h.named { // it may never be seen blocked in the function
			h.Name, h.named = task, true
		}
	} else if wait, ok := strings.CutPrefix(name, "wait for "); ok {
		span.Kind, span.Name = Wait, wait
	}
	h.regions = append(h.regions, len(h.Spans))
	h.Spans = append(h.Spans, span)
}

func (f *fileReader) endRegion(h *history, name string, at time.Duration) {
	n := len(h.regions)
	if n == 0 {
		return // it began before the recording
	}
	i := h.regions[n-1]
	h.regions = h.regions[:n-1]
	h.Spans[i].End, h.Spans[i].Open = at, false
	if name == "wait for a lock" {
		h.waited = i + 1
	}
}

// span notes a garbage collection, or a stop of all goroutines.
func (f *fileReader) span(e xtrace.Event, at time.Duration) {
	r := e.Range()
	kind := GC
	switch {
	case r.Name == "GC concurrent mark phase":
	case r.Name == "stop-the-world (start trace)":
		return
	case strings.HasPrefix(r.Name, "stop-the-world"):
		kind = Pause
	default:
		return
	}
	if e.Kind() != xtrace.EventRangeEnd {
		f.ranges[r.Name] = at
		return
	}
	if began, ok := f.ranges[r.Name]; ok {
		delete(f.ranges, r.Name)
		f.gc = append(f.gc, Span{Kind: kind, Name: r.Name, Begin: began, End: at})
	}
}

// log handles the events of package mp and of the user.
func (f *fileReader) log(e xtrace.Event, l xtrace.Log, at time.Duration) {
	h := f.goroutine(e.Goroutine())
	words := strings.Fields(l.Message)
	switch l.Category {
	case "mp.root":
		h.root = true
		if f.root == nil {
			f.root = &at
		}
	case "mp.cpu":
		if ns, err := strconv.ParseInt(l.Message, 10, 64); err == nil {
			f.cpu = append(f.cpu, Sample{at, time.Duration(ns)})
		}
	case "mp.lock", "mp.unlock":
		f.lock(h, l.Category == "mp.lock", words, at)
	case "mp.task":
		f.task(h, words)
	case "mp.send", "mp.receive":
		f.message(e, l.Category == "mp.send", h, words, at)
	default:
		h.Marks = append(h.Marks, Mark{at, l.Category, l.Message})
	}
}

// lock notes that a lock was taken or is released.
func (f *fileReader) lock(h *history, locks bool, words []string, at time.Duration) {
	if len(words) != 2 {
		return
	}
	n, err := strconv.ParseUint(words[0], 16, 64)
	if err != nil {
		return
	}
	scope, reads := strings.CutSuffix(words[1], "-read")
	key := lockKey{key: n}
	if scope == "local" {
		key.pid = f.process.PID
	}
	f.locks = append(f.locks, lockEvent{key, reads, locks, locks && h.waited > 0, at, h})
	h.waited = 0
}

// task notes the index of the task whose span has begun; merge adds the index of the
// first task of its batch.
func (f *fileReader) task(h *history, words []string) {
	if len(words) != 2 || len(h.regions) == 0 {
		return
	}
	key, err1 := strconv.ParseUint(words[0], 16, 64)
	index, err2 := strconv.Atoi(words[1])
	if err1 != nil || err2 != nil {
		return
	}
	h.Spans[h.regions[len(h.regions)-1]].Index = index
	h.batches = append(h.batches, batchOf{h.regions[len(h.regions)-1], key})
}

func (f *fileReader) message(e xtrace.Event, sent bool, h *history, words []string, at time.Duration) {
	if len(words) < 3 {
		return
	}
	key, err1 := strconv.ParseUint(words[1], 16, 64)
	seq, err2 := strconv.ParseUint(words[2], 10, 64)
	if err1 != nil || err2 != nil {
		return
	}
	_, local := strings.CutPrefix(words[0], "local-")
	m := message{kind: words[0], local: local, key: key, seq: seq, at: at, by: h, line: f.frames(e.Stack()).line}
	if len(words) > 3 {
		m.first, _ = strconv.Atoi(words[3])
	}
	if sent {
		f.sends = append(f.sends, m)
	} else {
		f.receives = append(f.receives, m)
	}
}
