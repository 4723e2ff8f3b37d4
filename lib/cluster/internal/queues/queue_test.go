package queues

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/natsserver"
	"github.com/perijove/perijove/lib/mp"
)

// open starts a server and makes a Queue for two values on it.
func open(t *testing.T) (*Queue, context.Context) {
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
	q := New(js, "test", "test.values")
	if err := q.Create(ctx, 2, jetstream.MemoryStorage, 1); err != nil {
		t.Fatal(err)
	}
	return q, ctx
}

// flaky is a server that fails to store the first messages.
type flaky struct {
	jetstream.JetStream
	errs   []error // of the first messages
	stores bool    // whether it stores a message although it fails
	tries  int
	then   func() // after the first failure
}

func (f *flaky) Publish(ctx context.Context, subject string, b []byte, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	n := f.tries
	f.tries++
	if n >= len(f.errs) {
		return f.JetStream.Publish(ctx, subject, b, opts...)
	}
	if f.stores {
		if _, err := f.JetStream.Publish(ctx, subject, b, opts...); err != nil {
			return nil, err
		}
	}
	if n == 0 && f.then != nil {
		f.then()
	}
	return nil, f.errs[n]
}

// values takes all values.
func values(ctx context.Context, t *testing.T, q *Queue) string {
	t.Helper()
	var list []string
	for {
		b, err := q.Take(ctx, false)
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			return strings.Join(list, " ")
		}
		list = append(list, string(b))
	}
}

// TestPutWaitsForALeader fails to store a value in the ways of servers without a leader, and
// loses answers. The value is put once.
func TestPutWaitsForALeader(t *testing.T) {
	q, ctx := open(t)
	insufficient := &jetstream.APIError{Code: 503, ErrorCode: storeFailed, Description: "insufficient resources"}
	pending := &jetstream.APIError{Code: 409, ErrorCode: inProcess}
	for _, err := range []error{insufficient, pending, jetstream.ErrNoStreamResponse, nats.ErrTimeout, nats.ErrNoResponders} {
		for _, stores := range []bool{false, true} {
			for _, wait := range []bool{false, true} {
				f := &flaky{JetStream: q.js, errs: []error{err, err}, stores: stores}
				if err := (&Queue{f, q.name, q.subject}).Put(ctx, []byte("a"), wait); err != nil {
					t.Errorf("%v, stored %v, wait %v: %v", f.errs[0], stores, wait, err)
				}
				if got := values(ctx, t, q); got != "a" || f.tries != 3 {
					t.Errorf("%v, stored %v, wait %v: the Queue had %q after %d tries", err, stores, wait, got, f.tries)
				}
			}
		}
	}
}

// TestPutWhoseAnswerIsLostIntoAFullQueue loses the answer for the value that fills the Queue.
func TestPutWhoseAnswerIsLostIntoAFullQueue(t *testing.T) {
	q, ctx := open(t)
	if err := q.Put(ctx, []byte("a"), true); err != nil {
		t.Fatal(err)
	}
	if err := (&Queue{&flaky{JetStream: q.js, errs: []error{nats.ErrTimeout}, stores: true}, q.name, q.subject}).Put(ctx, []byte("b"), false); err != nil {
		t.Error(err)
	}
	if err := q.Put(ctx, []byte("c"), false); err != mp.ErrFull {
		t.Errorf("a full Queue: %v", err)
	}
	f := &flaky{JetStream: q.js, errs: []error{nats.ErrTimeout}}
	if err := (&Queue{f, q.name, q.subject}).Put(ctx, []byte("c"), false); !errors.Is(err, mp.ErrFull) || !errors.Is(err, errUnknown) {
		t.Errorf("a full Queue, after a request was lost: %v", err)
	}
	waiting := make(chan error)
	go func() { waiting <- q.Put(ctx, []byte("d"), true) }()
	if b, err := q.Take(ctx, true); string(b) != "a" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
	if err := <-waiting; err != nil {
		t.Error(err)
	}
	if got := values(ctx, t, q); got != "b d" {
		t.Errorf("the Queue had %q", got)
	}
}

// TestPutIntoAClosedQueue closes the Queue while an answer is lost.
func TestPutIntoAClosedQueue(t *testing.T) {
	q, ctx := open(t)
	f := &flaky{JetStream: q.js, errs: []error{nats.ErrTimeout}, stores: true, then: func() {
		if err := q.Close(ctx); err != nil {
			t.Error(err)
		}
	}}
	err := (&Queue{f, q.name, q.subject}).Put(ctx, []byte("a"), true)
	if !errors.Is(err, mp.ErrClosed) || !errors.Is(err, errUnknown) {
		t.Errorf("after a lost answer: %v", err)
	}
	if err := q.Put(ctx, []byte("b"), true); err != mp.ErrClosed {
		t.Errorf("Put: %v", err)
	}
	if n, err := q.Len(ctx); n != 1 || err != nil {
		t.Errorf("Len: %d, %v", n, err)
	}
	if b, err := q.Take(ctx, true); string(b) != "a" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
	if _, err := q.Take(ctx, true); err != mp.ErrClosed {
		t.Errorf("Take: %v", err)
	}
	if err := q.Put(ctx, []byte("b"), true); err != mp.ErrClosed {
		t.Errorf("Put, after the stream was deleted: %v", err)
	}
	if err := q.Close(ctx); err != mp.ErrClosed {
		t.Errorf("Close: %v", err)
	}
}

