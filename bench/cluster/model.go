package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/mp"
)

const (
	modelWorkers = 1000
	perProcess   = 64 // workers of a process in the model
	// batchTime is how long a batch of package cluster should take.
	batchTime = 20 * time.Millisecond
	// modelBatch is the number of tasks of a batch for which the model states the largest rate.
	modelBatch = 100
)

// A cost is what a server spends for a number of tasks, and how long they take.
type cost struct {
	usage
	tasks, batches float64
	took           time.Duration
}

// A load is what a server spends in the model, in seconds of processor time.
type load struct {
	batch, task float64 // a batch of n tasks costs batch + n*task
	background  float64 // per second, for the processes of the model without tasks
}

// model measures what a server spends for batches and for idle workers, and calculates from
// that what it spends for 1,000 workers.
func model(ctx context.Context, tasks, workers int) error {
	single, err := costOf(ctx, workers, tasks/4, cluster.MaxBatch(1))
	if err != nil {
		return err
	}
	large, err := costOf(ctx, workers, 10*tasks)
	if err != nil {
		return err
	}
	idle, err := costOf(ctx, workers, 0)
	if err != nil {
		return err
	}
	message, err := messageCost(ctx, max(10_000, 5*tasks))
	if err != nil {
		return err
	}
	perBatch := func(c cost) float64 { return c.CPU.Seconds() / c.batches }
	n, processes := large.tasks/large.batches, float64((modelWorkers+perProcess-1)/perProcess)
	l := load{task: max(0, (perBatch(large)-perBatch(single))/(n-1))}
	l.batch = max(0, perBatch(single)-l.task)
	// Each process announces itself to all others, so the number of messages from the server
	// grows with the square of the number of processes.
	l.background = (processes*float64(idle.In) + processes*processes*float64(idle.Out)) / idle.took.Seconds() * message
	fmt.Printf("measured: one server, %d workers of one process, one pool, %d cores\n", workers, runtime.NumCPU())
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\ttasks per batch\tmessages to the server per batch\tfrom it\tbytes to the server per task\tfrom it\tprocessor time of the server per batch\ttasks per second")
	for _, c := range []struct {
		name string
		cost
	}{{"each task sent alone", single}, {"batches", large}} {
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.1f\t%.0f\t%.0f\t%.0f µs\t%.0f\n", c.name, c.tasks/c.batches, float64(c.In)/c.batches, float64(c.Out)/c.batches,
			float64(c.BytesIn)/c.tasks, float64(c.BytesOut)/c.tasks, 1e6*perBatch(c.cost), c.tasks/c.took.Seconds())
	}
	fmt.Fprintf(w, "no tasks\t\t%.1f per second\t%.1f per second\n", float64(idle.In)/idle.took.Seconds(), float64(idle.Out)/idle.took.Seconds())
	fmt.Fprintf(w, "messages that are not stored\t\t\t\t\t\t%.2f µs per message\n", 1e6*message)
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("\nmodel: %d workers in %.0f processes. A batch of n tasks takes %.1f µs + n × %.2f µs of the server's processor time, and the processes without tasks %.1f %% of a core\n",
		modelWorkers, processes, 1e6*l.batch, 1e6*l.task, 100*l.background)
	return l.print()
}

// print prints the load of a server for tasks of several durations, and from which duration
// one core of the server is enough.
func (l load) print() error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "a task takes\ttasks per batch\tbatches per second\ttasks per second\tcores of the server")
	for _, d := range []time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond, time.Second, 10 * time.Second} {
		n := min(max(1, float64(batchTime/d)), 1024)
		batches := modelWorkers / (n * d.Seconds())
		fmt.Fprintf(w, "%v\t%.0f\t%.0f\t%.0f\t%.2f\n", d, n, batches, batches*n, l.background+batches*(l.batch+n*l.task))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if l.background >= 1 {
		fmt.Println("one core of the server is not enough even without tasks")
		return nil
	}
	fmt.Printf("one core of the server is enough if tasks that are sent alone take at least %.0f ms\n", 1e3*modelWorkers*(l.batch+l.task)/(1-l.background))
	fmt.Printf("one core of the server distributes at most %.0f tasks per second in batches of %d\n", (1-l.background)/(l.batch/modelBatch+l.task), modelBatch)
	return nil
}

// messageCost returns the processor time, in seconds, that a server needs to receive or send
// a message that it does not store.
func messageCost(ctx context.Context, n int) (float64, error) {
	url, stop, err := startNodes(ctx, 1)
	if err != nil {
		return 0, err
	}
	defer stop()
	nc, err := nats.Connect(url, nats.Token(nodeToken))
	if err != nil {
		return 0, err
	}
	defer nc.Close()
	sub, err := nc.SubscribeSync("bench.message")
	if err != nil {
		return 0, err
	}
	before, err := usageOf(url, "node0")
	if err != nil {
		return 0, err
	}
	const group = 1000 // fewer than a subscription can have pending
	for range n / group {
		for range group {
			if err := nc.Publish("bench.message", make([]byte, 200)); err != nil {
				return 0, err
			}
		}
		for range group {
			if _, err := sub.NextMsg(time.Minute); err != nil {
				return 0, err
			}
		}
	}
	after, err := usageOf(url, "node0")
	return after.minus(before).CPU.Seconds() / float64(2*(n-n%group)), err
}

// costOf measures what a server spends for n tasks, or for idle workers if n is 0.
func costOf(ctx context.Context, workers, n int, opts ...cluster.Option) (c cost, err error) {
	url, stop, err := startNodes(ctx, 1)
	if err != nil {
		return c, err
	}
	defer stop()
	j, err := cluster.Open(ctx, append(opts, cluster.URL(url), cluster.Token(nodeToken))...)
	if err != nil {
		return c, err
	}
	defer j.Close()
	if err := j.Workers(workers); err != nil {
		return c, err
	}
	p, err := j.Pool()
	if err != nil {
		return c, err
	}
	run := func(n int) error {
		_, err := mp.Map[int](ctx, p, same, make([]int, n))
		return err
	}
	if err := run(2000); err != nil {
		return c, err
	}
	sent, err := batchesSent(ctx, url)
	if err != nil {
		return c, err
	}
	before, err := usageOf(url, "node0")
	if err != nil {
		return c, err
	}
	begin := time.Now()
	if n == 0 {
		time.Sleep(5 * time.Second)
	} else if err := run(n); err != nil {
		return c, err
	}
	c.took = time.Since(begin)
	after, err := usageOf(url, "node0")
	if err != nil {
		return c, err
	}
	now, err := batchesSent(ctx, url)
	c.usage, c.tasks, c.batches = after.minus(before), float64(n), now-sent
	return c, err
}

// batchesSent returns the number of batches that the server has stored so far.
func batchesSent(ctx context.Context, url string) (float64, error) {
	nc, err := nats.Connect(url, nats.Token(nodeToken))
	if err != nil {
		return 0, err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return 0, err
	}
	s, err := js.Stream(ctx, "perijove-tasks")
	if err != nil {
		return 0, err
	}
	return float64(s.CachedInfo().State.LastSeq), nil
}
