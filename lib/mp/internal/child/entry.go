// Package child is the child's end of the connection to its parent: it runs the
// functions that the parent sends, and reports their outcomes.
package child

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/profiling"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
)

// Open opens the connection to the parent. The environment variable protocol.Marker describes
// the connection; Open removes the variable. If it is malformed, Open ends the process.
func Open() *Entry {
	var first, count int
	_, err := fmt.Sscanf(os.Getenv(protocol.Marker), "%d,%d", &first, &count)
	os.Unsetenv(protocol.Marker)
	if err != nil {
		fmt.Fprintf(os.Stderr, "mp: the environment variable %s is malformed\n", protocol.Marker)
		os.Exit(protocol.ExitBroken)
	}
	in, out := polled(first), inherited(first+1)
	var budgets protocol.BudgetPage
	if count > 2 {
		crash := inherited(first + 2)
		budgets = protocol.MapBudgetPage(crash)
		noteFatal(budgets)
		_ = debug.SetCrashOutput(crash, debug.CrashOptions{})
		crash.Close()
	}
	return &Entry{conn: &protocol.FrameWriter{W: out}, in: in, tasks: make(chan *batch, protocol.BudgetSlots), spare: make(protocol.Spares, protocol.Window+1),
		slots: map[uint64]slot{}, batches: map[uint64]*batch{}, early: map[uint64][]int{}, budgets: budgets}
}

// SendMessage delivers msg to the parent's Host.
func (e *Entry) SendMessage(msg []byte) error { return e.conn.SendMessage(msg) }

// Run runs the functions that the parent sends. It exits the process when the parent sends no
// more, or when the parent is gone. Call it on the main goroutine.
func (e *Entry) Run(h Host) {
	e.host = h
	go e.listen(bufio.NewReaderSize(e.in, 64<<10))
	e.work()
	select {} // another goroutine continues the work, and exits
}

// A Host is the part of mphost.Host that a child needs.
type Host interface {
	FuncPC(id string) (uintptr, error)
	Apply(msg []byte) error
	Message(msg []byte)
}

// A slot has a function that the parent defined.
type slot struct {
	runner uintptr
	fn     *call.Funcval
	target bool
	err    error // why the function cannot run
}

// A batch is a number of tasks that arrived in one frame.
type batch struct {
	id   uint64
	slot uint64
	last bool
	n    int
	body []byte // a task head, and the arguments

	timeout call.Timeout // of each task
	keys    []string     // of the tasks; nil if they have none

	// Guarded by Entry.mu: the tasks that the parent canceled, before or after they
	// began, and the running task with the function that cancels its context.
	canceled map[int]bool
	running  int
	cancel   context.CancelFunc
	cancels  atomic.Int32 // the size of canceled, for reading without the lock
}

// An Entry is the child's end of the connection.
type Entry struct {
	host    Host
	in      io.Reader
	conn    *protocol.FrameWriter
	tasks   chan *batch
	budgets protocol.BudgetPage
	spare   protocol.Spares // bodies of finished batches, for reuse
	row     []byte          // memory for the results of the batch that runs

	taskTimeout call.Timeout // for later batches; used only by listen
	keys        []string     // of the tasks of batch keysOf, which comes next; used only by listen
	keysOf      uint64

	mu      sync.Mutex
	slots   map[uint64]slot
	batches map[uint64]*batch // received and not finished
	latest  uint64            // id of the last batch received
	early   map[uint64][]int  // tasks that were canceled before their batch came, by batch id
}

// listen handles frames until the parent is gone. Then it ends the process, and all
// processes that it has started in its group.
func (e *Entry) listen(r *bufio.Reader) {
	for {
		f, err := protocol.ReadFrame(r, e.spare.Take)
		switch {
		case err == io.EOF, err == io.ErrUnexpectedEOF:
			endGroup(protocol.ExitOrphaned)
		case err == nil:
			err = e.receive(f)
		case errors.Is(err, failure.ErrMalformed):
			err = protocol.ErrForeignBytes
		}
		if err != nil {
			_ = e.conn.Send(protocol.Frame{Kind: protocol.FrameBroken, Body: codec.EncodeError(err)})
			os.Exit(protocol.ExitBroken)
		}
	}
}