// leaderless is a server whose consumer fails to answer the first requests.
type leaderless struct {
	jetstream.JetStream
	errs []error
}

type leaderlessConsumer struct {
	jetstream.Consumer
	l *leaderless
}

func (l *leaderless) Consumer(ctx context.Context, stream, name string) (jetstream.Consumer, error) {
	if err := l.fail(); err != nil {
		return nil, err
	}
	c, err := l.JetStream.Consumer(ctx, stream, name)
	return leaderlessConsumer{c, l}, err
}

func (l *leaderless) fail() (err error) {
	if len(l.errs) > 0 {
		err, l.errs = l.errs[0], l.errs[1:]
	}
	return err
}

func (c leaderlessConsumer) Fetch(n int, opts ...jetstream.FetchOpt) (jetstream.MessageBatch, error) {
	if err := c.l.fail(); err != nil {
		return nil, err
	}
	return c.Consumer.Fetch(n, opts...)
}

func (c leaderlessConsumer) FetchNoWait(n int) (jetstream.MessageBatch, error) {
	if err := c.l.fail(); err != nil {
		return nil, err
	}
	return c.Consumer.FetchNoWait(n)
}

func TestTakeWaitsForALeader(t *testing.T) {
	q, ctx := open(t)
	for _, wait := range []bool{true, false} {
		if err := q.Put(ctx, []byte("a"), true); err != nil {
			t.Fatal(err)
		}
		l := &leaderless{q.js, []error{nats.ErrTimeout, nats.ErrNoResponders, nil, jetstream.ErrNoHeartbeat, jetstream.ErrConsumerLeadershipChanged, jetstream.ErrServerShutdown, nats.ErrNoResponders}}
		if b, err := (&Queue{l, q.name, q.subject}).Take(ctx, wait); string(b) != "a" || err != nil || len(l.errs) > 0 {
			t.Errorf("wait %v: got %q, %v; %d errors are left", wait, b, err, len(l.errs))
		}
	}
}

// lossyMsg loses requests to remove it, or the answers.
type lossyMsg struct {
	jetstream.Msg
	losses      int
	loseRequest bool
}

func (m *lossyMsg) DoubleAck(ctx context.Context) error {
	if m.losses--; m.losses < 0 {
		return m.Msg.DoubleAck(ctx)
	}
	if !m.loseRequest {
		if err := m.Msg.DoubleAck(ctx); err != nil {
			return err
		}
	}
	return nats.ErrTimeout
}

// TestRemove loses answers, and removes a value too late.
func TestRemove(t *testing.T) {
	q, ctx := open(t)
	consumer, err := q.consumer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		late bool
		msg  lossyMsg
		want string
	}{
		{false, lossyMsg{}, "a true <nil>"},
		{false, lossyMsg{losses: 2, loseRequest: true}, "a true <nil>"},
		{false, lossyMsg{losses: 2}, "a true <nil>"},
		{true, lossyMsg{}, " false <nil>"},
	} {
		if err := q.Put(ctx, []byte("a"), true); err != nil {
			t.Fatal(err)
		}
		msg, err := fetch(ctx, consumer, true)
		if err != nil {
			t.Fatal(err)
		}
		c.msg.Msg = msg
		until := time.Now().Add(time.Minute)
		if c.late {
			until = time.Now()
		}
		b, ok, err := q.remove(ctx, &c.msg, until)
		if got := fmt.Sprintf("%s %v %v", b, ok, err); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
		if n, err := q.Len(ctx); err != nil || n == 1 == ok {
			t.Errorf("%+v: %d values are left, %v", c, n, err)
		}
	}
}

// TestCloseWaitsForValuesOnTheirWay closes a Queue while another process has received its
// value, but not removed it.
func TestCloseWaitsForValuesOnTheirWay(t *testing.T) {
	q, ctx := open(t)
	if err := q.Put(ctx, []byte("a"), true); err != nil {
		t.Fatal(err)
	}
	consumer, err := q.consumer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := fetch(ctx, consumer, true)
	if err := errors.Join(err, q.Close(ctx)); err != nil {
		t.Fatal(err)
	}
	if b, err := q.Take(ctx, false); b != nil || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
	if err := msg.Nak(); err != nil { // that process gives it back
		t.Fatal(err)
	}
	if b, err := q.Take(ctx, true); string(b) != "a" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
	if _, err := q.Take(ctx, true); err != mp.ErrClosed {
		t.Errorf("Take of an empty closed Queue: %v", err)
	}
}
