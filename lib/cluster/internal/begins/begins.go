// Package begins records the batches of tasks that workers have begun, so that the loss of a
// worker that ran a batch can be distinguished from the loss of the message with the batch.
package begins

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/servers"
)

// A Batch identifies a batch of tasks by the pool's id and a number.
type Batch struct {
	Pool string
	ID   uint64
}

// A Store keeps one message for each process with workers: the list of the batches that the
// process has begun and not ended. When a process dies, its list stays. The methods of a Store
// may be called concurrently.
type Store struct {
	stream  jetstream.Stream
	prefix  string // of the subjects
	publish func(ctx context.Context, subject string, msg []byte) error

	mu    sync.Mutex
	read  time.Time // when the last reading of all lists began
	lists map[string]map[Batch]bool
}

// Config returns the configuration of the stream of a Store whose subjects begin with prefix.
// The server removes a list that has not changed for maxAge.
func Config(name, prefix string, maxAge time.Duration) jetstream.StreamConfig {
	return jetstream.StreamConfig{Name: name, Subjects: []string{prefix + ".*"}, MaxMsgsPerSubject: 1, MaxAge: maxAge}
}

// New returns the Store in stream, whose configuration must be the result of Config for the same
// prefix. publish must store a message, and try again while no server answers.
func New(stream jetstream.Stream, prefix string, publish func(ctx context.Context, subject string, msg []byte) error) *Store {
	return &Store{stream: stream, prefix: prefix, publish: publish}
}

// lost returns how many processes other than own have begun the batch, and have neither ended
// it nor left.
func (s *Store) lost(ctx context.Context, own string, b Batch) (n int, err error) {
	asked := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.read.After(asked) { // else another call has read the lists since
		begin := time.Now()
		if s.lists, err = s.readLists(ctx); err != nil {
			return 0, err
		}
		s.read = begin
	}
	for subject, list := range s.lists {
		if list[b] && subject != s.prefix+"."+own {
			n++
		}
	}
	return n, nil
}

// readLists returns the lists of all processes, by subject.
func (s *Store) readLists(ctx context.Context) (lists map[string]map[Batch]bool, err error) {
	var info *jetstream.StreamInfo
	err = servers.Retry(ctx, func(ctx context.Context, _ bool) (err error) {
		info, err = s.stream.Info(ctx, jetstream.WithSubjectFilter(s.prefix+".*"))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cluster: cannot read from the server which tasks have begun: %w", err)
	}
	lists = make(map[string]map[Batch]bool)
	for subject := range info.State.Subjects {
		var m *jetstream.RawStreamMsg
		err := servers.Retry(ctx, func(ctx context.Context, _ bool) (err error) {
			m, err = s.stream.GetLastMsgForSubject(ctx, subject)
			return err
		})
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound): // the process has left meanwhile
		case err != nil:
			return nil, fmt.Errorf("cluster: cannot read from the server which tasks have begun: %w", err)
		default:
			lists[subject] = decode(m.Data)
		}
	}
	return lists, nil
}

// decode returns the batches of a list. It leaves out what is malformed.
func decode(msg []byte) map[Batch]bool {
	list := make(map[Batch]bool)
	for line := range strings.Lines(string(msg)) {
		pool, id, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if n, err := strconv.ParseUint(id, 10, 64); ok && err == nil {
			list[Batch{pool, n}] = true
		}
	}
	return list
}

// A Recorder records the batches of one process. Its methods may be called concurrently.
type Recorder struct {
	s   *Store
	own string

	mu      sync.Mutex
	begun   map[Batch]bool
	changes uint64        // of begun
	stored  uint64        // the number of changes that the stored list has
	storing chan struct{} // closed when the list that is being stored is; nil if none is
}

// Recorder returns the Recorder of the process with the given id.
func (s *Store) Recorder(id string) *Recorder {
	return &Recorder{s: s, own: id, begun: make(map[Batch]bool)}
}

// Begin records that the process begins a batch. It returns when the server has stored the
// record.
func (r *Recorder) Begin(ctx context.Context, b Batch) error {
	err := r.store(ctx, r.change(b, true))
	if err != nil {
		r.change(b, false)
	}
	return err
}

// End records that the process has ended a batch. The next call of Begin, Drop or Flush stores
// the record on the server.
func (r *Recorder) End(b Batch) { r.change(b, false) }

// Drop records that the process gives a batch back without having ended it. The batch does not
// count as lost.
func (r *Recorder) Drop(ctx context.Context, b Batch) error { return r.store(ctx, r.change(b, false)) }

// Flush stores on the server what End has recorded.
func (r *Recorder) Flush(ctx context.Context) error {
	r.mu.Lock()
	n := r.changes
	r.mu.Unlock()
	return r.store(ctx, n)
}

// Leave removes the list of the process.
func (r *Recorder) Leave(ctx context.Context) error {
	return r.s.stream.Purge(ctx, jetstream.WithPurgeSubject(r.s.prefix+"."+r.own))
}

// Lost returns how many other processes have begun the batch, and have neither ended it nor
// called Leave. Call it only when none of these processes still runs the batch.
func (r *Recorder) Lost(ctx context.Context, b Batch) (int, error) { return r.s.lost(ctx, r.own, b) }

// change changes the list, and returns the number of changes.
func (r *Recorder) change(b Batch, begun bool) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun[b] != begun {
		r.changes++
	}
	if begun {
		r.begun[b] = true
	} else {
		delete(r.begun, b)
	}
	return r.changes
}

// store returns when the stored list has the first n changes. One message stores the changes of
// all calls that came while the message before it was stored.
func (r *Recorder) store(ctx context.Context, n uint64) error {
	r.mu.Lock()
	for r.stored < n {
		if storing := r.storing; storing != nil {
			r.mu.Unlock()
			select {
			case <-storing:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			r.mu.Lock()
			continue
		}
		var msg strings.Builder
		for b := range r.begun {
			fmt.Fprintf(&msg, "%s %d\n", b.Pool, b.ID)
		}
		changes, done := r.changes, make(chan struct{})
		r.storing = done
		r.mu.Unlock()
		err := r.s.publish(ctx, r.s.prefix+"."+r.own, []byte(msg.String()))
		r.mu.Lock()
		if r.storing = nil; err == nil {
			r.stored = changes
		}
		close(done)
		if err != nil {
			r.mu.Unlock()
			return err
		}
	}
	r.mu.Unlock()
	return nil
}
