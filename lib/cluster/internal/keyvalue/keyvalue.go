// Package keyvalue changes keys on the server by compare-and-set, and waits for changes. It
// tries again while a server is lost.
package keyvalue

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/servers"
)

const (
	// missingTimeout is how long GetExisting looks for a key that the server does not have.
	missingTimeout = 10 * time.Second
	// operationHeader is the header of JetStream that marks a deleted key.
	operationHeader = "KV-Operation"
)

// ErrUnknown is returned by Swap if it cannot find out whether it has changed the key. This
// happens if the answer to an earlier try was lost, and then this process was stopped for some
// minutes, or a thousand other writers changed the key.
var ErrUnknown = errors.New("it is unknown whether the server has changed a value: the server's answer was lost, and then this process was stopped for minutes, " +
	"or a thousand others changed the value; read the value before you change it again")

// A Store is a bucket of keys. Its methods may be called concurrently. While no server
// answers, for example while the servers elect a new leader, methods try again until ctx ends,
// or for servers.Timeout. If the answer to a change is lost, the change is not made twice.
type Store struct {
	js      jetstream.JetStream
	kv      jetstream.KeyValue
	stream  jetstream.Stream
	changed string // prefix of the subjects of notices
	writers *writers
}

// An Entry is the value of a key at one time, with its revision. The zero Entry stands for a
// key that does not exist.
type Entry struct {
	Value    []byte
	Revision uint64
	Created  time.Time // time of the change, by the clock of the server

	changes []change
	deleted bool
}

// Open opens the bucket with the given name, and makes it if it does not exist. Notices of
// changes have subjects that begin with changed.
func Open(ctx context.Context, js jetstream.JetStream, bucket string, storage jetstream.StorageType, replicas int, changed string) (*Store, error) {
	kv, err := js.KeyValue(ctx, bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		kv, err = js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: bucket, Storage: storage, Replicas: replicas})
	}
	if err == nil && replicas > 1 {
		err = servers.ReadFromLeader(ctx, js, "KV_"+bucket)
	}
	if err != nil {
		return nil, err
	}
	stream, err := js.Stream(ctx, "KV_"+bucket)
	if err != nil {
		return nil, err
	}
	return &Store{js, kv, stream, changed, new(writers)}, nil
}

func (s *Store) subject(key string) string { return "$KV." + s.kv.Bucket() + "." + key }

// Get returns the value of a key. If there is none, the error is jetstream.ErrKeyNotFound.
func (s *Store) Get(ctx context.Context, key string) (e Entry, err error) {
	err = servers.Retry(ctx, func(ctx context.Context, _ bool) (err error) {
		e, err = s.read(ctx, key)
		return err
	})
	if err == nil && (e.deleted || e.Revision == 0) {
		err = jetstream.ErrKeyNotFound
	}
	return e, err
}

// GetExisting is Get for a key that was made before. A deleted key leaves a mark. If the server
// has neither a value nor a mark, it may have lost its newest messages, for example because its
// disk was full. Other servers have these messages, so GetExisting tries again for missingTimeout.
func (s *Store) GetExisting(ctx context.Context, key string) (e Entry, err error) {
	begin := time.Now()
	for {
		if e, err = s.Get(ctx, key); e.Revision > 0 || !errors.Is(err, jetstream.ErrKeyNotFound) || time.Since(begin) > missingTimeout {
			return e, err
		}
		select {
		case <-time.After(missingTimeout / 50):
		case <-ctx.Done():
			return e, context.Cause(ctx)
		}
	}
}

// read returns the last Entry of a key, which may be deleted.
func (s *Store) read(ctx context.Context, key string) (Entry, error) {
	m, err := s.stream.GetLastMsgForSubject(ctx, s.subject(key))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Entry{}, nil
	}
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Value: m.Data, Revision: m.Sequence, Created: m.Time, deleted: m.Header.Get(operationHeader) != ""}
	e.changes = decodeChanges(m.Header.Get(changesHeader), e.Created)
	return e, nil
}

// Swap replaces the value of a key if the key still has the revision of old, and returns the
// new Entry. It returns false if the key has another revision. If a try that seemed to fail
// has succeeded, Swap returns true.
func (s *Store) Swap(ctx context.Context, key string, old Entry, value []byte) (now Entry, ok bool, err error) {
	c := s.writers.begin()
	defer s.writers.end(c)
	now = Entry{Value: value, changes: follow(&old, c)}
	begun := time.Now().Round(0) // without the monotonic clock, which may stop with the process
	m := &nats.Msg{Subject: s.subject(key), Header: nats.Header{changesHeader: {encodeChanges(now.changes)}}, Data: value}
	m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(old.Revision, 10))
	err = servers.Retry(ctx, func(ctx context.Context, lost bool) error {
		ack, err := s.js.PublishMsg(ctx, m)
		switch {
		case err == nil:
			now.Revision, ok = ack.Sequence, true
		case isMismatch(err) && lost:
			ok, err = s.wasMade(ctx, key, old, &now)
			if err == nil && !ok && time.Since(begun) > changeTimeout/2 {
				err = ErrUnknown
			}
		case isMismatch(err):
			err = nil
		}
		return err
	})
	if err == nil && ok {
		s.notify(key)
	}
	return now, ok, err
}

