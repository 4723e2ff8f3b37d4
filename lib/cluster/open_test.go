package cluster_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp"
)

func TestOptions(t *testing.T) {
	for want, opt := range map[string]cluster.Option{
		"Tries(0)": cluster.Tries(0), "URL(": cluster.URL(""), "Name(": cluster.Name("a.b"), "MaxValue(0)": cluster.MaxValue(0),
		"Folder(": cluster.Folder(""), "Replicas(9)": cluster.Replicas(9), "Replicas(3)": cluster.Replicas(3), "Inflight(0)": cluster.Inflight(0), "MaxBatch(0)": cluster.MaxBatch(0),
		"WorkerTimeout(": cluster.WorkerTimeout(0), "an option is nil": nil,
	} {
		_, err := cluster.Open(watchdog(t), opt)
		refused(t, err, "cluster: ", want)
	}
}

func TestNoServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	_, err = cluster.Open(watchdog(t), cluster.URL("nats://"+address))
	refused(t, err, "no NATS server answers at nats://"+address, "start nats-server")
}

func TestWrongToken(t *testing.T) {
	c := open(t, 0)
	for _, token := range []string{"", "guess"} {
		_, err := cluster.Open(watchdog(t), cluster.URL(c.URL()), cluster.Token(token))
		refused(t, err, "refuses the token")
		if !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("token %q: %v", token, err)
		}
	}
	if !strings.HasPrefix(c.URL(), "nats://127.0.0.1:") || len(c.Token()) < 20 {
		t.Errorf("URL %q, a token of %d bytes", c.URL(), len(c.Token()))
	}
}

func TestServerWithoutJetStream(t *testing.T) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	defer s.Shutdown()
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("the server does not start")
	}
	_, err = cluster.Open(watchdog(t), cluster.URL(s.ClientURL()))
	refused(t, err, "does not offer JetStream", "nats-server with -js")
}

func TestOpenEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(watchdog(t))
	cancel()
	if _, err := cluster.Open(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNoWorkers(t *testing.T) {
	c := open(t, 0, cluster.WorkerTimeout(50*time.Millisecond))
	p := newPool(t, c)
	_, err := mp.Map[int](watchdog(t), p, square, upTo(5000))
	if !errors.Is(err, cluster.ErrNoWorkers) {
		t.Errorf("got %v", err)
	}
	refused(t, err, "no worker has joined nats://127.0.0.1", "start some with Workers")
	if err := c.Workers(1); err != nil {
		t.Fatal(err)
	}
	expectMap(t, p)
}

func TestWorkersOfAnotherBuild(t *testing.T) {
	c := open(t, 0, cluster.WorkerTimeout(50*time.Millisecond))
	p := newPool(t, c)
	nc, err := nats.Connect(c.URL(), nats.Token(c.Token()))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	other := wire.Worker{ID: "x", Host: "far", Program: "old", PID: 17, Build: [32]byte{0xab, 0xcd}, Slots: 4}
	ctx := watchdog(t)
	for !strings.Contains(c.Table().String(), "far") && ctx.Err() == nil {
		if err := errors.Join(nc.Publish("perijove.worker", other.Encode()), nc.Publish("perijove.worker", []byte("nonsense")), nc.Flush()); err != nil {
			t.Fatal(err)
		}
	}
	_, err = mp.Map[int](watchdog(t), p, square, upTo(3))
	refused(t, err, "square (pool_test.go:", "other builds", "abcd0000", "process 17 on far", "start workers from the same file")
	if !errors.Is(err, cluster.ErrNoWorkers) {
		t.Errorf("got %v", err)
	}
	if err := c.Workers(3); err != nil {
		t.Fatal(err)
	}
	expectMap(t, p)
	if table := c.Table().String(); !strings.Contains(table, "other (abcd0000)") || !strings.Contains(table, "this") {
		t.Errorf("the table is\n%s", table)
	}
}

// TestAnswerToAProcessThatJoins asks for the workers as a process does that joins the server.
func TestAnswerToAProcessThatJoins(t *testing.T) {
	c := open(t, 3)
	nc, err := nats.Connect(c.URL(), nats.Token(c.Token()))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	ctx := watchdog(t)
	m, err := nc.RequestWithContext(ctx, "perijove.hello", nil)
	for errors.Is(err, nats.ErrNoResponders) { // the server has not yet received the subscription
		m, err = nc.RequestWithContext(ctx, "perijove.hello", nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	if w, err := wire.DecodeWorker(m.Data); err != nil || w.Slots != 3 || w.Interval <= 0 {
		t.Errorf("got %+v, %v", w, err)
	}
}

// TestStrangeMessages publishes bytes that are no messages to every subject.
func TestStrangeMessages(t *testing.T) {
	c := open(t, 1)
	p := newPool(t, c)
	expectMap(t, p)
	nc, err := nats.Connect(c.URL(), nats.Token(c.Token()))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := nc.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := js.StreamInfo("perijove-tasks")
	if err != nil {
		t.Fatal(err)
	}
	for consumer := range js.ConsumerNames("perijove-tasks") {
		info, err := js.ConsumerInfo("perijove-tasks", consumer)
		if err != nil {
			t.Fatal(err)
		}
		subject := strings.Replace(info.Config.FilterSubject, "*", "stranger", 1)
		for _, msg := range []string{"", "nonsense", "PJ\x01\x01"} {
			if _, err := js.Publish(subject, []byte(msg)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, subject := range []string{"perijove.worker", "perijove.pool", "perijove.cancel", "perijove.hello"} {
		if err := nc.Publish(subject, []byte("nonsense")); err != nil {
			t.Fatal(err)
		}
	}
	expectMap(t, p)
	ctx := watchdog(t)
	for {
		dead, err := c.DeadLetters(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(dead) == 3 {
			refused(t, errors.New(dead[0].Error), "malformed message", "another program may have sent it")
			break
		}
	}
	if tasks.Config.Retention != nats.WorkQueuePolicy {
		t.Error("the stream of tasks is not a work queue")
	}
}

func TestBackPressure(t *testing.T) {
	c := open(t, 1, cluster.Inflight(8))
	p := newPool(t, c)
	ahead, taken := 0, 0
	for range mp.Stream[int](watchdog(t), p, square, func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
			taken++
		}
	}) {
		if ahead++; ahead == 100 {
			break
		}
	}
	if taken > 100+1000 {
		t.Errorf("the sequence ran to %d when 100 results had been taken", taken)
	}
}
