// Cluster measures how many empty tasks lib/cluster runs per second, and compares this rate
// with the rate of plain NATS requests and replies, on one machine with the embedded server.
// Each round makes every measurement once. For each measurement, Cluster prints the median,
// least and largest value, and the median of the ratios to the requests of the same round.
//
//	go run ./bench/cluster [-rounds 5] [-tasks 20000] [-workers 2]
//
// With -scale, it measures 1 to 64 workers instead, with tasks that sleep and tasks that
// compute. With -model, it measures what a server spends for a batch of tasks, and calculates
// from that what it spends for 1,000 workers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/mp"
)

// inflight is the number of requests in flight at once, and the number of tasks in the rows
// of the table that say 256.
const inflight = 256

// replicas is the number of servers that form a cluster.
const replicas = 3

func main() {
	mp.Init()
	rounds := flag.Int("rounds", 5, "how often to measure each")
	tasks := flag.Int("tasks", 20_000, "number of tasks of a measurement")
	workers := flag.Int("workers", 2, "number of worker processes")
	scaling := flag.Bool("scale", false, "measure 1 to 64 workers")
	modeling := flag.Bool("model", false, "calculate the load of a server with 1,000 workers")
	flag.Parse()
	ctx, err := context.Background(), error(nil)
	switch {
	case *rounds < 1 || *tasks < 8:
		err = fmt.Errorf("cannot measure with -rounds %d and -tasks %d: -rounds must be at least 1, and -tasks at least 8", *rounds, *tasks)
	case *scaling:
		err = scale(ctx, *rounds)
	case *modeling:
		err = model(ctx, *tasks, *workers)
	default:
		err = run(ctx, *rounds, *tasks, *workers)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

// A measure is a row of the table.
type measure struct {
	name  string
	tasks int
	run   func(ctx context.Context, n int) error
	rates []float64 // in tasks per second, one for each round
}

func run(ctx context.Context, rounds, tasks, workers int) (err error) {
	folder, err := os.MkdirTemp("", "perijove-cluster-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	requests, stop, err := openRequests(ctx, workers)
	if err != nil {
		return err
	}
	defer stop()
	urls, stopNodes, err := startNodes(ctx, replicas)
	if err != nil {
		return err
	}
	defer stopNodes()
	measures := []*measure{{name: "NATS requests, 256 in flight", tasks: tasks, run: requests}}
	for _, m := range []struct {
		name  string
		tasks int
		opts  []cluster.Option
	}{
		{"tasks, 256 in flight, memory", tasks, []cluster.Option{cluster.Inflight(inflight)}},
		{"tasks, 256 in flight, files", tasks, []cluster.Option{cluster.Inflight(inflight), cluster.Folder(folder)}},
		{"tasks, 256 in flight, files of 3 servers", tasks / 2, []cluster.Option{cluster.Inflight(inflight), cluster.URL(urls), cluster.Token(nodeToken), cluster.Replicas(replicas)}},
		{"tasks, 2048 in flight, memory", 5 * tasks, nil},
		{"tasks, 2048 in flight, each sent alone", tasks / 4, []cluster.Option{cluster.MaxBatch(1)}},
	} {
		c, err := openWhenReady(ctx, m.opts)
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.Workers(workers); err != nil {
			return err
		}
		p, err := c.Pool()
		if err != nil {
			return err
		}
		measures = append(measures, &measure{name: m.name, tasks: m.tasks, run: func(ctx context.Context, n int) error {
			_, err := mp.Map[int](ctx, p, same, make([]int, n))
			return err
		}})
	}
	return report(ctx, measures, rounds)
}

// openWhenReady opens a cluster. Servers that form a cluster need some seconds after their
// start before they can make streams.
func openWhenReady(ctx context.Context, opts []cluster.Option) (c *cluster.Cluster, err error) {
	for last := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		try, cancel := context.WithTimeout(ctx, 10*time.Second)
		c, err = cluster.Open(try, opts...)
		cancel()
		if err == nil || time.Now().After(last) {
			return c, err
		}
	}
}

func same(x int) int { return x }

// report makes all measurements in each round, after a round that does not count, and
// prints the table.
func report(ctx context.Context, measures []*measure, rounds int) error {
	for round := range rounds + 1 {
		for _, m := range measures {
			begin := time.Now()
			if err := m.run(ctx, m.tasks); err != nil {
				return fmt.Errorf("cannot measure %q: %w", m.name, err)
			}
			if round > 0 {
				m.rates = append(m.rates, float64(m.tasks)/time.Since(begin).Seconds())
			}
		}
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\tper second\tleast\tlargest\ttimes requests")
	for _, m := range measures {
		ratios := make([]float64, rounds)
		for i, rate := range m.rates {
			ratios[i] = rate / measures[0].rates[i]
		}
		fmt.Fprintf(w, "%s\t%.0f\t%.0f\t%.0f\t%.2f\n", m.name, median(m.rates), slices.Min(m.rates), slices.Max(m.rates), median(ratios))
	}
	return w.Flush()
}

func median(xs []float64) float64 {
	xs = slices.Sorted(slices.Values(xs))
	n := len(xs)
	return (xs[(n-1)/2] + xs[n/2]) / 2
}