// errPending means that the key still has the revision that a server has called wrong,
// because the change that replaces it has not ended, or that this server lacks the key.
var errPending = nats.ErrTimeout

// wasMade reports whether the change from old to now was made. If the key still has the
// value, it sets the revision of now.
func (s *Store) wasMade(ctx context.Context, key string, old Entry, now *Entry) (bool, error) {
	e, err := s.read(ctx, key)
	if err != nil {
		return false, err
	}
	i, known := e.find(now.changes[0])
	switch {
	case e.Revision <= old.Revision:
		return false, errPending
	case e.deleted:
		return false, nil // as if it was deleted before
	case !known:
		return false, ErrUnknown
	case i == 0:
		now.Revision = e.Revision
	}
	return i >= 0, nil
}

// isMismatch reports whether a server has refused a change because the key has another
// revision than the one given.
func isMismatch(err error) bool {
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// Create makes a key. If it exists, the error is jetstream.ErrKeyExists.
func (s *Store) Create(ctx context.Context, key string, value []byte) (Entry, error) {
	e, ok, err := s.Swap(ctx, key, Entry{}, value)
	for err == nil && !ok {
		var was Entry
		err = servers.Retry(ctx, func(ctx context.Context, _ bool) (err error) {
			was, err = s.read(ctx, key)
			return err
		})
		if err == nil && !was.deleted && was.Revision > 0 {
			err = jetstream.ErrKeyExists
		}
		if err == nil {
			e, ok, err = s.Swap(ctx, key, was, value)
		}
	}
	return e, err
}

// Put sets the value of a key.
func (s *Store) Put(ctx context.Context, key string, value []byte) error {
	return s.set(ctx, key, func(ctx context.Context) error {
		_, err := s.kv.Put(ctx, key, value)
		return err
	})
}

// Delete deletes a key.
func (s *Store) Delete(ctx context.Context, key string) error {
	return s.set(ctx, key, func(ctx context.Context) error { return s.kv.Purge(ctx, key) })
}

func (s *Store) set(ctx context.Context, key string, f func(context.Context) error) error {
	err := servers.Retry(ctx, func(ctx context.Context, _ bool) error { return f(ctx) })
	if err == nil {
		s.notify(key)
	}
	return err
}

// Keys returns the keys that a pattern such as "job.*" matches.
func (s *Store) Keys(ctx context.Context, pattern string) (keys []string, err error) {
	err = servers.Retry(ctx, func(ctx context.Context, _ bool) error {
		list, err := s.kv.ListKeysFiltered(ctx, pattern)
		if err != nil {
			return err
		}
		keys = nil
		for key := range list.Keys() {
			keys = append(keys, key)
		}
		return ctx.Err() // the list also ends when ctx ends
	})
	if err != nil {
		keys = nil
	}
	return keys, err
}

// Now returns the time by the clock of the server.
func (s *Store) Now(ctx context.Context) (now time.Time, err error) {
	err = servers.Retry(ctx, func(ctx context.Context, _ bool) error {
		info, err := s.stream.Info(ctx)
		if err == nil {
			now = info.TimeStamp
		}
		return err
	})
	return now, err
}

// notify tells the calls of Watch for a key that the key has changed. If the notice is lost,
// these calls see the change after pollInterval.
func (s *Store) notify(key string) { _ = s.js.Conn().Publish(s.changed+"."+key, nil) }

// pollInterval is how often Watch reads a key of which no notice comes.
const pollInterval = 2 * time.Second

// Watch calls f with each Entry of a key until f returns true. It may leave out an Entry
// that is soon replaced. If the key has not changed for the time idle, f is called again
// with stale true. If the key is deleted, the error is jetstream.ErrKeyNotFound.
//
// Watch reads the key after each notice. It uses no JetStream consumer: for half a minute
// after the loss of a server, a new consumer may be assigned to that server.
func (s *Store) Watch(ctx context.Context, key string, idle time.Duration, f func(e Entry, stale bool) (done bool, err error)) error {
	changed := make(chan struct{}, 1)
	sub, err := s.js.Conn().Subscribe(s.changed+"."+key, func(*nats.Msg) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }()
	timer := time.NewTimer(pollInterval)
	defer timer.Stop()
	revision, since := uint64(0), time.Now() // of the last call of f
	for {
		e, err := s.GetExisting(ctx, key)
		if err != nil {
			return err
		}
		stale := e.Revision == revision
		if !stale || time.Since(since) >= idle {
			revision, since = e.Revision, time.Now()
			if done, err := f(e, stale); done || err != nil {
				return err
			}
		}
		timer.Reset(min(pollInterval, max(0, time.Until(since.Add(idle)))))
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
