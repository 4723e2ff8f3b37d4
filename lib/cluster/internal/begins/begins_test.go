package begins

import (
	"context"
	"errors"
	"sync"
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
	config := Config("test-begun", "test.begun", time.Hour)
	config.Storage = jetstream.MemoryStorage
	stream, err := js.CreateStream(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	return New(stream, "test.begun", func(ctx context.Context, subject string, msg []byte) error {
		_, err := js.Publish(ctx, subject, msg)
		return err
	}), ctx
}

func TestLost(t *testing.T) {
	s, ctx := open(t)
	a, b, c := s.Recorder("a"), s.Recorder("b"), s.Recorder("c")
	batch := func(n int) Batch { return Batch{"POOL", uint64(n)} }
	var all sync.WaitGroup
	for n := range 100 {
		all.Go(func() {
			if err := errors.Join(a.Begin(ctx, batch(n)), b.Begin(ctx, batch(n))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	expect := func(r *Recorder, n, want int) {
		t.Helper()
		if got, err := r.Lost(ctx, batch(n)); err != nil || got != want {
			t.Errorf("batch %d was lost %d times, %v; want %d", n, got, err, want)
		}
	}
	for n := range 100 {
		expect(c, n, 2)
	}
	expect(a, 1, 1)
	expect(c, 100, 0)
	a.End(batch(1))
	expect(c, 1, 2)
	if err := a.Flush(ctx); err != nil {
		t.Error(err)
	}
	expect(c, 1, 1)
	if err := b.Drop(ctx, batch(1)); err != nil {
		t.Error(err)
	}
	expect(c, 1, 0)
	expect(c, 2, 2)
	if err := b.Leave(ctx); err != nil {
		t.Error(err)
	}
	expect(c, 2, 1)
	for n := range 20 {
		all.Go(func() { expect(c, n+50, 1) })
	}
	all.Wait()
}

// TestBeginFails lets the server refuse a list.
func TestBeginFails(t *testing.T) {
	s, ctx := open(t)
	r, refused := s.Recorder("a"), errors.New("refused")
	publish := s.publish
	s.publish = func(context.Context, string, []byte) error { return refused }
	if err := r.Begin(ctx, Batch{"POOL", 1}); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	s.publish = publish
	if err := r.Begin(ctx, Batch{"POOL", 2}); err != nil {
		t.Error(err)
	}
	other := s.Recorder("b")
	for id, want := range []int{0, 0, 1} {
		if n, err := other.Lost(ctx, Batch{"POOL", uint64(id)}); n != want || err != nil {
			t.Errorf("batch %d was lost %d times, %v; want %d", id, n, err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("POOL 1\njob-X 18446744073709551615\n"))
	f.Add([]byte("POOL\n -1\nx x\n"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		if list := decode(msg); len(list) > len(msg)/2+1 {
			t.Errorf("%d batches of %d bytes", len(list), len(msg))
		}
	})
}