func (e *Entry) receive(f protocol.Frame) error {
	switch f.Kind {
	case protocol.FrameUpdate:
		if err := e.host.Apply(f.Body); err != nil || f.Id == 0 {
			return err
		}
		_ = e.conn.Send(protocol.Frame{Kind: protocol.FrameReady}) // listen notices if the parent is gone
	case protocol.FrameDefine:
		return e.define(f)
	case protocol.FrameTask:
		return e.accept(f)
	case protocol.FrameCancel:
		return e.cancel(f)
	case protocol.FrameTimeout:
		return e.setTimeout(f.Body)
	case protocol.FrameKeys:
		return e.setKeys(f)
	case protocol.FrameMessage:
		e.host.Message(f.Body)
	case protocol.FrameTrace:
		tracing.StartChild(string(f.Body))
	case protocol.FrameProfile:
		profiling.StartChild(string(f.Body))
	case protocol.FrameEnd:
		shm.LeaveAll()
		_ = tracing.Stop() // problems are noted in the folders
		_ = profiling.Stop()
		os.Exit(0)
	default:
		return failure.ErrMalformed
	}
	return nil
}

// define stores a function under its slot. If the function cannot be found, tasks that
// use the slot fail, not the process.
func (e *Entry) define(f protocol.Frame) error {
	if len(f.Body) == 0 {
		return failure.ErrMalformed
	}
	ids, err := codec.SplitStrings(f.Body[1:])
	if err != nil || len(ids) != 2 {
		return failure.ErrMalformed
	}
	s := slot{target: f.Body[0] == 1}
	if s.runner, s.err = e.host.FuncPC(ids[0]); s.err == nil {
		var pc uintptr
		pc, s.err = e.host.FuncPC(ids[1])
		s.fn = &call.Funcval{PC: pc}
	}
	e.mu.Lock()
	e.slots[f.Id] = s
	e.mu.Unlock()
	return nil
}

func (e *Entry) accept(f protocol.Frame) error {
	if len(f.Body) < protocol.TaskHead {
		return failure.ErrMalformed
	}
	b := &batch{
		id: f.Id, slot: uint64(binary.LittleEndian.Uint32(f.Body)), last: f.Body[4]&protocol.TaskLast != 0,
		n: int(binary.LittleEndian.Uint32(f.Body[8:])), body: f.Body,
		canceled: map[int]bool{}, running: -1, timeout: e.taskTimeout,
	}
	if e.keysOf == f.Id && len(e.keys) == b.n {
		b.keys, e.keys = e.keys, nil
	}
	e.mu.Lock()
	e.batches[f.Id], e.latest = b, f.Id
	for _, i := range e.early[f.Id] {
		b.drop(i)
	}
	delete(e.early, f.Id)
	e.mu.Unlock()
	e.tasks <- b
	return nil
}

// drop records that task i was canceled. Entry.mu is held.
func (b *batch) drop(i int) {
	b.canceled[i] = true
	b.cancels.Store(int32(len(b.canceled)))
}

// cancel cancels one task. If it runs, its context is canceled; if it has not begun,
// it does not begin. Its batch may arrive later.
func (e *Entry) cancel(f protocol.Frame) error {
	if len(f.Body) != 4 {
		return failure.ErrMalformed
	}
	i := int(binary.LittleEndian.Uint32(f.Body))
	e.mu.Lock()
	defer e.mu.Unlock()
	switch b := e.batches[f.Id]; {
	case b != nil:
		b.drop(i)
		if b.running == i {
			b.cancel()
		}
	case f.Id > e.latest:
		e.early[f.Id] = append(e.early[f.Id], i)
	}
	return nil
}

func (e *Entry) setKeys(f protocol.Frame) (err error) {
	e.keysOf = f.Id
	if e.keys, err = codec.SplitStrings(f.Body); err != nil {
		return failure.ErrMalformed
	}
	return nil
}

func (e *Entry) setTimeout(body []byte) error {
	if len(body) != 8 {
		return failure.ErrMalformed
	}
	e.taskTimeout = call.Timeout(binary.LittleEndian.Uint64(body))
	return nil
}
