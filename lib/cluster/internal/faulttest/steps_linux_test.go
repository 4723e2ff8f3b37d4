package faulttest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster"
)

// watchdogTime is how long a step may take before the test fails.
const watchdogTime = 3 * time.Minute

var errHang = errors.New("the watchdog's time is over: something hangs")

// A run is a run of the test: the processes, and the tasks that they run.
type run struct {
	*nodes
	workers []*process
	own     *link // of this process
	js      jetstream.JetStream
	cluster *cluster.Cluster
	load    *load
	sharing *sharing
	report  strings.Builder
	table   *tabwriter.Writer
}

func (r *run) watchdog() context.Context {
	ctx, cancel := context.WithTimeoutCause(context.Background(), watchdogTime, errHang)
	r.t.Cleanup(cancel)
	return ctx
}

func (r *run) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// testFaults runs tasks in a network while it breaks one thing after the other.
func testFaults(t *testing.T, newNetwork func(*nodes) (network, error)) {
	r := &run{nodes: &nodes{t: t, folder: t.TempDir()}}
	r.table = tabwriter.NewWriter(&r.report, 0, 0, 2, ' ', 0)
	net, err := newNetwork(r.nodes)
	r.must(err)
	r.net = net
	r.start()
	fmt.Fprintln(r.table, "fault\ttasks before it had results after\tlongest time without a result\tall workers ran tasks again after\tlongest Update, Lock, Put, Get")
	pattern := regexp.MustCompile(*only)
	faults := slices.DeleteFunc(r.faults(), func(f fault) bool { return !pattern.MatchString(f.name) })
	for i, f := range faults {
		r.must(r.load.atLeast(r.watchdog(), (i+1)**taskCount/(len(faults)+1)))
		r.apply(f)
	}
	r.must(r.load.atLeast(r.watchdog(), *taskCount))
	r.must(r.load.finish(r.watchdog()))
	r.must(r.sharing.finish(r.watchdog()))
	r.awaitEmpty()
	r.must(r.table.Flush())
	t.Logf("%s: %d tasks\n%s", r.net.name(), r.load.results, r.report.String())
}

// start starts servers and workers, and begins to run tasks.
func (r *run) start() {
	for i := range r.servers {
		if err := os.Mkdir(filepath.Join(r.folder, fmt.Sprintf("node%d", i+1)), 0o700); err != nil {
			r.t.Fatal(err)
		}
		r.must(r.mountStore(i))
		r.startServer(i)
	}
	r.own = newLink()
	url := r.proxies(r.own)
	r.connect(r.proxies(newLink()))
	c, err := cluster.Open(r.watchdog(), cluster.URL(url), cluster.Token(token), cluster.Replicas(nodeCount), cluster.Inflight(256), cluster.WorkerTimeout(watchdogTime))
	r.must(err)
	r.cluster = c
	r.t.Cleanup(func() { c.Close() })
	for i := range 4 {
		r.workers = append(r.workers, r.startWorkers(fmt.Sprintf("worker%d", i+1), 2, i == 3))
	}
	p, err := c.Pool()
	r.must(err)
	r.load = startLoad(r.watchdogFor(watchdogTime*10), p)
	r.sharing, err = startSharing(r.watchdogFor(watchdogTime*10), c)
	r.must(err)
	r.awaitWorkers(0)
}

func (r *run) watchdogFor(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeoutCause(context.Background(), d, errHang)
	r.t.Cleanup(cancel)
	return ctx
}

