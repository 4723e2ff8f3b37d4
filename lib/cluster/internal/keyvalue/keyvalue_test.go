package keyvalue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/natsserver"
)

// open starts a server and returns a Store on it.
func open(t *testing.T) (*Store, context.Context) {
	t.Helper()
	srv, err := natsserver.Start("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Stop)
	conn, err := nats.Connect(srv.ClientURL(), nats.Token(srv.Token))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	s, err := Open(ctx, js, "test", jetstream.MemoryStorage, 1, "test.changed")
	if err != nil {
		t.Fatal(err)
	}
	return s, ctx
}

// lossy loses the first request to store a message, or its answer.
type lossy struct {
	jetstream.JetStream
	loseRequest bool
	lost        bool
	meanwhile   func()
}

func (l *lossy) PublishMsg(ctx context.Context, m *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	if l.lost {
		return l.JetStream.PublishMsg(ctx, m, opts...)
	}
	l.lost = true
	if !l.loseRequest {
		if _, err := l.JetStream.PublishMsg(ctx, m, opts...); err != nil {
			return nil, err
		}
	}
	l.meanwhile()
	return nil, nats.ErrTimeout
}

// add tries to add 1 to the number of a key until that succeeds.
func add(ctx context.Context, t *testing.T, s *Store, key string) {
	t.Helper()
	for ok := false; !ok; {
		if _, made, err := addOnce(ctx, s, key); err != nil {
			t.Fatal(err)
		} else {
			ok = made
		}
	}
}

func addOnce(ctx context.Context, s *Store, key string) (Entry, bool, error) {
	old, err := s.Get(ctx, key)
	if err != nil {
		return Entry{}, false, err
	}
	var n int
	if _, err := fmt.Sscan(string(old.Value), &n); err != nil {
		return Entry{}, false, err
	}
	return s.Swap(ctx, key, old, []byte(fmt.Sprint(n+1)))
}

// TestSwapIsMadeOnce loses a request or its answer while other calls change the key.
func TestSwapIsMadeOnce(t *testing.T) {
	s, ctx := open(t)
	for i, c := range []struct {
		loseRequest bool
		others      int  // changes meanwhile
		made        bool // Swap returns true
	}{
		{true, 0, true},
		{true, 1, false},
		{true, 40, false},
		{false, 0, true},
		{false, 1, true},
		{false, 40, true},
	} {
		key := fmt.Sprintf("key%d", i)
		if _, err := s.Create(ctx, key, []byte("0")); err != nil {
			t.Fatal(err)
		}
		faulty := *s
		faulty.js = &lossy{JetStream: s.js, loseRequest: c.loseRequest, meanwhile: func() {
			other := *s
			for i := range c.others {
				if i%10 == 0 {
					other.writers = new(writers) // another process
				}
				add(ctx, t, &other, key)
			}
		}}
		now, made, err := addOnce(ctx, &faulty, key)
		if made != c.made || err != nil {
			t.Errorf("%+v: got %v, %v", c, made, err)
		}
		want := c.others
		if !c.loseRequest || c.made {
			want++
		}
		last, err := s.Get(ctx, key)
		if err != nil || string(last.Value) != fmt.Sprint(want) {
			t.Errorf("%+v: the key has %s, %v; want %d", c, last.Value, err, want)
		}
		if c.made && c.others == 0 && now.Revision != last.Revision {
			t.Errorf("%+v: Swap returned the revision %d, the key has %d", c, now.Revision, last.Revision)
		}
	}
}

// TestCreateIsMadeOnce loses the answer to Create, and makes a key that was deleted.
func TestCreateIsMadeOnce(t *testing.T) {
	s, ctx := open(t)
	for i, loseRequest := range []bool{false, true} {
		key := fmt.Sprintf("key%d", i)
		faulty := *s
		faulty.js = &lossy{JetStream: s.js, loseRequest: loseRequest, meanwhile: func() {}}
		if e, err := faulty.Create(ctx, key, []byte("a")); err != nil || e.Revision == 0 {
			t.Errorf("got %+v, %v", e, err)
		}
		if _, err := s.Create(ctx, key, []byte("b")); !errors.Is(err, jetstream.ErrKeyExists) {
			t.Errorf("a key that exists: %v", err)
		}
		if err := s.Delete(ctx, key); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(ctx, key); !errors.Is(err, jetstream.ErrKeyNotFound) {
			t.Errorf("a deleted key: %v", err)
		}
		if e, err := s.Create(ctx, key, []byte("c")); err != nil || e.Revision == 0 {
			t.Errorf("got %+v, %v", e, err)
		}
	}
}

// TestWatch changes a key, also without a notice, and deletes it.
func TestWatch(t *testing.T) {
	s, ctx := open(t)
	old, err := s.Create(ctx, "key", []byte("0"))
	if err != nil {
		t.Fatal(err)
	}
	silent := *s
	silent.changed = "test.nothing"
	var seen []string
	stale := 0
	err = s.Watch(ctx, "key", 50*time.Millisecond, func(e Entry, idle bool) (bool, error) {
		if idle {
			stale++
		} else {
			seen = append(seen, string(e.Value))
		}
		var err error
		switch {
		case stale == 0:
		case len(seen) == 1:
			_, _, err = s.Swap(ctx, "key", old, []byte("1"))
		case len(seen) == 2:
			_, _, err = silent.Swap(ctx, "key", e, []byte("2"))
		default:
			err = silent.Delete(ctx, "key")
		}
		return false, err
	})
	if !errors.Is(err, jetstream.ErrKeyNotFound) || fmt.Sprint(seen) != "[0 1 2]" || stale == 0 {
		t.Errorf("saw %v, %d times stale, %v", seen, stale, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Watch(ctx, "key", time.Hour, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestGetExisting reads a key that comes later, as one does that a server lacks for a moment.
func TestGetExisting(t *testing.T) {
	s, ctx := open(t)
	made := make(chan error)
	go func() {
		_, err := s.Create(ctx, "key", []byte("a"))
		made <- err
	}()
	e, err := s.GetExisting(ctx, "key")
	if err := errors.Join(err, <-made); err != nil || string(e.Value) != "a" {
		t.Errorf("got %q, %v", e.Value, err)
	}
	if err := s.Delete(ctx, "key"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.GetExisting(ctx, "key"); !errors.Is(err, jetstream.ErrKeyNotFound) {
		t.Errorf("a deleted key: %v", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.GetExisting(ctx, "missing"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestKeys lists keys, also when the context ends.
func TestKeys(t *testing.T) {
	s, ctx := open(t)
	for _, key := range []string{"a.x", "a.y", "a.z", "b.x"} {
		if _, err := s.Create(ctx, key, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Delete(ctx, "a.y"); err != nil {
		t.Fatal(err)
	}
	keys, err := s.Keys(ctx, "a.*")
	if slices.Sort(keys); err != nil || !slices.Equal(keys, []string{"a.x", "a.z"}) {
		t.Errorf("got %v, %v", keys, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if keys, err := s.Keys(ctx, "a.*"); !errors.Is(err, context.Canceled) || keys != nil {
		t.Errorf("after the end of the context: %v, %v", keys, err)
	}
}
