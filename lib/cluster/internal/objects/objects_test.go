package objects

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/natsserver"
)

// open starts a server and returns a Store on it.
func open(t *testing.T) (*Store, context.Context) {
	t.Helper()
	srv, err := natsserver.Start(t.TempDir())
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
	stream, err := js.CreateStream(ctx, Config("test-objects", "test.objects"))
	if err != nil {
		t.Fatal(err)
	}
	return New(js, stream, "test.objects"), ctx
}

func TestPutGetDelete(t *testing.T) {
	s, ctx := open(t)
	for _, n := range []int{0, 1, maxPart, maxPart + 1, 3*maxPart - 1} {
		b := bytes.Repeat([]byte{byte(n), 'x', 'y'}, n/3+1)[:n]
		name := ResultName("pool", b)
		for range 2 { // the answer to the first may have been lost
			if err := s.Put(ctx, name, b); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Get(ctx, name, n)
		if err != nil || !bytes.Equal(got, b) {
			t.Errorf("%d bytes: got %d, %v", n, len(got), err)
		}
		if n > 0 {
			if _, err := s.Get(ctx, name, n-1); err == nil || !strings.Contains(err.Error(), "more than the limit of") {
				t.Errorf("%d bytes with a smaller limit: %v", n, err)
			}
		}
		s.Delete(name)
	}
	info, err := s.stream.Info(ctx)
	if err != nil || info.State.Msgs != 0 {
		t.Errorf("after Delete the stream has %+v, %v", info, err)
	}
}

func TestDamagedObjects(t *testing.T) {
	s, ctx := open(t)
	store := func(name string, part int, size string, data string) {
		t.Helper()
		m := &nats.Msg{Subject: s.subject(name, part), Data: []byte(data)}
		if size != "" {
			m.Header = nats.Header{sizeHeader: {size}}
		}
		if _, err := s.js.PublishMsg(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	for want, damage := range map[string]func(name string){
		"does not give its size":   func(name string) { store(name, 0, "", "value") },
		"does not give its size ":  func(name string) { store(name, 0, "-1", "value") },
		"does not give its size  ": func(name string) { store(name, 0, "many", "value") },
		"part 0 has 5 bytes":       func(name string) { store(name, 0, "4", "value") },
		"part 0 has 0 bytes":       func(name string) { store(name, 0, "5", "") },
		"part 1 has 0 bytes":       func(name string) { store(name, 0, "5", "va"); store(name, 1, "5", "") },
		"does not have the hash":   func(name string) { store(name, 0, "5", "other") },
		"more than the limit of":   func(name string) { store(name, 0, "1000000000000", "value") },
	} {
		name := ResultName("pool", []byte("value"))
		damage(name)
		if b, err := s.Get(ctx, name, 1<<20); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("got %q, %v; want %q", b, err, want)
		}
	}
	if _, err := s.Get(ctx, "name", 1); err == nil {
		t.Error("a malformed name was accepted")
	}
}

func TestMissingObject(t *testing.T) {
	s, ctx := open(t)
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Get(ctx, ResultName("pool", nil), 1); err == nil {
		t.Error("a missing object was read")
	}
}