// connect opens the test's connection, by which it asks the servers for their state, and
// waits until the servers have found each other.
func (r *run) connect(url string) {
	nc, err := nats.Connect(url, nats.Token(token), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	r.must(err)
	r.t.Cleanup(nc.Close)
	r.js, err = jetstream.New(nc)
	r.must(err)
	r.poll("JetStream is not ready", func(ctx context.Context) error {
		_, err := r.js.AccountInfo(ctx)
		return err
	})
}

// poll calls f until it returns nil.
func (r *run) poll(what string, f func(context.Context) error) {
	r.t.Helper()
	ctx := r.watchdog()
	for {
		try, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := f(try)
		cancel()
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			r.t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// A fault breaks a part of the system and mends it again, while tasks run.
type fault struct {
	name  string
	apply func() (mend func())
	lasts time.Duration // 0 means until the tasks have recovered
}

// apply applies a fault and mends what is broken. It waits until all tasks that were
// submitted before have results, and then until all workers run tasks again.
func (r *run) apply(f fault) {
	begin, before := time.Now(), r.load.begun()
	mend := f.apply()
	if f.lasts > 0 {
		time.Sleep(f.lasts)
		mend()
	}
	r.must(r.load.await(r.watchdog(), func() bool { return r.load.complete >= before }))
	recovered, gap := time.Since(begin), r.load.longestGap()
	r.t.Logf("%s: recovered after %v", f.name, recovered)
	if f.lasts == 0 {
		mend()
	}
	mended := time.Now()
	r.awaitWorkers(r.load.begun())
	again := time.Since(mended)
	r.must(r.sharing.await(r.watchdog()))
	r.awaitReplicas()
	fmt.Fprintf(r.table, "%s\t%.1f s\t%.1f s\t%.1f s\t%s\n", f.name, recovered.Seconds(), gap.Seconds(), again.Seconds(), r.sharing.takeLongest())
}

// awaitWorkers waits until each process with workers has run a task after the task n.
func (r *run) awaitWorkers(n int) {
	r.t.Helper()
	for _, w := range r.workers {
		r.must(r.load.await(r.watchdog(), func() bool { return r.load.newest[w.config.Name] > n }))
	}
}

// awaitReplicas waits until all servers have all of each stream.
func (r *run) awaitReplicas() {
	r.t.Helper()
	r.poll("a stream does not have all its replicas", func(ctx context.Context) error {
		list := r.js.ListStreams(ctx)
		for s := range list.Info() {
			if s.Cluster == nil || s.Cluster.Leader == "" || len(s.Cluster.Replicas) != nodeCount-1 {
				return fmt.Errorf("stream %s: %+v", s.Config.Name, s.Cluster)
			}
			for _, p := range s.Cluster.Replicas {
				if !p.Current || p.Offline {
					return fmt.Errorf("stream %s: replica %+v", s.Config.Name, *p)
				}
			}
		}
		return list.Err()
	})
}

// awaitEmpty waits until the streams of tasks and results are empty.
func (r *run) awaitEmpty() {
	for _, name := range []string{"perijove-tasks", "perijove-results", "perijove-dead"} {
		r.poll("a stream is not empty", func(ctx context.Context) error {
			s, err := r.js.Stream(ctx, name)
			if err == nil && s.CachedInfo().State.Msgs > 0 {
				err = fmt.Errorf("stream %s has %d messages", name, s.CachedInfo().State.Msgs)
			}
			return err
		})
	}
}

// leader returns the index of the server that leads the stream of tasks.
func (r *run) leader() int { return r.leaderOf("perijove-tasks") }

func (r *run) leaderOf(stream string) (i int) {
	r.t.Helper()
	r.poll("the stream has no leader", func(ctx context.Context) error {
		s, err := r.js.Stream(ctx, stream)
		if err != nil {
			return err
		}
		_, err = fmt.Sscanf(s.CachedInfo().Cluster.Leader, "node%d", &i)
		return err
	})
	return i - 1
}

func (r *run) faults() []fault {
	list := []fault{
		{"a process with workers is killed", r.killWorkers, 0},
		{"the server that leads the stream is killed", func() func() { return r.killServer(r.leader()) }, 0},
		{"the server that leads a Queue is killed", r.killQueueServer, 0},
		{"the link of a process with workers is cut", func() func() { return r.cutLink(r.workers[1]) }, *cutTime},
		{"a link is slow", r.slowLink, *cutTime},
		{"the link of the server that leads is cut", func() func() { return r.cutLink(r.servers[r.leader()]) }, *cutTime},
		{"the link of the program is cut", r.cutOwnLink, *cutTime},
		{"a program that has started a job is killed", r.killProgram, 0},
	}
	if r.hasStores() {
		return append(list, fault{"the disk of the server that leads is full", r.fillDisk, 0})
	}
	r.t.Log("left out, because it needs the right to mount a file system: the disk of the server that leads is full")
	return list
}

func (r *run) killWorkers() func() {
	r.workers[0].kill(r.t)
	return func() { r.workers[0] = r.startWorkers("worker5", 2, false) }
}

func (r *run) killServer(i int) func() {
	r.servers[i].kill(r.t)
	return func() { r.startServer(i) }
}

// killQueueServer kills the server that leads the stream of the Queue, and makes objects while
// it is away: at once, and again when that is done.
func (r *run) killQueueServer() func() {
	mend := r.killServer(r.leaderOf(r.queueStream()))
	made, ctx := make(chan error, 1), r.watchdog()
	go func() {
		var err error
		for _, name := range []string{"early", "late"} {
			begin := time.Now()
			err = errors.Join(err, r.sharing.makeObjects(ctx, r.cluster, name))
			r.t.Logf("a Queue, a Value, a job and a pool were made and used within %v", time.Since(begin))
		}
		made <- err
	}()
	return func() {
		r.must(<-made)
		mend()
	}
}

// queueStream returns the name of the stream of the Queue.
func (r *run) queueStream() (name string) {
	r.poll("the Queue has no stream", func(ctx context.Context) error {
		list := r.js.StreamNames(ctx)
		for n := range list.Name() {
			if strings.HasPrefix(n, "perijove-Queue-") {
				name = n
			}
		}
		if list.Err() == nil && name == "" {
			return errors.New("there is no such stream")
		}
		return list.Err()
	})
	return name
}

func (r *run) cutLink(p *process) func() {
	r.must(r.net.cut(p))
	return func() { r.must(r.net.restore(p)) }
}

func (r *run) slowLink() func() {
	l := r.workers[3].link
	l.slow(100*time.Millisecond, 256<<10)
	return l.restore
}

func (r *run) cutOwnLink() func() {
	r.own.cut()
	return r.own.restore
}

func (r *run) fillDisk() func() {
	i := r.leader()
	empty := r.fillStore(i)
	return func() {
		empty()
		r.servers[i].kill(r.t)
		r.startServer(i)
	}
}
