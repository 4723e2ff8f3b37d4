package mp

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
	"time"

	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// Init makes this program able to start children, and is where they begin: in
// a child it runs what the parent sends and exits the process. Call it first
// in main; in tests, in TestMain.
func Init() {
	h := mphost.Program()
	if mphost.IsChild() {
		mphost.RunChild(h)
	}
	mphost.Set(h)
}

func init() {
	mphost.Provide(runChild, recordVariables, recordIn)
	reach(nil, nil, nil, nil, nil)
}

// runChild is what mphost.RunChild does.
func runChild(h mphost.Host, start func(parent *mphost.Peer)) {
	var first, count int
	_, err := fmt.Sscanf(os.Getenv(mphost.Marker), "%d,%d", &first, &count)
	os.Unsetenv(mphost.Marker)
	if err != nil {
		fmt.Fprintf(os.Stderr, "mp: malformed %s in the environment\n", mphost.Marker)
		os.Exit(exitBroken)
	}
	in, out := polled(first), inherited(first+1)
	var book ledger
	if count > 2 {
		crash := inherited(first + 2)
		book = mapLedger(crash)
		noteFatal(book)
		_ = debug.SetCrashOutput(crash, debug.CrashOptions{})
		crash.Close()
	}
	e := &entry{host: h, conn: &conn{w: out}, tasks: make(chan *batch, ledgerSlots), spare: make(spares, window+1),
		slots: map[uint64]slot{}, batches: map[uint64]*batch{}, early: map[uint64][]int{}, book: book}
	start(e.conn.peer())
	go e.listen(bufio.NewReaderSize(in, 64<<10))
	e.work()
	select {} // work went on in another goroutine, which exits
}

// Exit codes of a child that has no function's outcome to report.
const (
	exitBroken   = 120 // the connection is unusable
	exitOrphaned = 121 // the parent is gone
)

// peer is the other end of c, for a Host.
func (c *conn) peer() *mphost.Peer {
	return mphost.NewPeer(func(msg []byte) error { return c.send(frame{kind: frameMessage, body: msg}) })
}

// taskLast marks a batch after which the child exits.
const taskLast byte = 1

// flushAfter is how long finished tasks of a batch wait for the one that runs
// until they are reported without it.
const flushAfter = 2 * time.Millisecond

// A slot is a function that the parent defined.
type slot struct {
	runner uintptr
	fn     *funcval
	target bool
	err    error // why it cannot run
}

// A batch is a number of tasks that arrived in one frame.
type batch struct {
	id   uint64
	slot uint64
	last bool
	n    int
	body []byte // a taskHead, and the arguments

	timeout taskTimeout // of each task

	// Guarded by entry.mu. Tasks that the parent cancelled, before they began
	// or since, and how to tell the one that runs.
	cancelled map[int]bool
	running   int
	cancel    context.CancelFunc
	cancels   atomic.Int32 // the size of cancelled, to be read without the lock
}

// An entry is the child's end of the connection.
type entry struct {
	host  mphost.Host
	conn  *conn
	tasks chan *batch
	book  ledger
	spare spares // bodies of batches that have ended
	row   []byte // for results, used by the batch that runs

	taskTimeout taskTimeout // of batches that come; of listen alone

	mu      sync.Mutex
	slots   map[uint64]slot
	batches map[uint64]*batch // that were received and have not ended
	latest  uint64            // id of the last one received
	early   map[uint64][]int  // tasks that were cancelled before their batch came
}

// listen reads frames until the parent is gone, and ends the process then,
// with all that it started in its process group.
func (e *entry) listen(r *bufio.Reader) {
	for {
		f, err := readFrame(r, e.spare.take)
		switch {
		case err == io.EOF, err == io.ErrUnexpectedEOF:
			endGroup(exitOrphaned)
		case err == nil:
			err = e.receive(f)
		case errors.Is(err, errMalformed):
			err = errForeignBytes
		}
		if err != nil {
			_ = e.conn.send(frame{kind: frameBroken, body: encodeError(err)})
			os.Exit(exitBroken)
		}
	}
}

func (e *entry) receive(f frame) error {
	switch f.kind {
	case frameUpdate:
		if err := e.host.Apply(f.body); err != nil || f.id == 0 {
			return err
		}
		_ = e.conn.send(frame{kind: frameReady}) // a parent that is gone shows in listen
	case frameDefine:
		return e.define(f)
	case frameTask:
		return e.accept(f)
	case frameCancel:
		return e.cancel(f)
	case frameTimeout:
		return e.setTimeout(f.body)
	case frameMessage:
		e.host.Message(mphost.Parent(), f.body)
	case frameEnd:
		shm.LeaveAll()
		os.Exit(0)
	default:
		return errMalformed
	}
	return nil
}

// define resolves the two ids of a definition. A failure belongs to the tasks
// that use it, not to the process.
func (e *entry) define(f frame) error {
	if len(f.body) == 0 {
		return errMalformed
	}
	ids, err := splitStrings(f.body[1:])
	if err != nil || len(ids) != 2 {
		return errMalformed
	}
	s := slot{target: f.body[0] == 1}
	if s.runner, s.err = e.host.FuncPC(ids[0]); s.err == nil {
		var pc uintptr
		pc, s.err = e.host.FuncPC(ids[1])
		s.fn = &funcval{pc}
	}
	e.mu.Lock()
	e.slots[f.id] = s
	e.mu.Unlock()
	return nil
}

// taskHead is how many bytes precede the arguments of a batch: the slot, the
// flags, the number of tasks, and some so that the arguments are aligned.
const taskHead = 16

func appendTaskHead(b []byte, slot uint32, flags byte, n int) []byte {
	b = binary.LittleEndian.AppendUint32(b, slot)
	b = append(b, flags, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	return append(b, 0, 0, 0, 0)
}

func (e *entry) accept(f frame) error {
	if len(f.body) < taskHead {
		return errMalformed
	}
	b := &batch{
		id: f.id, slot: uint64(binary.LittleEndian.Uint32(f.body)), last: f.body[4]&taskLast != 0,
		n: int(binary.LittleEndian.Uint32(f.body[8:])), body: f.body,
		cancelled: map[int]bool{}, running: -1, timeout: e.taskTimeout,
	}
	e.mu.Lock()
	e.batches[f.id], e.latest = b, f.id
	for _, i := range e.early[f.id] {
		b.drop(i)
	}
	delete(e.early, f.id)
	e.mu.Unlock()
	e.tasks <- b
	return nil
}

// drop notes that a task was cancelled. entry.mu is held.
func (b *batch) drop(i int) {
	b.cancelled[i] = true
	b.cancels.Store(int32(len(b.cancelled)))
}

// cancel cancels the context of one task, which may not have begun: then it
// never does. The batch may still be on its way.
func (e *entry) cancel(f frame) error {
	if len(f.body) != 4 {
		return errMalformed
	}
	i := int(binary.LittleEndian.Uint32(f.body))
	e.mu.Lock()
	defer e.mu.Unlock()
	switch b := e.batches[f.id]; {
	case b != nil:
		b.drop(i)
		if b.running == i {
			b.cancel()
		}
	case f.id > e.latest:
		e.early[f.id] = append(e.early[f.id], i)
	}
	return nil
}
