// Package tracing records what this process and its children do with runtime/trace: one
// file per process, and a manifest. It also writes the events of package mp into the
// trace: tasks, values sent and received, waits, locks. Callers check trace.IsEnabled
// first, so that an ordinary call costs one load.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/trace"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Categories of the log events that package exectrace reads. Words in capitals stand for the
// fields of the event's text.
const (
	CategoryRoot    = "mp.root"    // the goroutine that runs the traced function
	CategorySend    = "mp.send"    // KIND KEY SEQ [EXTRA]: logged before others can see the value
	CategoryReceive = "mp.receive" // KIND KEY SEQ: logged after the value was taken
	CategoryTask    = "mp.task"    // BATCH INDEX: the task that the enclosing region runs
	CategoryLock    = "mp.lock"    // KEY SCOPE: logged after the lock was taken
	CategoryUnlock  = "mp.unlock"  // KEY SCOPE: logged before the lock is free
	CategoryCPU     = "mp.cpu"     // the processor time of this process so far, in nanoseconds
)

// Kinds of values that are sent.
const (
	KindStart  = "start"  // the start of a child; the key is the child's process id
	KindBatch  = "batch"  // tasks that go to a child; EXTRA is the index of the first task
	KindResult = "result" // outcomes of tasks that come from a child
	KindQueue  = "queue"
)

// Kinds of values that stay within a process. Their keys are known only there, and a
// value that is sent may be received more than once.
const (
	KindLocalBatch  = "local-batch"  // tasks that go to a worker of a pool of goroutines
	KindLocalResult = "local-result" // outcomes that go to the goroutine that waits for them
	KindLocalQueue  = "local-queue"
)

const (
	sampleInterval = 10 * time.Millisecond
	stopTimeout    = 2 * time.Second
	stopName       = "stopped" // the file that tells children to end their traces
)

// recorder is the recording of this process. A process has at most one.
var recorder struct {
	folder   atomic.Pointer[string] // where this process records; nil if it does not
	mu       sync.Mutex             // guards the fields below
	file     *os.File
	done     chan struct{} // ends the sampler
	info     Info
	notebook bool                    // set before the first recording
	awaits   map[int]<-chan struct{} // children that were told to record; their channels are closed when they end
}

// Folder returns the folder into which this process records, or "".
func Folder() string {
	if p := recorder.folder.Load(); p != nil {
		return *p
	}
	return ""
}

// ErrTracing is the error of Start if this process is traced already.
var ErrTracing = errors.New("mp: cannot start a trace: this process is already being traced; end the other trace first")

// Start begins to record this process, and the children that it starts or sends tasks to,
// into a folder that exists.
func Start(folder string) error { return start(folder, true) }

func start(folder string, isFirst bool) error {
	r := &recorder
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil || trace.IsEnabled() {
		return ErrTracing
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(folder, fileName(os.Getpid())))
	if err != nil {
		return fmt.Errorf("mp: cannot make the file of a trace: %w", err)
	}
	r.info = newInfo(isFirst)
	if err := trace.Start(f); err != nil {
		f.Close()
		return fmt.Errorf("mp: cannot start a trace of this process: %w", err)
	}
	r.file, r.done, r.awaits = f, make(chan struct{}), map[int]<-chan struct{}{}
	r.folder.Store(&folder)
	setRecorded(true)
	go sample(folder, isFirst, r.done)
	return nil
}

// StartChild begins to record this process, which is a child, unless the recording has ended.
// If the recording cannot begin, StartChild notes the problem in the folder, since a task must
// not fail for this reason.
func StartChild(folder string) {
	if _, err := os.Stat(filepath.Join(folder, stopName)); err == nil {
		return
	}
	info := newInfo(false)
	if err := start(folder, false); err != nil {
		info.Problem = err.Error()
		_ = info.write(folder)
		return
	}
	info.Problem = "the process ended before it completed its trace"
	_ = info.write(folder)
	Receive(KindStart, uint64(os.Getpid()), 0)
}

// SetNotebook notes that this program is the worker process of a notebook.
func SetNotebook() {
	recorder.mu.Lock()
	defer recorder.mu.Unlock()
	recorder.notebook = true
}

// Expect notes that a child was told to record a trace. gone is closed when the child has ended.
func Expect(pid int, gone <-chan struct{}) {
	r := &recorder
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.awaits != nil {
		r.awaits[pid] = gone
	}
}

// Stop ends the recording of this process. In the process that began the recording, Stop also
// ends the recordings of the children and waits for their files. Without a recording it does
// nothing.
func Stop() error {
	r := &recorder
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return nil
	}
	folder := Folder()
	close(r.done)
	setRecorded(false)
	trace.Stop()
	r.folder.Store(nil)
	err := r.file.Close()
	r.file = nil
	awaits := r.awaits
	r.awaits = nil
	if r.info.First {
		if e := os.WriteFile(filepath.Join(folder, stopName), nil, 0o666); err == nil {
			err = e
		}
	}
	awaitChildren(folder, awaits)
	r.info.Complete = err == nil
	if e := r.info.write(folder); err == nil {
		err = e
	}
	if r.info.First {
		_ = os.Remove(filepath.Join(folder, stopName))
		if e := writeManifest(folder, r.info, awaits); err == nil {
			err = e
		}
	}
	if err != nil {
		return fmt.Errorf("mp: cannot write the trace of this process: %w", err)
	}
	return nil
}

// awaitChildren waits until the children have written their files or have ended.
func awaitChildren(folder string, awaits map[int]<-chan struct{}) {
	deadline := time.Now().Add(stopTimeout)
	for pid, gone := range awaits {
		for time.Now().Before(deadline) {
			if i, err := readInfo(folder, pid); err == nil && i.Complete {
				break
			}
			select {
			case <-gone:
			case <-time.After(time.Millisecond):
				continue
			}
			break
		}
	}
}

// sample logs the processor time of this process from time to time. In a child it also
// ends the recording when the first process has ended its own.
func sample(folder string, isFirst bool, done <-chan struct{}) {
	for {
		if d, ok := processorTime(); ok {
			trace.Log(context.Background(), CategoryCPU, strconv.FormatInt(int64(d), 10))
		}
		time.Sleep(sampleInterval) // not a Ticker: the worker process of a notebook counts timers, but not those of sleeping goroutines
		select {
		case <-done:
			return
		default:
		}
		if isFirst {
			continue
		}
		if _, err := os.Stat(filepath.Join(folder, stopName)); err == nil {
			go func() { _ = Stop() }()
			return
		}
	}
}
