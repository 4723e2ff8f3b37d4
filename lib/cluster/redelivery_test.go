package cluster

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/begins"
	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/must"
)

// TestLostMessageIsNoTry takes the message of a task that may begin once, and loses it, as
// happens when a server is lost. No worker has begun the task.
func TestLostMessageIsNoTry(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := must.Get(Open(ctx, Tries(1), WorkerTimeout(2*time.Minute)))
	defer c.Close()
	p := must.Get(c.Pool())
	a := must.Get(c.newAgent(1))
	f := mp.Submit[int](ctx, p, twice, 21)
	for range 2 { // it is delivered twice, and lost twice
		if _, err := a.consumer.Next(jetstream.FetchMaxWait(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	a.stop()
	must.Do(c.Workers(1))
	if y, err := f.Result(ctx); y != 42 || err != nil {
		t.Errorf("got %d, %v", y, err)
	}
	if dead := must.Get(c.DeadLetters(ctx)); len(dead) != 0 {
		t.Errorf("the dead letters are %v", dead)
	}
}

// TestBegunTaskIsATry simulates the loss of a process that had begun a task that may begin
// once. The process of another batch, and one that has left, do not count.
func TestBegunTaskIsATry(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := must.Get(Open(ctx, Tries(1), WorkerTimeout(2*time.Minute)))
	defer c.Close()
	p := must.Get(c.Pool())
	a := must.Get(c.newAgent(1))
	defer a.stop()
	for n, want := range []string{"", "each process that ran the task was lost, and the option cluster.Tries limits the number of tries to 1"} {
		f := mp.Submit[int](ctx, p, twice, 21)
		msg := must.Get(a.consumer.Next(jetstream.FetchMaxWait(time.Minute)))
		b := begins.Batch{Pool: only(t, c).id, ID: uint64(n + 1)}
		other := c.begins.Recorder(newID())
		must.Do(other.Begin(ctx, begins.Batch{Pool: b.Pool, ID: b.ID + 1000}))
		gone := c.begins.Recorder(newID())
		must.Do(gone.Begin(ctx, b), gone.Leave(ctx))
		if want != "" {
			must.Do(c.begins.Recorder(newID()).Begin(ctx, b))
		}
		must.Do(msg.Nak())
		a.handle(must.Get(a.consumer.Next(jetstream.FetchMaxWait(time.Minute))))
		_, err := f.Result(ctx)
		if (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// anotherMsg is a message that is not used.
type anotherMsg struct{ jetstream.Msg }

// TestDeliveredTwiceAtOnce delivers a batch again before the agent has handled the first
// message. It runs once.
func TestDeliveredTwiceAtOnce(t *testing.T) {
	c, _ := openAlone(t)
	a := must.Get(c.newAgent(1))
	defer a.stop()
	b := &wire.Batch{Pool: "POOL", ID: 1}
	h := a.hold(b, nil)
	again := &anotherMsg{}
	a.run(b, again) // panics if it runs the batch
	if a.message(h) != again {
		t.Error("heartbeats are sent for the older message")
	}
	a.release(b)
}
